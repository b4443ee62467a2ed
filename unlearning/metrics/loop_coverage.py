"""Share of a text that is one loop."""

from __future__ import annotations

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._stretches import longest_loop
from unlearning.metrics.base import Continuation, Evidence, Metric, Score


class LoopCoverage(Metric):
    """How much of an answer is one and the same phrase over and over.

    max over periods p of (tokens of the longest stretch with t_i = t_i-p) / N, p at most 16. The
    stretch must go at least twice round, and its first round counts, so an answer that is nothing
    but a loop scores 1; then the mean over continuations. Empty continuations are left out.

    Source: this project's definition. More than half is a sign of collapse.
    """

    title = "Loop coverage"
    family = "fluency"
    direction = {
        "forget": "lower",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "0 to 1"
    cost = "generation"
    plain = "text health: stuck in a loop"

    longest_period: int = hyperparameter(16, 1, 128)
    """Tokens of the longest phrase that counts as a loop."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where all are empty."""
        samples = [self._covered(one) for one in evidence.continuations]
        return mean_score(samples, f"periods up to {self.longest_period}")

    def _covered(self, one: Continuation) -> float | None:
        return longest_loop(one.ids, self.longest_period) / len(one.ids) if one.ids else None
