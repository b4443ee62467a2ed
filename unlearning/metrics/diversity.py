"""Diversity of a text, from its repeated n-grams (rep-n)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.sequence_repetition import repetition

LENGTHS = (2, 3, 4)


def diversity(ids: Sequence[int]) -> float | None:
    """Product over n of 1 - rep-n, 0 to 1; None for fewer than four tokens."""
    repeated = [repetition(ids, n) for n in LENGTHS]
    return None if None in repeated else math.prod(1 - one for one in repeated)


class Diversity(Metric):
    """How free of repeated phrases of two, three and four tokens what the model writes is.

    Product over n = 2, 3, 4 of (1 - rep-n), where rep-n = 1 - |distinct n-grams| / |n-grams| over
    the tokens of one continuation (papers quote it times 100); then the mean over continuations.
    1 is no repetition. Continuations of fewer than four tokens are left out.

    Source: Su et al. 2022 (contrastive search), section 5.1.
    """

    title = "Diversity"
    paper = "https://arxiv.org/abs/2202.06417"
    family = "fluency"
    direction = {
        "forget": "higher",
        "retain": "higher",
        "generic": "higher",
    }
    unit = "0 to 1"
    cost = "generation"
    plain = "text health: no phrase twice"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where all are too short."""
        samples = [diversity(one.ids) for one in evidence.continuations]
        return mean_score(samples, "rep-2, rep-3, rep-4")
