"""What a claim is, and what the claims share: the ground they are tested on, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unlearning.config import RunConfig
from unlearning.runs.store import RunStore
from unlearning.runs.view import View
from unlearning.sweeps.base import Chain
from unlearning.sweeps.figures import Row

Verdict = Literal["reproduced", "mixed", "not reproduced"]

EXTRACTED = 0.1
"""Share of the original's extraction likelihood at which a text counts as forgotten."""
DEARER = 1.05
"""General perplexity that forgetting may cost, times the original's."""
KEPT = 0.9
"""Memorization accuracy on the text to keep that must remain."""
USELESS = 2.0
"""General perplexity, times the original's, from which a model counts as destroyed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a claim."""

    verdict: Verdict
    numbers: tuple[str, ...]
    """Sentences with the figures that decided."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The finished runs of a sweep."""

    store: RunStore
    rows: Mapping[str, Row]
    """By name of the cell."""

    def views(self, cell: str) -> list[View]:
        """One fold for each seed."""
        return [self.store.view(run_id) for run_id in self.rows[cell].runs]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of a paper. `judge` was written before the runs were made."""

    key: str
    statement: str
    paper: str
    rule: str
    """When it counts as reproduced, in one sentence."""
    chains: Callable[[RunConfig, Path], tuple[Chain, ...]]
    """The runs, from the ground they are made on and a folder for parts of the text."""
    judge: Callable[[Evidence], Found]


def usable(row: Row, place: int) -> bool:
    """Whether the run of that seed still has its language and what was to be kept."""
    dearer, kept = row.values["perplexity"][place], row.values["kept"][place]
    return dearer is not None and dearer <= DEARER and kept is not None and kept >= KEPT


def forgot(row: Row, view: View, place: int) -> bool:
    """Whether the run of that seed extracts at most a tenth of what the original gave away."""
    before = view.scores["original"]["extraction_likelihood"]["forget"].value
    after = row.values["extraction"][place]
    return after is not None and after <= EXTRACTED * before


@dataclass(frozen=True, slots=True)
class Reach:
    """A point on the way of a run."""

    step: int
    dearer: float
    """General perplexity, times that of step 0."""
    kept: float


def at_reach(view: View, recited: float) -> Reach | None:
    """The first look at which memorization accuracy on the forget text is at most `recited`."""
    forget = view.curve("score/memorization_accuracy/forget")
    step = next((s for s, v in zip(forget.steps, forget.values, strict=True) if v <= recited), None)
    if step is None:
        return None
    general = _by_step(view, "score/perplexity/generic")
    kept = _by_step(view, "score/memorization_accuracy/retain")
    return Reach(step, general[step] / general[0], kept[step])


def verdict(held: list[bool]) -> Verdict:
    """Of all seeds or parts: all, some, none."""
    if all(held):
        return "reproduced"
    return "mixed" if any(held) else "not reproduced"


def _by_step(view: View, name: str) -> dict[int, float]:
    curve = view.curve(name)
    return dict(zip(curve.steps, curve.values, strict=True))
