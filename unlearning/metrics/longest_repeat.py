"""Longest run of one token."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._stretches import longest_run
from unlearning.metrics.base import Evidence, Metric, Score


class LongestRepeat(Metric):
    """How many times in a row the model writes the same token.

    Length of the longest run of one identical token in a continuation (1 = never twice in a
    row), then the mean over continuations. Empty continuations are left out. A run of ten is a
    sign of collapse.

    Source: this project's definition (the run of period 1 in `loop_coverage`).
    """

    title = "Longest repeat"
    family = "fluency"
    direction = {
        "forget": "lower",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "tokens"
    cost = "generation"
    plain = "text health: same word in a row"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where all are empty."""
        runs = [longest_run(one.ids) or None for one in evidence.continuations]
        return mean_score(runs, "one token, mean over texts")
