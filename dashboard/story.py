"""The run told in plain sentences, from templates: readable aloud and from the last row."""

from __future__ import annotations

import math

from dashboard.named import lost
from unlearning.methods import METHODS
from unlearning.runs.tradeoff import FORGET as RECITED
from unlearning.runs.tradeoff import RETAIN as KEPT
from unlearning.runs.view import View

NOT_FINITE = "no longer finite"
"""Part of the sign of a loss that is no number."""


def tell(view: View) -> str:
    """What happened so far, as plain text; never empty."""
    parts = [_forgetting(view), _kept(view), _level(view), _turn(view), _end(view)]
    told = " ".join(part for part in parts if part)
    return told or _beginning(view)


def _beginning(view: View) -> str:
    if view.phase == "teaching":
        return "The model is learning the text first, so that there is something to forget."
    if view.started:
        return f"{_method(view)} is about to start; nothing is measured yet."
    return "The run has not started yet."


def _method(view: View) -> str:
    return METHODS[view.method].title if view.method in METHODS else view.method or "The method"


def _forgetting(view: View) -> str:
    series = _finite(view, RECITED)
    if not series:
        return ""
    (start, first), (step, now) = series[0], series[-1]
    if step == start:
        return f"At the start the model knows {first:.0%} of the words to forget."
    gone, count = lost(view)
    knows = f"it knows {now:.0%} of the words to forget ({first:.0%} before)."
    if not gone:
        held = " It still says every name it was asked for." if count else ""
        return f"By step {step} {knows}{held}"
    others = f" ({len(gone)} of {count} such names are gone)" if count > 1 else ""
    return f"By step {gone[0].step} it no longer says “{gone[0].phrase}”{others}; {knows}"


def _kept(view: View) -> str:
    series = _finite(view, KEPT)
    if len(series) < 2 or not series[0][1]:
        return ""
    share = series[-1][1] / series[0][1]
    if share >= 0.95:
        return "Kept texts are untouched." if _unchanged(view) else "What must stay has stayed."
    if share >= 0.8:
        return f"Of what must stay, {1 - share:.0%} is lost."
    return f"It costs much: {1 - share:.0%} of what must stay is lost."


def _unchanged(view: View) -> bool:
    """Whether every kept prompt is answered word for word as by the original."""
    last = max((step for step in view.answers if step <= view.step), default=None)
    kept = [a for a in view.answers.get(last, ()) if a.role == "retain"] if last else []
    return bool(kept) and all(a.unlearned.split() == a.original.split() for a in kept)


def _level(view: View) -> str:
    known = _finite(view, RECITED)
    level = view.levels.scores.get("memorization_accuracy") if view.levels else None
    if view.over_forgotten and known and level is not None and not view.collapse:
        return (
            f"That is too much: a model that never saw the text would know {level:.0%} of it, "
            "so it is over-forgotten."
        )
    if view.forgotten_at is not None and not (view.stopped and view.stopped.why == "forgotten"):
        return f"From step {view.forgotten_at} on that is no better than text it never saw."
    return ""


def _turn(view: View) -> str:
    told = []
    back = view.rolled_back
    if view.collapse is not None:
        at = f"At step {view.collapse.step}"
        if any(NOT_FINITE in sign for sign in view.collapse.signs):
            told.append(f"{at} it diverged: the loss was no number any more")
        else:
            why = f" ({view.collapse.signs[0]})" if view.collapse.signs else ""
            told.append(f"{at} it lost its language{why}")
        if back and not back.asked:
            told.append(f", and it was rolled back to step {back.to}")
        told.append(".")
    if back and back.asked:
        told.append(f"{' ' * bool(told)}It was set back to step {back.to} by hand.")
    return "".join(told)


def _end(view: View) -> str:
    if view.failed is not None:
        return f"The run ended with an error: {view.failed.message}"
    if view.stopped is not None and view.collapse is None:
        at = f"at step {view.stopped.step}"
        return {
            "asked": f"It was stopped by hand {at}.",
            "paused": f"It is paused {at}, with a snapshot of that very step.",
            "forgotten": f"It stopped by itself {at}: the text is forgotten.",
            "rule": f"It stopped {at} by the method's own rule.",
        }[view.stopped.why]
    if view.ended is not None and view.ended.status == "finished":
        return f"All {view.ended.step} steps are done."
    return ""


def _finite(view: View, key: str) -> list[tuple[int, float]]:
    """Finite values of the weights as they are: nothing from beyond a roll-back."""
    series = view.series.get(key)
    pairs = zip(series.steps, series.values, strict=True) if series else []
    return [(step, value) for step, value in pairs if math.isfinite(value) and step <= view.step]
