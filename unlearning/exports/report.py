"""A run as one HTML file that opens offline: no server, no library, no request to anybody.

Everything that comes from users, models or files is escaped; the only script is ours, named by
its hash in the file's content security policy, which forbids everything else.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from pathlib import Path

from unlearning.exports import report_tables as tables
from unlearning.exports.curves import Curve, Look, Panel, curve_set
from unlearning.exports.papers import bibtex
from unlearning.exports.verdict import verdict
from unlearning.methods import METHODS
from unlearning.runs.events import Answer
from unlearning.runs.store import RunStore
from unlearning.runs.view import View

ASSETS = Path(__file__).resolve().parents[2] / "assets"
RECITED = "memorization_accuracy"
OTHERS: tuple[Look, ...] = ("other", "healthy", "kept", "original", "forget")


def report_html(store: RunStore, run_id: str, command: str) -> str:
    """The whole file. `command` is the command line that repeats the run.

    Raises:
        UserError: no such run, or its log cannot be read.
    """
    view, head = store.view(run_id), store.head(run_id)
    method = METHODS[view.method].title if view.method in METHODS else view.method
    title = f"{method or 'A run'} on {view.model or head['config'].get('model', '')}"
    styles = _asset("page/curves.css") + _asset("report/report.css")
    script = _asset("page/curves.js") + _asset("report/report.js")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    )
    label = head["config"].get("label", "")
    body = [
        _head(run_id, title, label, head["created"], view),
        _section("How it went", _charts(view) + _answers(view)),
        _section("Measured", tables.scores(view)),
        _section("Stress tests", tables.attacks(store.attacks(run_id))),
        _section("Settings", tables.settings(view, head)),
        _section("Versions and texts", tables.versions(view, head)),
        _section("The same run again", f"<pre>{escape(command)}</pre>"),
        _section("Cite", f"<pre>{escape(bibtex([view.method]))}</pre>" if view.method else ""),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{styles}</style></head>"
        f"<body><main>{''.join(body)}</main>"
        f'<script type="application/json" id="answers">{_data(view)}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def panels(view: View) -> list[Panel]:
    """The charts of a run that has anything to show."""
    level = view.levels.scores.get(RECITED) if view.levels else None
    what = tuple(_happened(view))
    found = [
        _panel(view, "Words recited", "text to forget ↓, text to keep stays", what, level, (
            ("text to forget", f"score/{RECITED}/forget", "forget"),
            ("text to keep", f"score/{RECITED}/retain", "kept"),
        ), (-0.02, 1.02)),
        _panel(view, "Loss on the text to forget", "↑ should rise", what, None, (
            ("loss", "forget_nll", "forget"),
        )),
        _panel(view, "Perplexity of what must stay", "should stay", what, None, (
            ("text to keep", "score/perplexity/retain", "kept"),
            ("general text", "score/perplexity/generic", "healthy"),
        )),
        _panel(view, "Collapse meter", "1 is the loss of language", what, None, (
            ("meter", "health", "healthy"),
        ), (-0.02, 1.02)),
        _panel(view, "Terms of the loss", "weighted; their sum is minimised", what, None, _own(
            view, "term/"
        )),
        _panel(view, "The method's own curves", "", what, None, _own(view, "extra/")),
    ]  # fmt: skip
    return [panel for panel in found if panel.curves]


def _own(view: View, prefix: str) -> tuple[tuple[str, str, Look], ...]:
    """The first curves of that kind: what is drawn must stay told apart; the CSV has all."""
    keys = [key for key in view.series if key.startswith(prefix)][: len(OTHERS)]
    return tuple((key.removeprefix(prefix), key, OTHERS[i]) for i, key in enumerate(keys))


def _panel(
    view: View,
    title: str,
    direction: str,
    marks: tuple[tuple[int, str], ...],
    level: float | None,
    curves: Sequence[tuple[str, str, Look]],
    bounds: tuple[float, float] | None = None,
) -> Panel:
    drawn = tuple(
        Curve(name, view.series[key], look) for name, key, look in curves if key in view.series
    )
    known = level if level is not None and math.isfinite(level) else None
    return Panel(title, drawn, direction, known, marks, max(view.steps, view.step), bounds)


def _happened(view: View) -> list[tuple[int, str]]:
    marks: dict[int, str] = {}
    if view.forgotten_at is not None:
        marks[view.forgotten_at] = "forgotten"
    if view.collapse is not None:
        marks[view.collapse.step] = "collapsed"
    if view.rolled_back is not None:
        marks[view.rolled_back.to] = "rolled back to here"
    return sorted(marks.items())


def _last(view: View) -> int:
    ends = [s.steps[-1] for key, s in view.series.items() if s.steps and key[:6] != "teach/"]
    return max([view.step, *ends], default=0)


def _charts(view: View) -> str:
    found = panels(view)
    return curve_set("report", found, max(_last(view), 1)) if found else tables.NOTHING


def _answers(view: View) -> str:
    """The texts at the last look; the script shows those of the step at the slider."""
    if not view.answers:
        return ""
    step = max(view.answers)
    return (
        f'<h3 id="looked">What the model says at step {step}</h3>'
        f'<div id="said">{tables.answers(view.answers[step])}</div>'
    )


def _data(view: View) -> str:
    """The texts by step, for the script; `<` is written so that no text ends the element."""
    seen: dict[str, int] = {}

    def place(text: str) -> int:
        return seen.setdefault(text, len(seen))

    def packed(answer: Answer) -> list[int]:
        parts = (answer.role, answer.prompt, answer.original, answer.unlearned)
        return [*map(place, parts), int(answer.looped)]

    steps = [[step, [packed(a) for a in answers]] for step, answers in sorted(view.answers.items())]
    content = json.dumps({"texts": list(seen), "steps": steps})
    return content.replace("<", "\\u003c")


def _head(run_id: str, title: str, label: str, created: float, view: View) -> str:
    when = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    facts = [f"Run {run_id}", label, when, view.status, f"step {view.step} of {view.steps}"]
    return (
        f"<header><p>Lethe · report of an unlearning run</p><h1>{escape(title)}</h1>"
        f"<p>{escape(' · '.join(fact for fact in facts if fact))}</p>"
        f'<p class="verdict">{escape(verdict(view))}</p>{tables.notices(view.notices)}</header>'
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
