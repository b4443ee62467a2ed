"""Gradient ascent held by the original model (GA+KL, KL minimisation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class GAKL(Method):
    """Gradient ascent on the forget text, the original model's predictions on the text to keep.

    TOFU's "KL minimisation". The divergence is KL(original || student) over the whole vocabulary.
    TOFU averages it over every position, prompt and padding included; here only counted tokens
    count, so a weight of 1 holds harder than theirs by the share of those positions.
    """

    title = "GA+KL"
    paper = "https://arxiv.org/abs/2401.06121"
    citation = (
        "Maini, Feng, Schwarzschild, Lipton, Kolter: TOFU: A Task of Fictitious Unlearning for "
        "LLMs. COLM 2024."
    )
    formula = (
        r"\mathcal{L} = w_F\,\frac{1}{N}\sum_t \log p_\theta(x_t \mid x_{<t})"
        r" + w_R\,\mathrm{KL}(p_{\theta_0} \,\|\, p_\theta)_{\text{retain}}"
    )
    idea = (
        "The forget text is pushed away as in gradient ascent. On the text to keep the model is "
        "not trained to recite, but to go on predicting what the original model predicted, "
        "doubts and runners-up included. So nothing new is learnt there; but only what is in "
        "that text is held, and the push has no end."
    )
    cost = "2.33: a forget batch, and a retain batch for student and original model."
    failure = (
        "The forget term is unbounded, so everything outside the retain text drifts, and the "
        "model falls apart soon after it has forgotten."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=40, lora=1e-3, full=3e-4, lora_large=1e-4, full_large=1e-5)

    forget_weight: float = hyperparameter(1.0, 0.01, 10.0)
    """Weight of the push away from the forget text."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of staying with the original on the text to keep; 0 leaves gradient ascent."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, "kl")

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"forget": -self.forget_weight * batch.forget.nll}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, "kl")
        return terms
