"""Whether forgetting pulls at the same weights as keeping (gradient conflict)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import SEED, interval, resampled_weights
from unlearning.metrics._spans import spans
from unlearning.metrics.base import Evidence, Metric, Score


def cosine(products_NN: np.ndarray, weights_RF: np.ndarray, weights_RK: np.ndarray) -> np.ndarray:
    """Cosine [R] between weighted sums of the first F texts' gradients and the other K ones',
    from the inner products of all; NaN where a sum is 0."""
    count = weights_RF.shape[1]
    ff, fk, kk = (
        products_NN[:count, :count],
        products_NN[:count, count:],
        products_NN[count:, count:],
    )
    across_R = ((weights_RF @ fk) * weights_RK).sum(axis=1)
    forget_R = ((weights_RF @ ff) * weights_RF).sum(axis=1)
    kept_R = ((weights_RK @ kk) * weights_RK).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return across_R / np.sqrt(forget_R * kept_R)


def layer_cosines(products: Mapping[str, np.ndarray], count: int) -> tuple[float | None, ...]:
    """Cosine of each layer alone, in the order of the model; None where a gradient is 0."""
    found = []
    for product_NN in products.values():
        ones_1F, ones_1K = np.ones((1, count)), np.ones((1, len(product_NN) - count))
        value = float(cosine(product_NN, ones_1F, ones_1K)[0])
        found.append(None if np.isnan(value) else value)
    return tuple(found)


class GradientConflict(Metric):
    """Whether the weights that know the forget text are those that know the text to keep.

    cos(g_forget, g_retain), both gradients of the mean negative log-likelihood, of the same sign,
    over the weights of all linear layers but the output layer. Near 1: raising the loss on one
    raises it on the other, so plain ascent must do damage; near 0: the two can be moved apart.

    The interval is the spread over resampled texts of both sets, around the value; samples are
    the cosines layer by layer. A few texts of each set are read, cut short, since they must all
    be in one backward pass.

    Source: the angle between gradients of Yu et al. 2020 (PCGrad), definition 1.
    """

    title = "Gradient conflict"
    paper = "https://arxiv.org/abs/2001.06782"
    family = "diagnostic"
    direction = {"forget": "neither"}
    unit = "cosine, -1 to 1"
    cost = "pass"
    plain = "forgetting pulls at what is to be kept"
    needs = frozenset({"retain", "gradients"})

    texts: int = hyperparameter(8, 2, 64)
    """Texts of each set that are read."""
    tokens: int = hyperparameter(64, 8, 1024, advanced=True)
    """Labelled tokens of a text that are read."""

    def score(self, evidence: Evidence) -> Score | None:
        """Forget text beside the text to keep; None without it or without backward passes."""
        retain = evidence.beside.get("retain")
        if retain is None or evidence.gradient_products is None:
            return None
        forget, keep = (
            [span for span in spans(one, self.texts, self.tokens) if span is not None]
            for one in (evidence, retain)
        )
        products = evidence.gradient_products([*forget, *keep]) if forget and keep else None
        if not products:
            return None
        whole_NN = np.sum(list(products.values()), axis=0)
        count, other = len(forget), len(keep)
        value = float(cosine(whole_NN, np.ones((1, count)), np.ones((1, other)))[0])
        if np.isnan(value):
            return None
        low = high = None
        if min(count, other) > 1:
            drawn = resampled_weights(count), resampled_weights(other, SEED + 1)
            cosines_R = cosine(whole_NN, *drawn)
            # A text that is drawn twice makes the sums longer in its own direction, and every
            # cosine smaller: only their spread is that of the value.
            low, high = interval((cosines_R - cosines_R.mean() + value).clip(-1, 1), value)
        variant = f"linear layers, {self.tokens} tokens of each text"
        return Score(value, low, high, count + other, layer_cosines(products, count), variant)
