"""What a lesson is: predict, run, explain. The explanation reads the run that was really made."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dashboard.language import N_, _
from unlearning.runs.view import View

RECITED = "score/memorization_accuracy/forget"
KEPT = "score/memorization_accuracy/retain"
GENERAL = "score/perplexity/generic"
PREFIX = "Lesson: "
MOVED = 0.1
"""Change of the recited share below which nothing counts as forgotten."""


@dataclass(frozen=True)
class Found:
    """What there is to explain."""

    view: View
    beside: View | None = None
    """The latest own run of the lesson that this one builds on."""
    attacks: tuple[Mapping[str, Any], ...] = ()
    """Reports of attacks on the run, newest first."""


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    choice: int | None
    """Index of the answer that came true; None where this run does not decide."""
    told: tuple[str, ...]
    """Plain sentences with the run's own figures."""


UNMEASURED = Outcome(
    None, (N_("Nothing was measured in this run, so there is nothing to explain."),)
)


@dataclass(frozen=True)
class Lesson:
    """One lesson; every file of this folder defines one."""

    key: str
    title: str
    idea: tuple[str, ...]
    """Paragraphs before the prediction."""
    formula: str
    """LaTeX."""
    formula_told: str
    """The formula in words."""
    question: str
    choices: tuple[str, ...]
    watch: str
    """What to look at while it runs."""
    explain: Callable[[Found], Outcome]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the run, as in a RunConfig; 'run:KEY' as model is that lesson's latest run."""
    text: str = ""
    """Text to forget where it is the lesson's own."""
    act: Literal["run", "attack"] = "run"
    beside: str = ""
    """Key of the lesson that this one builds on."""

    @property
    def label(self) -> str:
        """Under which its runs stand in the list."""
        return PREFIX + self.title


def points(view: View, name: str) -> list[tuple[int, float]]:
    """The finite points of a curve."""
    series = view.curve(name)
    pairs = zip(series.steps, series.values, strict=True)
    return [(step, value) for step, value in pairs if math.isfinite(value)]


def ends(view: View, name: str) -> tuple[float, float] | None:
    """First and last finite value of a curve."""
    found = points(view, name)
    return (found[0][1], found[-1][1]) if found else None


def level(view: View) -> float | None:
    """Share of the words that a model knows which never saw the text."""
    value = view.levels.scores.get("memorization_accuracy") if view.levels else None
    return value if value is not None and math.isfinite(value) else None


def reached(view: View, name: str, most: float) -> int | None:
    """First step at which a curve is at most `most`."""
    return next((step for step, value in points(view, name) if value <= most), None)


def at(view: View, name: str, step: int) -> float | None:
    """The value of a curve at the last look up to a step."""
    return next((v for s, v in reversed(points(view, name)) if s <= step), None)


def forgetting(view: View) -> str:
    """The recited share in a sentence."""
    found, never = ends(view, RECITED), level(view)
    if found is None:
        return ""
    beside = (
        _("; a model that never saw the text knows {never:.0%}").format(never=never)
        if never is not None
        else ""
    )
    knew = _("{found_before:.0%} at first and {found_after:.0%} at the last look").format(
        found_before=found[0], found_after=found[1]
    )
    return _("Of the words to forget it knew {knew}{beside}.").format(knew=knew, beside=beside)


def keeping(view: View) -> str:
    """What must stay, and general text, in a sentence."""
    kept, general = ends(view, KEPT), ends(view, GENERAL)
    parts = []
    if kept:
        parts.append(
            _(
                "of the words to keep it knew {kept_before:.0%} at first and {kept_after:.0%} then"
            ).format(kept_before=kept[0], kept_after=kept[1])
        )
    if general:
        parts.append(
            _(
                "the perplexity of general text went from {general_before:.3g} to "
                "{general_after:.3g}"
            ).format(general_before=general[0], general_after=general[1])
        )
    told = "; ".join(parts)
    return f"{told[:1].upper()}{told[1:]}." if told else ""


def said(*sentences: str) -> tuple[str, ...]:
    """The sentences that say something."""
    return tuple(sentence for sentence in sentences if sentence)
