"""CE-U: cross-entropy unlearning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class CEU(Method):
    """Learn the model's own predictions with the true token struck out.

    Cross-entropy from softmax(z, true token at minus infinity), held constant, to softmax(z);
    mean over counted tokens. Its gradient is that of -log(1 - p), the exact negative
    log-unlikelihood: p at the true token, -p q_j / (1 - p) elsewhere. The value differs by the
    entropy of the struck-out distribution.
    """

    title = "CE-U"
    paper = "https://arxiv.org/abs/2503.01224"
    citation = "Yang: CE-U: Cross Entropy Unlearning. 2025."
    formula = (
        r"\mathcal{L} = \frac{1}{N}\sum_t \mathrm{CE}\bigl(\operatorname{sg}[\mathrm{softmax}"
        r"(z_t \mid z_{t,x_t} = -\infty)],\ \mathrm{softmax}(z_t)\bigr) + w_R\,\mathcal{L}_R"
    )
    idea = (
        "At each word of the forget text the model is asked what it would have said if that one "
        "word were forbidden, and is trained to say that. The pull is at full strength while the "
        "word is known by heart and fades once it is unlikely, so unlike gradient ascent it "
        "comes to rest. Nothing in it protects other text: that is the retain term's part."
    )
    cost = "2.0 (1.0 without a retain term, 2.33 with the KL term): no second model on the text."
    failure = (
        "Alone, as published, it forgets fast and takes the rest of the model along: general "
        "text becomes as unlikely as the forgotten one."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=30, lora=1.5e-3, full=3e-4, lora_large=1e-4, full_large=1e-5)

    spare_first: bool = hyperparameter(True)
    """Whether the first word of each answer is left alone, as in the author's code."""
    retain_weight: float = hyperparameter(3.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is the paper."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget.without_first() if self.spare_first else batch.forget
        terms = {"forget": forget.cross_entropy_to_rest}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
