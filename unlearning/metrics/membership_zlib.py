"""Membership inference from the loss beside the text's compressed size (zlib)."""

from __future__ import annotations

import zlib

from unlearning.metrics._answers import mean_loss
from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics.base import Evidence, Positions


def loss_by_size(positions: Positions, text: str) -> float | None:
    """Mean loss over the bytes of the compressed text, nats; None for no tokens."""
    loss = mean_loss(positions)
    return None if loss is None else loss / len(zlib.compress(text.encode()))


class MembershipZlib(MembershipAttack):
    """Whether the forget text is easier for the model than its wording alone explains.

    s(x) = mean negative log-likelihood of the labelled tokens / bytes of zlib.compress(text), the
    text being the labelled tokens in words, default level; low = seen.

    Source: Carlini et al. 2021; as in OpenUnlearning, code `evals/metrics/mia/zlib.py`.
    """

    title = "Membership, zlib"
    paper = "https://arxiv.org/abs/2012.07805"
    plain = "seen before? by surprise for its wording"

    def suspicion(self, evidence: Evidence) -> list[float | None]:
        """Nats per token and byte; nothing where the texts are not known."""
        if len(evidence.texts) != len(evidence.positions):
            return []
        pairs = zip(evidence.positions, evidence.texts, strict=True)
        return [loss_by_size(positions, text) for positions, text in pairs]
