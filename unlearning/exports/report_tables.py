"""Tables of the report as escaped HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from unlearning.attacks import ATTACKS
from unlearning.config import RunConfig
from unlearning.metrics import METRICS
from unlearning.metrics._verdict import verdict
from unlearning.runs.events import Answer, ScoreValue
from unlearning.runs.view import View

ROLES = {
    "forget": "text to forget",
    "retain": "text to keep",
    "generic": "general text",
    "holdout": "unseen text",
}
MARKS = {"good": "✓", "fair": "~", "bad": "✕", "over": "✕"}
NOTHING = "<p>Nothing was measured.</p>"


def answers(found: Sequence[Answer]) -> str:
    """Pinned prompts with both answers."""
    rows = "".join(
        f'<tr><th scope="row"><small>{escape(ROLES.get(a.role, a.role))}</small>'
        f"{escape(a.prompt)}</th>"
        f"<td>{escape(a.original)}</td>"
        f"<td>{'<b>repeats itself</b> ' if a.looped else ''}{escape(a.unlearned)}</td></tr>"
        for a in found
    )
    return (
        '<div class="wide"><table class="texts"><thead><tr><th scope="col">Prompt</th>'
        '<th scope="col" class="original">Original</th>'
        f'<th scope="col" class="unlearned">Unlearned</th></tr></thead><tbody>{rows}</tbody>'
        "</table></div>"
    )


def scores(view: View) -> str:
    """Every metric: original, unlearned, with 95 % interval, and what the change means."""
    original, unlearned = (view.scores.get(stage, {}) for stage in ("original", "unlearned"))
    rows = []
    for name, metric in METRICS.items():
        for role in metric.direction:
            before, now = original.get(name, {}).get(role), unlearned.get(name, {}).get(role)
            if before is None and now is None:
                continue
            level = view.levels.scores.get(name) if view.levels and role == "forget" else None
            said = ""
            if before is not None and now is not None:
                known = metric.unseen if level is None and role == "forget" else level
                mark, words = verdict(metric, role, before.value, now.value, known)
                said = f"{MARKS[mark]} {words}"
            rows.append(
                f'<tr><th scope="row">{escape(metric.title)}<small>{escape(ROLES.get(role, role))}'
                f"</small></th><td>{_score(before)}</td><td>{_score(now)}</td>"
                f"<td>{_number(level)}</td><td>{escape(said)}</td></tr>"
            )
    if not rows:
        return NOTHING
    return (
        '<div class="wide"><table class="scores"><thead><tr><th scope="col">Metric</th>'
        '<th scope="col" class="original">Original</th>'
        '<th scope="col" class="unlearned">Unlearned</th>'
        '<th scope="col">Never-saw-it level</th><th scope="col">What it means</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        "<p><small>In brackets: 95 % interval; n: samples.</small></p>"
    )


def attacks(reports: Sequence[Mapping[str, Any]]) -> str:
    """The verdict of every attack on the run; empty where there was none."""
    rows = "".join(
        f'<tr><th scope="row">{escape(_attack(str(one.get("attack", ""))))}</th>'
        f"<td>{escape(str(one.get('verdict', '')))}</td></tr>"
        for one in reports
    )
    return f'<div class="wide"><table><tbody>{rows}</tbody></table></div>' if rows else ""


def _attack(name: str) -> str:
    return ATTACKS[name].title if name in ATTACKS else name


def settings(view: View, head: Mapping[str, Any]) -> str:
    """Every setting as used; those that the run decided for itself are filled in."""
    chosen = {**head["config"], **(view.started.settings if view.started else {})}
    own = chosen.pop("hyperparameters", {}) or {}
    fields = RunConfig.model_fields
    named = [(_label(name), value) for name, value in chosen.items() if name in fields]
    named += [(f"{_label(name)} (of the method)", value) for name, value in own.items()]
    return _pairs([(name, _words(value)) for name, value in named if value not in (None, "")])


def versions(view: View, head: Mapping[str, Any]) -> str:
    """Libraries, device, and hashes of model and texts."""
    pairs = []
    if view.started is not None:
        started = view.started
        pairs += [
            ("Device", f"{started.device}, {started.dtype}"),
            ("Parameters", f"{started.parameters:,}, of which {started.trainable:,} are trained"),
            ("SHA-256 of the model", started.model_hash),
        ]
        pairs += list(started.versions.items())
    for role, found in head.get("texts", {}).items():
        words = f"{found.get('count')} texts, SHA-256 {found.get('sha256')}"
        pairs.append((ROLES.get(role, role), words))
    return _pairs([(str(name), str(value)) for name, value in pairs])


def notices(messages: Sequence[str]) -> str:
    """What the run said about itself."""
    lines = "".join(f"<li>{escape(message)}</li>" for message in messages)
    return f"<ul>{lines}</ul>" if lines else ""


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs
    )
    return f"<dl>{rows}</dl>"


def _label(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return str(value)


def _score(score: ScoreValue | None) -> str:
    if score is None:
        return "–"
    words = _number(score.value)
    if score.low is not None and score.high is not None:
        words += f" <small>[{_number(score.low)}, {_number(score.high)}]</small>"
    return words + (f" <small>n = {score.n:,}</small>" if score.n else "")


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "undefined" if math.isnan(value) else "∞" if value > 0 else "−∞"
    return f"{value:.3g}".replace("-", "−")
