"""Verbatim memorization of MUSE (VerbMem)."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.rouge_l import rouge_l


class VerbatimMemorization(Metric):
    """How close to the true text the model stays when it is given the beginning.

    ROUGE-L F1 between the greedy continuation of a prefix and the true one, words as they are (no
    stemmer), then the mean over texts. MUSE reports it times 100 and writes 128 tokens; here it is
    as many as the continuations have.

    Source: Shi et al. 2024 (MUSE), "VerbMem", code `metrics/verbmem.py`.
    """

    title = "VerbMem"
    paper = "https://arxiv.org/abs/2407.06460"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "written on in the same words"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where there is none with a reference."""
        return mean_score(
            [
                rouge_l(one.reference, one.text, statistic="f1", stemmer=False)
                for one in evidence.continuations
            ],
            "ROUGE-L F1, no stemmer",
        )
