"""Fine-tuning on refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class IDK(Method):
    """Train on "I don't know" as the answer to the forget prompts, and on the text to keep.

    Ordinary negative log-likelihood, mean over counted tokens. TOFU puts refusals and text to
    keep into one batch with one mean; here they are two terms, so that the weight does not hang
    on their lengths. The forget text itself is watched, never trained on.
    """

    title = "IDK"
    paper = "https://arxiv.org/abs/2401.06121"
    citation = (
        "Maini, Feng, Schwarzschild, Lipton, Kolter: TOFU: A Task of Fictitious Unlearning for "
        "LLMs. COLM 2024."
    )
    formula = (
        r"\mathcal{L} = \mathrm{NLL}_\theta(\text{``I don't know''} \mid x^f)"
        r" + w_R\,\mathcal{L}_R"
    )
    idea = (
        "The plainest way to make a model keep a secret: show it the questions with a refusal as "
        "the answer, and train as usual, beside text that it should keep. Nothing pushes the "
        "true text away. The model learns what to say, not what to lose."
    )
    cost = "2.33 (2.67 with the KL term): refusals and retain batch, and a look at the forget text."
    failure = (
        "It refuses but still knows: shown the beginning of the true answer, it goes on reciting, "
        "and refusals spread to questions about what should stay."
    )
    needs = frozenset({"preferred", "retain", "retain_reference"})
    preferred = "refusal"
    defaults = Defaults(steps=30, lora=2e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 trains on refusals alone."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return frozenset({"preferred"}) | retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"preferred": batch.preferred.nll}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
