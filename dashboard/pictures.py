"""A run in words and small pictures: pure functions to HTML.

Whatever comes from models, users or files goes through `escaped`; only our own markup does not.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from dashboard.language import N_, _, spoken
from dashboard.story import tell
from unlearning.methods.base import Method
from unlearning.runs.collapse import SHAKY
from unlearning.runs.events import Failed, Health, Status
from unlearning.runs.view import LIVE, View

PHASES = {
    "": N_("starting"),
    "loading": N_("loading the model"),
    "teaching": N_("learning the text first"),
    "answering": N_("writing other answers"),
    "measuring": N_("measuring"),
    "training": N_("forgetting"),
    "finishing": N_("finishing"),
}
STATES: dict[str, tuple[str, str]] = {
    "queued": (N_("waiting"), "busy"),
    "running": (N_("running"), "busy"),
    "stopping": (N_("stopping …"), "busy"),
    "finished": (N_("finished"), "good"),
    "stopped": (N_("stopped"), "plain"),
    "collapsed": (N_("collapsed"), "bad"),
    "failed": (N_("failed"), "bad"),
    "interrupted": (N_("interrupted"), "plain"),
}
"""Words and look of every state."""

FULL = 1.0
"""Where the collapse meter turns from shaky to collapsed."""


def escaped(text: object) -> str:
    """Text that is safe inside an element and inside a quoted attribute."""
    return html.escape(str(text), quote=True)


def status_pill(
    status: Status | None,
    phase: str = "",
    place: int | None = None,
    *,
    paused: bool = False,
    recorded: bool = False,
) -> str:
    """The state in words behind a coloured dot; None is "no run"."""
    if status is None:
        return f'<span class="pill plain" role="status">{_("no run yet")}</span>'
    words, look = _(STATES[status][0]), STATES[status][1]
    if status == "stopped" and paused:
        words = _("paused")
    if status == "running":
        words = _(PHASES.get(phase, phase))
    if status == "queued" and place:
        words = _("waiting, place {place} in the queue").format(place=place)
    if recorded:  # never to be taken for a run that is going on
        words, look = _("replay: {state}").format(state=words), "plain"
    return f'<span class="pill {look}" role="status">{escaped(words)}</span>'


def progress(view: View, status: Status | None, now: float) -> str:
    """Bar and line: step, elapsed, time left. `now` is in seconds since the epoch."""
    done, total, unit = _work(view)
    share = 1.0 if status == "finished" else min(done / total, 1.0) if total else 0.0
    parts = []
    if done or total:
        of = _(" of {total}").format(total=total) if total else ""
        parts.append(f"{unit} {done}{of}")
    if view.begun is not None:
        live = status in LIVE
        spent = duration((now if live else view.updated) - view.begun)
        parts.append(
            _("{spent} so far").format(spent=spent)
            if live
            else _("took {spent}").format(spent=spent)
        )
    left = (view.steps - view.step) * view.step_seconds
    if status == "running" and view.phase == "training" and view.step >= 2 and left >= 1:
        parts.append(_("at most {duration} left").format(duration=duration(left)))
    bar = _bar("progressbar", _("Progress"), f"{share:.2f}", "", share)
    return f'<div class="progress">{bar}<p>{escaped(" · ".join(parts))}</p></div>'


def _bar(role: str, label: str, value: str, words: str, share: float) -> str:
    text = f' aria-valuetext="{words}"' if words else ""
    return (
        f'<div class="bar" role="{role}" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="1" aria-valuenow="{value}"{text}><i style="width:{share:.1%}"></i></div>'
    )


def _work(view: View) -> tuple[int, int, str]:
    if view.phase == "teaching":
        most = view.started.settings.get("teach_steps") if view.started else None
        return view.taught, most if isinstance(most, int) else 0, _("learning step")
    return view.step, view.steps, _("step")


def duration(seconds: float) -> str:
    """'12 s', '3 min 5 s', '2 h 10 min'."""
    whole = max(0, round(seconds))
    if whole < 60:
        return _("{seconds} s").format(seconds=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def meter(health: Health, measured: bool = True) -> str:
    """The collapse meter: 0 healthy to 1 collapsed, with its signs in words."""
    value = health.meter if math.isfinite(health.meter) else FULL
    value = min(max(value, 0.0), 1.0)
    if not measured:
        words, look = _("not measured yet"), "plain"
    elif value >= FULL:
        words, look = _("collapsed"), "bad"
    elif value >= SHAKY:
        words, look = _("shaky"), "fair"
    else:
        words, look = _("healthy"), "good"
    signs = "".join(f"<li>{escaped(spoken(sign))}</li>" for sign in health.signs)
    number = f"{value:.2f}" if measured else "–"
    return (
        f'<div class="meter {look}"><p class="meter-head"><span>{_("Collapse meter")}</span>'
        f"<span><b>{number}</b> {words}</span></p>"
        f"{_bar('meter', _('Collapse meter'), f'{value:.2f}', words, value)}"
        f"{f'<ul>{signs}</ul>' if signs else ''}</div>"
    )


def story(view: View) -> str:
    """The run so far in a sentence or two."""
    return f'<p class="story">{escaped(tell(view))}</p>'


def notices(messages: Sequence[str]) -> str:
    """What the user should know, one line each; nothing where there is nothing."""
    if not messages:
        return ""
    lines = "".join(f"<li>{escaped(spoken(message))}</li>" for message in messages)
    return f'<ul class="notices">{lines}</ul>'


def error_card(failed: Failed) -> str:
    """What went wrong, what to do, and (for a defect of ours) the folded traceback."""
    traceback = ""
    if failed.traceback:
        traceback = (
            f"<details><summary>{_('Technical details, for a report')}</summary>"
            f'<button type="button" class="copy" data-copy>{_("Copy")}</button>'
            f'<pre tabindex="0">{escaped(failed.traceback)}</pre></details>'
        )
    return (
        f'<div class="card bad" role="alert"><h3>{_("This did not work")}</h3>'
        f"<p>{escaped(spoken(failed.message))}</p>"
        f"{f'<p>{escaped(spoken(failed.hint))}</p>' if failed.hint else ''}{traceback}</div>"
    )


def method_card(method: type[Method], details: bool = False) -> str:
    """The method in a sentence and how it fails; with `details` cost and paper instead."""
    if details:
        return (
            '<div class="method-card"><dl>'
            f"<dt>{_('Cost of a step')}</dt><dd>{escaped(_(method.cost))}</dd>"
            f"<dt>{_('Paper')}</dt><dd>{escaped(method.citation)} "
            f'<a href="{escaped(method.paper)}" '
            f'target="_blank" rel="noopener noreferrer">{escaped(method.paper)}</a></dd>'
            "</dl></div>"
        )
    return (
        f'<div class="method-card"><p class="lead">{escaped(_(method.summary()))}</p>'
        f'<p class="caution"><b>{_("How it fails.")}</b> '
        f"{escaped(_(method.failure))}"
        f"</p></div>"
    )
