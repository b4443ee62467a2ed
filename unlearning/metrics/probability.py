"""Probability of the answer."""

from __future__ import annotations

import numpy as np

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Positions, Score


def per_token_probability(positions: Positions) -> float | None:
    """exp of the mean log-probability of the scored tokens and the end; None for no tokens."""
    logp = positions.logp[positions.scored | positions.end]
    return float(np.exp(logp.mean())) if len(logp) else None


class Probability(Metric):
    """How likely the model still finds the text, as the typical probability of one token.

    P(y|x)^(1/|y|) = exp(mean log p(y_k | x, y_<k)), then the mean over examples. The end-of-text
    token counts as one of the tokens, as in TOFU's code.

    Source: Maini et al. 2024 (TOFU), metric "probability"; the same in OpenUnlearning.
    """

    title = "Probability"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "still likely"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where there is no token."""
        samples = [per_token_probability(one) for one in evidence.positions]
        return mean_score(samples, "per token, end of text included")
