"""Membership inference from the least likely tokens (Min-K%)."""

from __future__ import annotations

from unlearning.declare import hyperparameter
from unlearning.metrics._membership import MembershipAttack, lowest_mean, text_tokens
from unlearning.metrics.base import Evidence


class MembershipMinK(MembershipAttack):
    """Whether the forget text lacks the odd surprising word that unseen text always has.

    s(x) = - mean of the lowest floor(k n) of the n log-probabilities, at least one of them; low =
    seen. Every labelled token counts but the end-of-text token that was appended.

    Source: Shi et al. 2024 ("Min-K% Prob"); k = 0.4 as in MUSE's PrivLeak and OpenUnlearning,
    code `evals/metrics/mia/min_k.py`.
    """

    title = "Membership, Min-K%"
    paper = "https://arxiv.org/abs/2310.16789"
    plain = "seen before? by its hardest words"

    k: float = hyperparameter(0.4, 0.01, 1.0)
    """Share of the tokens, the least likely ones, that the mean is over."""

    def suspicion(self, evidence: Evidence) -> list[float | None]:
        """Nats per token."""
        means = [lowest_mean(one.logp[text_tokens(one)], self.k) for one in evidence.positions]
        return [None if mean is None else -mean for mean in means]

    def label(self) -> str:
        """The share."""
        return f"k = {self.k:g}"
