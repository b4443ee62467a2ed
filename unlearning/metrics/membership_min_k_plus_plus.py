"""Membership inference from tokens that are unlikely for their place (Min-K%++)."""

from __future__ import annotations

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._membership import MembershipAttack, lowest_mean, text_tokens
from unlearning.metrics.base import Evidence, Positions

LEAST_VARIANCE = 1e-6
"""Where the model is sure of one token, the variance is next to nothing."""


def standardised(positions: Positions) -> np.ndarray:
    """z_t = (log p(x_t) - mu_t) / sigma_t [n], mu and sigma over the vocabulary under p."""
    variance = np.maximum(positions.variance_logp, LEAST_VARIANCE)
    return (positions.logp - positions.mean_logp) / np.sqrt(variance)


class MembershipMinKPlusPlus(MembershipAttack):
    """Whether the forget text's words stand at a peak of what the model expects at their place.

    s(x) = - mean of the lowest floor(k n) of the n values z_t, at least one of them, where z_t is
    the token's log-probability minus the expected one, over its standard deviation (variance at
    least 1e-6); low = seen. The end-of-text token that was appended does not count.

    Source: Zhang et al. 2024, equation 3; the bound and k = 0.4 as in OpenUnlearning, code
    `evals/metrics/mia/min_k_plus_plus.py`.
    """

    title = "Membership, Min-K%++"
    paper = "https://arxiv.org/abs/2404.02936"
    plain = "seen before? by words out of place"

    k: float = hyperparameter(0.4, 0.01, 1.0)
    """Share of the tokens, those with the lowest z, that the mean is over."""

    def suspicion(self, evidence: Evidence) -> list[float | None]:
        """Standard deviations."""
        means = [
            lowest_mean(standardised(one)[text_tokens(one)], self.k) for one in evidence.positions
        ]
        return [None if mean is None else -mean for mean in means]

    def label(self) -> str:
        """The share."""
        return f"k = {self.k:g}"
