"""Distinct n-grams over all texts."""

from __future__ import annotations

from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._ngrams import ngrams
from unlearning.metrics.base import Evidence, Metric, Score


class DistinctN(Metric):
    """How varied the model's wording is over all its answers together.

    distinct-n = |distinct n-grams over all continuations| / |all n-grams|: it falls when a text
    repeats itself and when all texts become the same. It also falls with length, so compare only
    texts of equal length. Each sample is the value of one continuation alone.

    The corpus value has no interval: a bootstrap draws texts twice, and a text drawn twice brings
    no new n-gram, so all resamples lie below the value.

    Source: Li et al. 2016 ("distinct-1", "distinct-2").
    """

    title = "Distinct n-grams"
    paper = "https://arxiv.org/abs/1510.03055"
    family = "fluency"
    direction = {
        "forget": "higher",
        "retain": "higher",
        "generic": "higher",
    }
    unit = "0 to 1"
    cost = "generation"
    plain = "text health: varied wording"
    exact = "Texts drawn twice would count as repetition."

    n: int = hyperparameter(2, 1, 16)
    """Length of the token sequences that are compared."""
    variant: Literal["corpus", "text"] = hyperparameter("corpus")
    """corpus: all continuations together (the paper's); text: the mean of each alone."""

    def score(self, evidence: Evidence) -> Score | None:
        """Over all continuations; None where none has n tokens."""
        texts = [ngrams(one.ids, self.n) for one in evidence.continuations]
        samples = [len(set(grams)) / len(grams) if grams else None for grams in texts]
        name = f"distinct-{self.n}, {self.variant}"
        if self.variant == "text":
            return mean_score(samples, name)
        grams = [gram for text in texts for gram in text]
        if not grams:
            return None
        counted = sum(sample is not None for sample in samples)
        return Score(len(set(grams)) / len(grams), None, None, counted, tuple(samples), name)
