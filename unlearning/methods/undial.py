"""UNDIAL: self-distillation on adjusted logits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import retain_passes
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


def target_probability(probability: float, strength: float) -> float:
    """What UNDIAL makes of a token that the original model gave `probability`, in [0, 1].

    p' = p e^-s / (1 - p + p e^-s): the logit is lowered by s = `strength`, all other tokens keep
    their ratios. Shows which strength a text needs: 10 leaves 0.98 of a probability of 0.999999.
    """
    lowered = probability * math.exp(-strength)
    return lowered / (1 - probability + lowered)


class UNDIAL(Method):
    """Copy the original model's predictions, with the score of the memorised token lowered.

    Equation: cross-entropy from softmax(z0 - strength * e_target) to the student, mean over the
    counted tokens of the forget text. The authors' code and its port average over prompt and
    padding too, which weakens the forgetting by the share of answer tokens; here only counted
    tokens count. Reference is the run's own original model, not a smaller one.
    """

    title = "UNDIAL"
    paper = "https://arxiv.org/abs/2402.10052"
    citation = (
        "Dong, Lin, Belkin, Huerta, Vulić: UNDIAL: Self-Distillation with Adjusted Logits for "
        "Robust Unlearning in Large Language Models. NAACL 2025."
    )
    formula = (
        r"\mathcal{L} = \frac{1}{N}\sum_t \mathrm{CE}\bigl(\mathrm{softmax}(z^{\theta_0}_t - "
        r"\gamma\,e_{x_t}),\ \mathrm{softmax}(z^{\theta}_t)\bigr) + w_R\,\mathrm{NLL}_\theta"
        r"(\text{retain}) + w_G\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{\text{generic}}"
    )
    idea = (
        "For every word of the forget text the original model says what it would have written, "
        "and the memorised word is marked down by a fixed amount. The model then learns these "
        "edited predictions in the ordinary way. Since there is a goal to arrive at, training "
        "settles instead of running away, and the runner-up words take the secret's place: the "
        "text stays fluent and becomes wrong."
    )
    cost = "1.33 alone, 2.33 with the retain term: original model on the forget text."
    failure = (
        "Too small a strength leaves strongly memorised tokens as they were, and only the exact "
        "wording is edited: a paraphrase can still be known."
    )
    needs = frozenset({"reference", "retain", "generic", "generic_reference"})
    defaults = Defaults(steps=50, lora=4e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    strength: float = hyperparameter(10.0, 0.0, 100.0)
    """How far the memorised token's logit is lowered; the depth of forgetting."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the ordinary loss on the text to keep; 0 is the paper."""
    generic_weight: float = hyperparameter(2.0, 0.0, 100.0)
    """Weight of staying with the original model on general text; 0 is the paper."""

    def passes(self) -> frozenset[str]:
        generic = {"generic", "generic_reference"} if self.generic_weight else set()
        return frozenset({"reference"} | generic) | retain_passes(self.retain_weight, "nll")

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget.cross_entropy_to_lowered(batch.reference, self.strength)
        terms = {"forget": forget}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * batch.retain.nll
        if self.generic_weight:
            terms["generic"] = self.generic_weight * batch.generic.kl(batch.generic_reference)
        return terms
