"""Model utility of TOFU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._answers import answer_losses
from unlearning.metrics._bootstrap import SEED, interval, resampled_weights
from unlearning.metrics._harmonic import harmonic_mean
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.probability import per_token_probability
from unlearning.metrics.probability_among_options import share_of_truth
from unlearning.metrics.rouge_l import rouge_l
from unlearning.metrics.truth_ratio import Average, ratios

OTHERS = ("real_authors", "world_facts")


class ModelUtility(Metric):
    """What the model still knows of everything that was not to be forgotten, in one number.

    Harmonic mean of nine: {retain, real authors, world facts} x {probability, ROUGE-L recall,
    truth ratio in utility form}; one that is 0 makes the whole 0. Probability is per token on the
    retain text, and among the wrong options on the two others.

    It needs all three text sets: with retain text alone it would be another number. The interval
    resamples examples within each set.

    Source: Maini et al. 2024 (TOFU), section 2.2.2, code `aggregate_eval_stat.py`.
    """

    title = "Model utility"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "utility"
    direction = {"retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "what it still knows"
    needs = frozenset({"rewritten", *OTHERS})

    average: Average = hyperparameter("geometric")
    """Mean over the wrong answers in the truth ratio: geometric as in the published code,
    arithmetic as in the paper."""

    def score(self, evidence: Evidence) -> Score | None:
        """From the retain set and the two others beside it; None where a part is missing."""
        if any(role not in evidence.beside for role in OTHERS):
            return None
        sets = [evidence, *(evidence.beside[role] for role in OTHERS)]
        parts = [_kept(samples) for one in sets for samples in self._parts(one)]
        if any(not len(part) or np.isnan(part).any() for part in parts):
            return None
        means = np.array([part.mean() for part in parts])
        value = float(harmonic_mean(means))
        low = high = None
        if min(map(len, parts)) > 1:
            low, high = interval(harmonic_mean(_resampled_means(parts)), value)
        counted = sum(len(one.positions) for one in sets)
        return Score(value, low, high, counted, tuple(means.tolist()), f"TOFU, {self.average}")

    def _parts(self, evidence: Evidence) -> list[Sequence[float | None]]:
        """Probability, ROUGE and truth ratio of one set."""
        if evidence.role in OTHERS:
            probability = [one and share_of_truth(one) for one in answer_losses(evidence)]
        else:
            probability = [per_token_probability(one) for one in evidence.positions]
        overlap = [rouge_l(one.reference, one.text) for one in evidence.continuations]
        return [probability, overlap, ratios(evidence, self.average, "utility")]


def _resampled_means(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Means of all parts under each resample [R, parts].

    Parts of one set that have as many samples are drawn together: they are of the same texts.
    """
    drawn = [
        resampled_weights(len(part), SEED + i // 3) @ part / len(part)
        for i, part in enumerate(parts)
    ]
    return np.stack(drawn, axis=-1)


def _kept(samples: Sequence[float | None]) -> np.ndarray:
    return np.array([sample for sample in samples if sample is not None], dtype=np.float64)
