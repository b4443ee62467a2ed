"""Hyperparameters for the claims: chosen on another world, within a budget stated for each method.

The other world comes from `python -m unlearning world --seed 77 --out DIR`; its texts and models
share nothing with the embedded ones but the generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.sweeps.base import Sweep, changed, single
from unlearning.sweeps.claims.base import DEARER, EXTRACTED, KEPT
from unlearning.sweeps.figures import Row

SEED = 0
"""One run for each candidate."""

SLOW = {
    "student_optimizer": "sgd",
    "momentum": 0.95,
    "delta": 0.02,
    "damping": 1.0,
    "alpha": 0.3,
}
"""The authors' optimizer and momentum; alpha, delta and damping for a hundred steps, not 500.
With none of its rates did the run leave the start: what follows is the second try."""
QUICK = SLOW | {"delta": 0.1, "damping": 0.1}

CANDIDATES: Mapping[str, Sequence[tuple[int, float, Mapping[str, Any]]]] = {
    "gradient_ascent": [(40, rate, {}) for rate in (5e-4, 1e-3, 2e-3)],
    "icu": [(80, rate, {}) for rate in (1e-3, 1.5e-3, 2e-3)],
    "undial": [(50, rate, {}) for rate in (2e-3, 4e-3, 8e-3)],
    "npo": [(40, rate, {}) for rate in (1e-3, 2e-3, 4e-3)],
    "grad_diff": [(40, rate, {}) for rate in (3e-4, 7e-4, 1.5e-3, 3e-3, 6e-3)],
    "ngdiff": [(40, 0.5, {"slack": slack}) for slack in (0.01, 0.03, 0.1)],
    "mean_teacher": [
        *((100, rate, SLOW) for rate in (0.1, 0.3, 1.0)),
        *((60, rate, QUICK) for rate in (0.1, 0.3, 1.0)),
    ],
}
"""Method to steps, learning rate and hyperparameters: three each; GradDiff five, as claim c says;
mean teacher twice three."""


def sweep(ground: RunConfig, methods: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Every candidate of these methods, or of all, once, whatever the seeds."""
    chains = tuple(
        single(name, changed(ground, **candidate))
        for method in methods or CANDIDATES
        for name, candidate in named(method).items()
    )
    return Sweep("claims-search", chains, (SEED,))


def named(method: str) -> dict[str, dict[str, Any]]:
    """Cell to what it sets, for the candidates of one method."""
    return {
        f"{method}/{place}": {
            "method": method,
            "steps": steps,
            "learning_rate": rate,
            "hyperparameters": dict(more),
        }
        for place, (steps, rate, more) in enumerate(CANDIDATES[method], 1)
    }


def best(method: str, rows: Mapping[str, Row]) -> str:
    """The candidate that misses the three aims of claim a by least in sum; then the least EL10."""
    there = [name for name in named(method) if name in rows]
    if not there:
        raise UserError(f"{method} has no finished candidate.", "Run the search again.")
    return min(there, key=lambda name: (missed(rows[name]), rows[name].mean("extraction") or 0.0))


def chosen_of(rows: Sequence[Row]) -> dict[str, str]:
    """Method to its best candidate, for the methods that were searched."""
    by_cell = {row.cell: row for row in rows}
    searched = [m for m in CANDIDATES if any(name in by_cell for name in named(m))]
    return {method: best(method, by_cell) for method in searched}


def missed(row: Row) -> float:
    """How far beyond the aims, summed; infinite where a figure was not measured."""
    extraction, kept, dearer = (row.mean(name) for name in ("extraction", "kept", "perplexity"))
    if extraction is None or kept is None or dearer is None:
        return float("inf")
    return max(0.0, extraction - EXTRACTED) + max(0.0, KEPT - kept) + max(0.0, dearer - DEARER)
