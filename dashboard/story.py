"""The run told in plain sentences, from templates: readable aloud and from the last row."""

from __future__ import annotations

import math

from dashboard.language import _, spoken
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
        return _("The model is learning the text first, so that there is something to forget.")
    if view.started:
        return _("{method} is about to start; nothing is measured yet.").format(
            method=_method(view)
        )
    return _("The run has not started yet.")


def _method(view: View) -> str:
    return METHODS[view.method].title if view.method in METHODS else view.method or _("The method")


def _forgetting(view: View) -> str:
    series = _finite(view, RECITED)
    if not series:
        return ""
    (start, first), (step, now) = series[0], series[-1]
    if step == start:
        return _("At the start the model knows {first:.0%} of the words to forget.").format(
            first=first
        )
    gone, said = lost(view)
    knows = _("it knows {now:.0%} of the words to forget ({first:.0%} before).").format(
        now=now, first=first
    )
    if not gone:
        held = _(" It still says “{said}”.").format(said=said[0]) if said else ""
        return _("By step {step} {knows}{held}").format(step=step, knows=knows, held=held)
    others = (
        _(" ({gone} of {said} such names are gone)").format(gone=len(gone), said=len(said))
        if len(said) > 1
        else ""
    )
    first_lost = _("By step {step} it no longer says “{phrase}”{others}; {knows}")
    return first_lost.format(**gone[0]._asdict(), others=others, knows=knows)


def _kept(view: View) -> str:
    series = _finite(view, KEPT)
    if len(series) < 2 or not series[0][1]:
        return ""
    share = series[-1][1] / series[0][1]
    if share >= 0.95:
        return (
            _("Kept texts are untouched.") if _unchanged(view) else _("What must stay has stayed.")
        )
    if share >= 0.8:
        return _("Of what must stay, {share:.0%} is lost.").format(share=1 - share)
    return _("It costs much: {share:.0%} of what must stay is lost.").format(share=1 - share)


def _unchanged(view: View) -> bool:
    """Whether every kept prompt is answered word for word as by the original."""
    last = max((step for step in view.answers if step <= view.step), default=None)
    kept = [a for a in view.answers.get(last, ()) if a.role == "retain"] if last else []
    return bool(kept) and all(a.unlearned.split() == a.original.split() for a in kept)


def _level(view: View) -> str:
    known = _finite(view, RECITED)
    level = view.levels.scores.get("memorization_accuracy") if view.levels else None
    if view.over_forgotten and known and level is not None and not view.collapse:
        return _(
            "That is too much: a model that never saw the text would know {level:.0%} of it, "
            "so it is over-forgotten."
        ).format(level=level)
    if view.forgotten_at is not None and not (view.stopped and view.stopped.why == "forgotten"):
        return _("From step {forgotten_at} on that is no better than text it never saw.").format(
            forgotten_at=view.forgotten_at
        )
    return ""


def _turn(view: View) -> str:
    said = []
    back = view.rolled_back
    if view.collapse is not None:
        step, signs, then = view.collapse.step, view.collapse.signs, ""
        if back and not back.asked:
            then = _(", and it was rolled back to step {step}").format(step=back.to)
        if any(NOT_FINITE in sign for sign in signs):
            what = _("At step {step} it diverged: the loss was no number any more{then}.")
        elif signs:
            what = _("At step {step} it lost its language ({why}){then}.")
        else:
            what = _("At step {step} it lost its language{then}.")
        said.append(what.format(step=step, why=spoken(signs[0]) if signs else "", then=then))
    if back and back.asked:
        said.append(_("It was set back to step {step} by hand.").format(step=back.to))
    return " ".join(said)


def _end(view: View) -> str:
    if view.failed is not None:
        return _("The run ended with an error: {message}").format(
            message=spoken(view.failed.message)
        )
    if view.stopped is not None and view.collapse is None:
        at = _("at step {step}").format(step=view.stopped.step)
        return {
            "asked": _("It was stopped by hand {at}.").format(at=at),
            "paused": _("It is paused {at}, with a snapshot of that very step.").format(at=at),
            "forgotten": _("It stopped by itself {at}: the text is forgotten.").format(at=at),
            "rule": _("It stopped {at} by the method's own rule.").format(at=at),
        }[view.stopped.why]
    if view.ended is not None and view.ended.status == "finished":
        return _("All {step} steps are done.").format(step=view.ended.step)
    return ""


def _finite(view: View, key: str) -> list[tuple[int, float]]:
    """Finite values of the weights as they are: nothing from beyond a roll-back."""
    series = view.series.get(key)
    pairs = zip(series.steps, series.values, strict=True) if series else []
    return [(step, value) for step, value in pairs if math.isfinite(value) and step <= view.step]
