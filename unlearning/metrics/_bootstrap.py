"""A mean, or a ratio of sums, with its 95 % bootstrap percentile interval.

What is resampled is the text (1000 times, fixed seed), never the token: tokens of one text
depend on each other. Same samples, same interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unlearning.metrics.base import Score

RESAMPLES = 1000
SEED = 0
PERCENTILES = (2.5, 97.5)


def mean_score(samples: Sequence[float | None], variant: str = "") -> Score | None:
    """Mean over the samples that apply; None where there is none, or where one is NaN."""
    kept = np.array([sample for sample in samples if sample is not None], dtype=np.float64)
    if not len(kept) or np.isnan(kept).any():
        return None
    value = float(kept.mean())
    low, high = interval_of_ratio(kept, np.ones_like(kept), value)
    return Score(value, low, high, len(kept), tuple(samples), variant)


def interval_of_ratio(
    numerators_N: np.ndarray, denominators_N: np.ndarray, value: float
) -> tuple[float | None, float | None]:
    """Interval of sum(numerators) / sum(denominators) over N texts; (None, None) below two.

    Denominators are positive. `value` is the ratio itself, which the interval always holds.
    """
    count = len(numerators_N)
    if count < 2:
        return None, None
    weights_RN = resampled_weights(count)
    ratios_R = (weights_RN @ numerators_N) / (weights_RN @ denominators_N)
    return interval(ratios_R, value)


def interval(values_R: np.ndarray, value: float) -> tuple[float, float]:
    """Percentile interval of resampled values, which always holds the value itself."""
    low, high = np.percentile(values_R, PERCENTILES)
    # Rounding alone can push equal samples past their own mean.
    return min(float(low), value), max(float(high), value)


def resampled_weights(count: int, seed: int = SEED) -> np.ndarray:
    """How often each of `count` texts is drawn in each resample: float64 [RESAMPLES, count].

    Sets that are drawn independently of each other need different seeds.
    """
    generator = np.random.default_rng(seed)
    even = np.full(count, 1 / count)
    return generator.multinomial(count, even, size=RESAMPLES).astype(np.float64)
