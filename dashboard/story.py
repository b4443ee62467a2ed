"""The run told in plain sentences, from templates: readable aloud and from the last row."""

from __future__ import annotations

import math

from unlearning.methods import METHODS
from unlearning.runs.view import View

RECITED = "score/memorization_accuracy/forget"
KEPT = "score/memorization_accuracy/retain"


def tell(view: View) -> str:
    """What happened so far, as plain text; never empty."""
    parts = [_forgetting(view), _kept(view), _turn(view), _end(view)]
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
    (_, first), (step, now) = series[0], series[-1]
    if step == series[0][0]:
        return f"At the start the model knows {first:.0%} of the words to forget."
    told = f"By step {step} it knows {now:.0%} of the words to forget; it knew {first:.0%} before."
    if view.forgotten_at is None:
        return told
    return f"{told} From step {view.forgotten_at} on that is no better than text it never saw."


def _kept(view: View) -> str:
    series = _finite(view, KEPT)
    if len(series) < 2 or not series[0][1]:
        return ""
    share = series[-1][1] / series[0][1]
    if share >= 0.95:
        return "What must stay has stayed."
    if share >= 0.8:
        return f"Of what must stay, {1 - share:.0%} is lost."
    return f"It costs much: {1 - share:.0%} of what must stay is lost."


def _turn(view: View) -> str:
    if view.collapse is not None:
        back = view.rolled_back
        return f"At step {view.collapse.step} it lost its language" + (
            f" and was rolled back to step {back.to}." if back else "."
        )
    return "It has forgotten more than never having seen the text." if view.over_forgotten else ""


def _end(view: View) -> str:
    if view.failed is not None:
        return f"The run ended with an error: {view.failed.message}"
    if view.stopped is not None and view.collapse is None:
        at = f"at step {view.stopped.step}"
        return {
            "asked": f"It was stopped by hand {at}.",
            "forgotten": f"It stopped by itself {at}, since the text is forgotten.",
            "rule": f"It stopped {at} by the method's own rule.",
        }[view.stopped.why]
    if view.ended is not None and view.ended.status == "finished":
        return f"All {view.ended.step} steps are done."
    return ""


def _finite(view: View, key: str) -> list[tuple[int, float]]:
    series = view.series.get(key)
    pairs = zip(series.steps, series.values, strict=True) if series else []
    return [(step, value) for step, value in pairs if math.isfinite(value)]
