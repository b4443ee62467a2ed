"""Repeated n-grams within a text (seq-rep-n)."""

from __future__ import annotations

from collections.abc import Sequence

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._ngrams import ngrams
from unlearning.metrics.base import Evidence, Metric, Score


def repetition(ids: Sequence[int], n: int) -> float | None:
    """1 - distinct n-grams / all n-grams of one text, 0 to 1; None for fewer than n tokens."""
    grams = ngrams(ids, n)
    return 1 - len(set(grams)) / len(grams) if grams else None


class SequenceRepetition(Metric):
    """How much of what the model writes it has already written in the same text.

    seq-rep-n = 1 - |distinct n-grams| / |n-grams| over the tokens of one continuation, then the
    mean over continuations: 0 is healthy, near 1 the text loops. Continuations of fewer than n
    tokens are left out.

    Source: Welleck et al. 2020 ("seq-rep-n", quoted for n = 4), code
    `custom/metrics.py::ngram_metrics`.
    """

    title = "Sequence repetition"
    paper = "https://arxiv.org/abs/1908.04319"
    family = "fluency"
    direction = {
        "forget": "lower",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "0 to 1"
    cost = "generation"
    plain = "text health: repeats itself"

    n: int = hyperparameter(4, 1, 16)
    """Length of the token sequences that are compared."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where none has n tokens."""
        samples = [repetition(one.ids, self.n) for one in evidence.continuations]
        return mean_score(samples, f"seq-rep-{self.n}")
