"""SimNPO: negative preference optimization without a reference model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method
from unlearning.methods.npo import negative_preference

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class SimNPO(Method):
    """NPO on the mean log-probability of a token, with a margin in place of a reference model.

    Per sequence -2/beta * log sigmoid(-beta * (log p / length + margin)), mean over sequences.
    The margin is the paper's gamma, `delta` in its code. The authors, for TOFU forget10: beta 4.5
    and a forget weight of 0.125; for forget05 2.5 and 0.1375; for the passages of MUSE 0.7 and 1,
    with a retain weight of 0.1. On passages known by heart 0.125 does next to nothing, so the
    forget weight here is that of MUSE.
    """

    title = "SimNPO"
    paper = "https://arxiv.org/abs/2410.07163"
    citation = (
        "Fan, Liu, Lin, Jia, Zhang, Mei, Liu: Simplicity Prevails: Rethinking Negative Preference "
        "Optimization for LLM Unlearning. 2024."
    )
    formula = (
        r"\mathcal{L} = -w_F\,\frac{2}{\beta}\,\mathbb{E}\,\log\sigma\!\Bigl(-\frac{\beta}{|y|}"
        r"\log p_\theta(y \mid x) - \beta\,\delta\Bigr) + w_R\,\mathcal{L}_R"
    )
    idea = (
        "NPO asks how far a text has fallen below the original model and so brakes the same for "
        "texts that were hard and for texts that were easy. Here the brake looks at the text's "
        "own probability, averaged over its words: what is still likely is pushed, long or short, "
        "what is unlikely already is left alone. No second model is needed."
    )
    cost = "2.0 (2.33 with the KL term): a forget batch and a retain batch."
    failure = (
        "Beta and the forget weight have to be tuned for each data set; with the wrong ones it "
        "barely forgets or forgets far too much."
    )
    needs = frozenset({"retain", "retain_reference"})
    defaults = Defaults(steps=60, lora=3e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    beta: float = hyperparameter(4.5, 0.001, 20.0)
    """How soon the push fades as a word's mean log-probability falls."""
    margin: float = hyperparameter(0.0, 0.0, 20.0)
    """How many nats a word the text must fall further before the push fades."""
    forget_weight: float = hyperparameter(1.0, 0.001, 10.0)
    """Weight of the push away from the forget text."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is SimNPO alone."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget
        per_word_B = forget.logp_B / forget.length_B.clamp(min=1)
        push_B = negative_preference(per_word_B + self.margin, self.beta)
        terms = {"forget": self.forget_weight * forget.mean_over_sequences(push_B)}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
