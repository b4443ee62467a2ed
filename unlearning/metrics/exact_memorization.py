"""Exact memorization (EM)."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._recited import recited_shares
from unlearning.metrics.base import Evidence, Metric, Score


class ExactMemorization(Metric):
    """How many tokens of the answer stand where the model itself would have put them.

    EM = 1/|y| sum_k 1[argmax p(. | x, y_<k) = y_k] over the answer y, its end-of-text left out,
    then the mean over examples; an empty answer is left out.

    Where the scored region is the same, this is memorization accuracy under the name that the
    unlearning benchmarks use. A model that never saw the answers reaches 0.59 on TOFU, so the
    aim is the level of unseen text.

    Source: Tirumala et al. 2022; Dorna et al. 2025 (OpenUnlearning), code
    `evals/metrics/memorization.py::exact_memorization`.
    """

    title = "Exact memorization"
    paper = "https://arxiv.org/abs/2506.12618"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "recited"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where no token is scored."""
        return mean_score(recited_shares(evidence.positions), "mean over texts")
