"""Runs of n neighbouring tokens."""

from __future__ import annotations

from collections.abc import Sequence


def ngrams(ids: Sequence[int], n: int) -> list[tuple[int, ...]]:
    """All n-grams in order, repeats included; empty for fewer than n tokens."""
    return [tuple(ids[start : start + n]) for start in range(len(ids) - n + 1)]
