"""Stretches of text that repeat with a period."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def longest_run(ids: Sequence[int]) -> int:
    """Tokens of the longest run of one identical token; 0 for no tokens."""
    return _most_repeats(ids, 1) + 1 if len(ids) else 0


def longest_loop(ids: Sequence[int], longest_period: int) -> int:
    """Tokens of the longest stretch that repeats with a period of at most `longest_period`.

    A loop goes at least twice round, and its first round counts; 0 where there is none.
    """
    best = 0
    for period in range(1, min(longest_period, len(ids) // 2) + 1):
        repeats = _most_repeats(ids, period)
        if repeats >= period:
            best = max(best, repeats + period)
    return best


def _most_repeats(ids: Sequence[int], period: int) -> int:
    """Most neighbouring positions i with ids[i] == ids[i - period]."""
    tokens = np.asarray(ids)
    differ = np.flatnonzero(tokens[period:] != tokens[:-period])
    borders = np.concatenate([[-1], differ, [len(tokens) - period]])
    return int(np.diff(borders).max()) - 1
