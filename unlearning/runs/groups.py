"""Several runs beside each other: which are equal but for the seed, their mean, who is best."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from unlearning.runs.store import RunStore
from unlearning.runs.view import Series, View

INCIDENTAL = frozenset({"seed", "label", "device"})
"""Settings in which runs of one group may differ."""


@dataclass(frozen=True)
class Member:
    """A run that is compared with others."""

    run_id: str
    config: Mapping[str, Any]
    """What was chosen, as `config.json` has it."""
    texts: Mapping[str, str]
    """SHA-256 of the texts by role."""
    view: View

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.config.get("seed") or 0)

    def used(self) -> dict[str, Any]:
        """Settings as used: those that were left open are filled in once the run has begun."""
        used = {**self.config, **(self.view.started.settings if self.view.started else {})}
        own = used.pop("hyperparameters", None) or {}
        return {**used, **{f"hyperparameters.{name}": value for name, value in own.items()}}


def member(store: RunStore, run_id: str) -> Member:
    """Read a run.

    Raises:
        UserError: no such run, or it cannot be read.
    """
    head = store.head(run_id)
    texts = {role: str(found.get("sha256")) for role, found in head.get("texts", {}).items()}
    return Member(run_id, head["config"], texts, store.view(run_id))


def groups(members: Sequence[Member]) -> list[list[Member]]:
    """Runs with equal settings and texts, seed apart, in the order of their first."""
    found: dict[str, list[Member]] = {}
    for one in members:
        chosen = {key: value for key, value in one.config.items() if key not in INCIDENTAL}
        key = json.dumps([chosen, one.texts], sort_keys=True, default=str)
        found.setdefault(key, []).append(one)
    return list(found.values())


@dataclass(frozen=True)
class Mean:
    """Mean curve of a group, at the steps that all of its runs have."""

    steps: list[int]
    means: list[float]
    deviations: list[float | None]
    """Sample standard deviation; None with fewer than two runs."""


def mean_curve(curves: Sequence[Series]) -> Mean:
    """Average equal steps. Where a run has ended the mean ends: over the rest it would jump."""
    by_step = [dict(zip(curve.steps, curve.values, strict=True)) for curve in curves]
    shared = sorted(set.intersection(*map(set, by_step))) if by_step else []
    values = [[points[step] for points in by_step] for step in shared]
    return Mean(
        shared,
        [mean(one) if all(map(math.isfinite, one)) else math.nan for one in values],
        [stdev(one) if len(one) > 1 and all(map(math.isfinite, one)) else None for one in values],
    )


def differences(members: Sequence[Member]) -> list[tuple[str, list[Any]]]:
    """Settings that are not the same in all runs: name, and the value of each run.

    Texts count as settings under 'text.ROLE'; None stands for what a run does not have.
    """
    used = [
        one.used() | {f"text.{role}": digest[:12] for role, digest in one.texts.items()}
        for one in members
    ]
    names = dict.fromkeys(name for settings in used for name in settings)
    found = [(name, [settings.get(name) for settings in used]) for name in names]
    return [
        (name, values)
        for name, values in found
        if any(value != values[0] for value in values) and name != "label"
    ]


def dominated(points: Sequence[tuple[float, float]]) -> list[int | None]:
    """For each point the index of one that is better, or None on the front.

    Points are costs (less is better): better is nowhere more and somewhere less. NaN is worst.
    """
    costs = [tuple(math.inf if math.isnan(c) else c for c in point) for point in points]

    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return one != other and all(a <= b for a, b in zip(one, other, strict=True))

    return [next((i for i, other in enumerate(costs) if beats(other, own)), None) for own in costs]
