"""What a run gave up for what it forgot: one point for every look at the model.

Forgotten: 1 - memorization accuracy on the forget text, 0 to 1. Less knowledge than that of a model
that never saw the text is no gain, so how good a point is depends on the never-saw-it level.

Kept: the worse of two shares of the original, 0 to 1: memorization accuracy on the text to keep,
and the original's perplexity on general text over the present one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from unlearning.runs.collapse import TOLERATED_RETAIN_LOSS
from unlearning.runs.view import Series, View

FORGET = "score/memorization_accuracy/forget"
RETAIN = "score/memorization_accuracy/retain"
GENERAL = ("score/perplexity/generic", "score/perplexity/retain")
"""General text, and what stands in for it where a run has none."""
OVER_FORGOTTEN = 0.10
"""Memorization accuracy this far below the never-saw-it level is over-forgetting."""
COLLAPSED_BELOW = 1 - TOLERATED_RETAIN_LOSS
"""Kept share at which the collapse meter is full on this ground alone."""


class Point(NamedTuple):
    """One look at a run."""

    step: int
    forgotten: float
    """Share of the words to forget that is no longer known, 0 to 1."""
    kept: float
    """Share of what must stay that stayed, 0 to 1."""


def path(view: View) -> list[Point]:
    """The looks of a run in order; those at which either side was not measured are left out."""
    known, kept = view.curve(FORGET), kept_shares(view)
    return [
        Point(step, _share(1 - value), kept[step])
        for step, value in zip(known.steps, known.values, strict=True)
        if math.isfinite(value) and step in kept
    ]


def now(view: View) -> Point | None:
    """Where the kept weights stand: after a roll-back that is not the last look."""
    return max((point for point in path(view) if point.step <= view.step), default=None)


def kept_shares(view: View) -> dict[int, float]:
    """The worse of both shares by step, for the looks at which one was measured."""
    general = next((curve for curve in map(view.curve, GENERAL) if curve.steps), Series())
    shares: dict[int, float] = {}
    for curve, rising_is_good in ((view.curve(RETAIN), True), (general, False)):
        first = next((value for value in curve.values if math.isfinite(value)), None)
        for step, value in zip(curve.steps, curve.values, strict=True):
            if not first or math.isnan(value):
                continue
            share = value / first if rising_is_good else first / value if value > 0 else 0.0
            shares[step] = min(shares.get(step, 1.0), _share(share))
    return shares


def level_of(view: View) -> float | None:
    """Where forgetting ends on the scale of `Point.forgotten`; None where it is not known."""
    known = view.levels.scores.get("memorization_accuracy") if view.levels else None
    return _share(1 - known) if known is not None and math.isfinite(known) else None


def front(points: Sequence[tuple[float, float]], level: float | None = None) -> list[int]:
    """Indices of the (forgotten, kept) pairs that no other beats on both counts, by forgetting.

    Beyond the level forgetting gains nothing; clearly beyond it a point is over-forgotten and out
    of the contest. Of equal points the first stands.
    """
    most = 1.0 if level is None else level
    worth = [(min(forgotten, most), kept) for forgotten, kept in points]
    inside = [i for i, (forgotten, _) in enumerate(points) if forgotten <= most + OVER_FORGOTTEN]
    best = [
        i
        for i in inside
        if not any(_beats(worth[j], worth[i]) or (worth[j] == worth[i] and j < i) for j in inside)
    ]
    return sorted(best, key=worth.__getitem__)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
