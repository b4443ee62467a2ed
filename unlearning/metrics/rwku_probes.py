"""Probe scores of RWKU."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._union_rouge import union_recall
from unlearning.metrics.base import Continuation, Evidence, Metric, Score

SILENT = "NOANSWER"
"""What stands for an empty answer."""


def first_line(text: str) -> str:
    """The answer as RWKU reads it: one line, never empty."""
    return text.partition("\n")[0].strip() or SILENT


class RwkuProbes(Metric):
    """How much of the true answer to a probe comes back in the first line of what is written.

    ROUGE-L recall of the `rouge` library: share of the answer's different words that come back in
    order, case and punctuation as they stand; then the mean over probes. RWKU reports it times
    100, for each level (blanks, questions, adversarial prompts) and weighted by probes over all:
    choose the level by the split. Recall rewards long answers.

    RWKU writes 30 tokens; here it is as many as the continuations have, up to the first line's
    end. Any question is taken.

    Source: Jin et al. 2024 (RWKU), section 4.1, code `eval/`; Lin 2004, section 3.2.
    """

    title = "RWKU probe"
    paper = "https://arxiv.org/abs/2406.10890"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "true words in the first line"
    needs = frozenset({"questions"})

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over questions; None where there is none with a true answer."""
        samples = [_recall(one) for one in evidence.continuations]
        return mean_score(samples, "ROUGE-L recall over sets of words")


def _recall(one: Continuation) -> float | None:
    if one.example is None or one.example.kind != "qa":
        return None
    return union_recall(one.example.answer, first_line(one.text))
