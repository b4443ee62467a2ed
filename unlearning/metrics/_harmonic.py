"""Harmonic means."""

from __future__ import annotations

import numpy as np


def harmonic_mean(values: np.ndarray) -> np.ndarray:
    """Over the last axis, for values of at least 0; 0 where one of them is 0."""
    with np.errstate(divide="ignore"):
        return values.shape[-1] / (1 / np.asarray(values, dtype=np.float64)).sum(axis=-1)
