"""The two-sample Kolmogorov-Smirnov test, two-sided, with its exact p-value.

Under the null hypothesis every order of the pooled samples is equally likely. An order is a path
on a grid, one step right for a sample of the first set and one up for the second; its distance is
the largest gap between the shares done. Counting the paths that stay below the observed distance
in whole numbers keeps p-values of 1e-200 exact.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np


def distance(first: np.ndarray, second: np.ndarray) -> int:
    """Largest gap of the two empirical distribution functions, times len(first) * len(second)."""
    places = np.concatenate([first, second])
    below_first = np.searchsorted(np.sort(first), places, side="right")
    below_second = np.searchsorted(np.sort(second), places, side="right")
    return int(np.abs(below_first * len(second) - below_second * len(first)).max())


def p_value(first: np.ndarray, second: np.ndarray) -> float:
    """P(distance at least as large | same distribution), 0 to 1; O(n * m) whole-number sums."""
    n, m, observed = len(first), len(second), distance(first, second)
    total = comb(n + m, n)
    return float(Fraction(total - _paths_below(n, m, observed), total))


def _paths_below(n: int, m: int, limit: int) -> int:
    """Paths from (0, 0) to (n, m) on which |i m - j n| < limit at every point."""
    if limit <= 0:
        return 0
    counts = [int(j * n < limit) for j in range(m + 1)]
    for i in range(1, n + 1):
        left = 0
        for j in range(m + 1):
            left = left + counts[j] if abs(i * m - j * n) < limit else 0
            counts[j] = left
    return counts[m]
