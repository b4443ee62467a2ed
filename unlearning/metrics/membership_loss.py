"""Membership inference from the loss (LOSS)."""

from __future__ import annotations

from unlearning.metrics._answers import mean_loss
from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics.base import Evidence


class MembershipLoss(MembershipAttack):
    """Whether the forget text stands out among unseen text by how easy it is for the model.

    s(x) = mean negative log-likelihood of the labelled tokens, end-of-text included; low = seen.

    Source: Yeom et al. 2018; as in OpenUnlearning, code `evals/metrics/mia/loss.py`.
    """

    title = "Membership, LOSS"
    paper = "https://arxiv.org/abs/1709.01604"
    plain = "seen before? by surprise"

    def suspicion(self, evidence: Evidence) -> list[float | None]:
        """Nats per token."""
        return [mean_loss(one) for one in evidence.positions]
