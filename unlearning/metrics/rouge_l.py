"""ROUGE-L of what the model writes."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Continuation, Evidence, Metric, Score

Statistic = Literal["recall", "f1"]


@cache
def _scorer(kind: str, stemmer: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 (slow; one metric needs it)

    return RougeScorer([kind], use_stemmer=stemmer)


def rouge_l(
    reference: str,
    generation: str,
    *,
    statistic: Statistic = "recall",
    stemmer: bool = True,
    in_order: bool = True,
) -> float | None:
    """ROUGE-L of a generation, or ROUGE-1 where order does not count; 0 to 1.

    None where the reference has no word.
    Words are runs of a-z and 0-9 after lower-casing: other scripts have no words here.
    """
    if not any(c.isascii() and c.isalnum() for c in reference.lower()):
        return None
    kind = "rougeL" if in_order else "rouge1"
    overlap = _scorer(kind, stemmer).score(target=reference, prediction=generation)[kind]
    return float(overlap.recall if statistic == "recall" else overlap.fmeasure)


class RougeL(Metric):
    """How much of the true text comes back, in order, in what the model writes by itself.

    Length of the longest common subsequence of words over the words of the reference (recall),
    for greedy continuations; then the mean over prompts. Words are lower-cased, cut at anything
    but a-z and 0-9, and Porter-stemmed when longer than three letters, as rouge_score 0.1.2 does.

    A reference that is longer than the model was allowed to write cannot reach 1.

    Source: Lin 2004; Maini et al. 2024 (TOFU), metric "ROUGE": recall with stemmer; Shi et al.
    2024 (MUSE), metric "VerbMem": F1 without stemmer.
    """

    title = "ROUGE-L"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "same words"

    statistic: Statistic = hyperparameter("recall")
    """recall: share of the true words that come back (TOFU); f1: extra words cost too (MUSE)."""
    stemmer: bool = hyperparameter(True, advanced=True)
    """Whether endings of words are cut before comparing, so that 'works' matches 'worked'."""
    in_order: bool = hyperparameter(True, advanced=True)
    """Whether words count only in the order of the true text (ROUGE-L), or anywhere (ROUGE-1)."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where there is none with a reference."""
        samples = [self._overlap(one) for one in evidence.continuations]
        variant = f"{self.statistic}, {'stemmer' if self.stemmer else 'no stemmer'}"
        if not self.in_order:
            variant = f"ROUGE-1, {variant}"
        return mean_score(samples, variant)

    def _overlap(self, one: Continuation) -> float | None:
        return rouge_l(
            one.reference,
            one.text,
            statistic=self.statistic,
            stemmer=self.stemmer,
            in_order=self.in_order,
        )
