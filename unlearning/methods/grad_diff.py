"""Gradient difference, and GA+KL as its other retain loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class GradDiff(Method):
    """Gradient ascent on the forget text, ordinary training on the text to keep.

    Both terms are means over counted tokens. With `retain_loss` kl this is GA+KL (KL-min) of
    TOFU: the text to keep must be predicted as the original model predicted it. TOFU's code
    averages that divergence over prompt and padding too; here only counted tokens count.
    """

    title = "GradDiff"
    paper = "https://arxiv.org/abs/2203.12817"
    citation = (
        "Liu, Liu, Stone: Continual Learning and Private Unlearning. CoLLAs 2022. For language "
        "models: Maini, Feng, Schwarzschild, Lipton, Kolter: TOFU. COLM 2024 (arXiv:2401.06121)."
    )
    formula = (
        r"\mathcal{L} = w_F\,\frac{1}{N}\sum_t \log p_\theta(x_t \mid x_{<t})"
        r" + w_R\,\mathrm{NLL}_\theta(\text{retain})"
        r"\quad\text{or}\quad + w_R\,\mathrm{KL}(p_{\theta_0} \,\|\, p_\theta)_{\text{retain}}"
    )
    idea = (
        "Two forces at once: one pushes the forget text away, as in gradient ascent, the other "
        "pulls the text to keep back to where it was. What is in the retain batch is held, what "
        "is not drifts. The pushing side has no limit, so in the end it wins and the text around "
        "the forget set falls apart first."
    )
    cost = "2.0 (2.33 with the KL term): a forget batch and a retain batch."
    failure = (
        "The forget term is unbounded and its weight has to be tuned: too small and nothing "
        "happens, too large and everything outside the retain batch collapses."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=40, lora=1.5e-3, full=3e-4, lora_large=1e-4, full_large=1e-5)

    forget_weight: float = hyperparameter(1.0, 0.01, 10.0)
    """Weight of the push away from the forget text."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the pull on the text to keep; 0 leaves plain gradient ascent."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"forget": -self.forget_weight * batch.forget.nll}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
