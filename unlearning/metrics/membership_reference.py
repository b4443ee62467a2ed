"""Membership inference beside a model that never saw the text (reference attack)."""

from __future__ import annotations

from collections.abc import Sequence

from unlearning.metrics._answers import mean_loss
from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics.base import Evidence


class MembershipReference(MembershipAttack):
    """Whether the forget text is easier for this model than for one that never saw it.

    s(x) = mean negative log-likelihood under the model - the same under the retrained model; low
    = seen. Only with a retrained model that has the same tokens.

    Source: Carlini et al. 2021; as in OpenUnlearning, code `evals/metrics/mia/reference.py`.
    """

    title = "Membership, reference"
    paper = "https://arxiv.org/abs/2012.07805"
    plain = "seen before? beside a model that did not"
    needs = frozenset({"holdout", "retrained"})

    def suspicion(self, evidence: Evidence) -> Sequence[float | None]:
        """Nats per token; nothing without a retrained model on the same tokens."""
        other = evidence.retrained
        if other is None or list(other.ids) != list(evidence.ids):
            return []
        pairs = zip(evidence.positions, other.positions, strict=True)
        losses = [(mean_loss(own), mean_loss(theirs)) for own, theirs in pairs]
        return [None if own is None or theirs is None else own - theirs for own, theirs in losses]
