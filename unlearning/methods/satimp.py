"""SatImp: saturation and importance weigh each token of gradient ascent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class SatImp(Method):
    """Gradient ascent in which tokens count that are neither forgotten nor trivially sure.

    p^beta1 * (1 - p)^beta2 * log p with the weight held constant, mean over counted tokens.
    Weights as in the authors' description, forget to retain 10 : 1; one of their configuration
    files has them the other way round.
    """

    title = "SatImp"
    paper = "https://arxiv.org/abs/2505.11953"
    citation = (
        "Yang et al.: Exploring Criteria of Loss Reweighting to Enhance LLM Unlearning. ICML 2025."
    )
    formula = (
        r"\mathcal{L} = w_F\,\frac{1}{N}\sum_t \operatorname{sg}\bigl[p_t^{\beta_1}"
        r"(1 - p_t)^{\beta_2}\bigr]\,\log p_t + w_R\,\mathcal{L}_R,\qquad "
        r"p_t = p_\theta(x_t \mid x_{<t})"
    )
    idea = (
        "Two thoughts on which words to push. Saturation: a word that is forgotten needs no more. "
        "Importance: a word that any reader would guess carries no secret. The weight of a word "
        "is the product of both, largest for words that are likely but not certain, and the text "
        "to keep is trained along with a small weight."
    )
    cost = "2.0 (2.33 with the KL term): a forget batch and a retain batch."
    failure = (
        "A word known by heart looks like one that is trivially sure, so on fully memorised text "
        "it hardly starts."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=80, lora=5e-3, full=7e-4, lora_large=1e-4, full_large=1e-5)

    beta1: float = hyperparameter(5.0, 0.0, 20.0)
    """Saturation: how soon a word's push fades as it becomes unlikely."""
    beta2: float = hyperparameter(1.0, 0.0, 20.0)
    """Importance: how strongly words that are almost certain are spared."""
    forget_weight: float = hyperparameter(1.0, 0.01, 10.0)
    """Weight of the push away from the forget text."""
    retain_weight: float = hyperparameter(0.1, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is the push alone."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget
        logp_BS = forget.logp_BS.detach()
        # 1 - p from its logarithm: near 1 a difference would round to steps of 6e-8.
        unlikely_BS = -torch.expm1(logp_BS)
        weight_BS = logp_BS.exp() ** self.beta1 * unlikely_BS**self.beta2
        terms = {"forget": self.forget_weight * forget.mean(weight_BS * forget.logp_BS)}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
