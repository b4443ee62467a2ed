"""Weighted gradient ascent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class WGA(Method):
    """Gradient ascent in which each token counts by its own probability.

    p^beta * log p with the weight held constant, mean over counted tokens. The gradient at the
    target's logit is p^beta * (1 - p): none for a token known by heart, none for one forgotten.
    """

    title = "WGA"
    paper = "https://arxiv.org/abs/2502.19301"
    citation = (
        "Wang, Zhou, Zhou, Shin, Han, Weinberger: Rethinking LLM Unlearning Objectives: A "
        "Gradient Perspective and Go Beyond. ICLR 2025."
    )
    formula = (
        r"\mathcal{L} = w_F\,\frac{1}{N}\sum_t \operatorname{sg}\bigl[p_\theta(x_t \mid x_{<t})"
        r"^{\beta}\bigr]\,\log p_\theta(x_t \mid x_{<t}) + w_R\,\mathcal{L}_R"
    )
    idea = (
        "Gradient ascent pushes hardest on words that are forgotten already, and that is where "
        "it goes astray. Here every word's push is multiplied by the word's own probability, so "
        "it dies out as the word becomes unlikely and what is left to do gets the attention. The "
        "text to keep is trained along."
    )
    cost = "2.0 (2.33 with the KL term): a forget batch and a retain batch."
    failure = (
        "On text known by heart the push is almost zero at first, so the start is slow; a large "
        "beta stops before the text is forgotten."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=40, lora=3e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    beta: float = hyperparameter(1.0, 0.0, 20.0)
    """How soon a word's push fades with its probability; 0 is gradient ascent."""
    forget_weight: float = hyperparameter(1.0, 0.01, 10.0)
    """Weight of the push away from the forget text."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is the push alone."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget
        weight_BS = forget.p_BS.detach() ** self.beta
        terms = {"forget": self.forget_weight * forget.mean(weight_BS * forget.logp_BS)}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
