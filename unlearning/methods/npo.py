"""Negative preference optimization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.lazy import F
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


def negative_preference(logratio_B: Tensor, beta: float) -> Tensor:
    """-2/beta * log sigmoid(-beta * log-ratio) of each sequence, the paper's objective.

    `logratio_B` is log p_theta - log p_reference in nats. The gradient is that of the log-ratio
    times 2 sigmoid(beta * log-ratio), between 0 (forgotten) and 2; towards beta = 0 it is 1.
    """
    # logsigmoid, not log(sigmoid): sums over hundreds of tokens reach +-100.
    return -2 / beta * F.logsigmoid(-beta * logratio_B)


class NPO(Method):
    """Push the forget text below the original model, and stop pushing once it is low.

    The forget answer is the rejected side of a preference pair that has no chosen side. The
    log-ratio is the **sum** over the counted tokens of a sequence, the loss the mean over
    sequences, as in the paper; so beta acts the sooner, the longer the texts are.
    """

    title = "NPO"
    paper = "https://arxiv.org/abs/2404.05868"
    citation = (
        "Zhang, Lin, Bai, Mei: Negative Preference Optimization: From Catastrophic Collapse to "
        "Effective Unlearning. COLM 2024."
    )
    formula = (
        r"\mathcal{L} = -\frac{2}{\beta}\,\mathbb{E}\,\log\sigma\!\Bigl(-\beta\log"
        r"\frac{p_\theta(y \mid x)}{p_{\theta_0}(y \mid x)}\Bigr) + w_R\,\mathcal{L}_R"
    )
    idea = (
        "The original model serves as a yardstick. As long as the text is about as likely as it "
        "was there, the push equals gradient ascent; the further it has fallen below, the weaker "
        "the push, until it dies out. So the method brakes itself, and falls apart much later "
        "than gradient ascent. With a retain term the text to keep is trained along."
    )
    cost = (
        "2.33 (2.67 with the KL term): forget and retain batch, and the original model on the "
        "forget text."
    )
    failure = (
        "On long texts the brake bites after a few steps, and the retain term can then teach "
        "shared phrases back: more steps are not more forgetting."
    )
    needs = frozenset({"reference", "retain", "retain_reference"})
    defaults = Defaults(steps=30, lora=1e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    beta: float = hyperparameter(0.1, 0.001, 5.0)
    """How soon the push fades; towards 0 it never does, which is gradient ascent."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is NPO alone."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return frozenset({"reference"}) | retain_passes(self.retain_weight, self.retain_loss)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        logratio_B = batch.forget.logp_B - batch.reference.logp_B.detach()
        push_B = negative_preference(logratio_B, self.beta)
        terms = {"forget": batch.forget.mean_over_sequences(push_B)}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
