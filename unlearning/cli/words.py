"""Events, figures and declarations as plain text."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unlearning.declare import Declared
from unlearning.metrics._chosen import title
from unlearning.runs.events import AnyEvent, Status
from unlearning.runs.store import RunStore
from unlearning.runs.view import View


def tell(message: str) -> None:
    """Progress: to standard error."""
    print(message, file=sys.stderr, flush=True)


def progress(event: AnyEvent) -> None:
    """One event, if it is worth a line."""
    match event.kind:
        case "entered":
            tell(f"[{event.phase}]")
        case "noticed":
            tell(f"note: {event.message}")
        case "taught" if event.memorized is not None:
            tell(f"taught {event.step} steps: {event.memorized:.0%} recited")
        case "stepped":
            terms = "  ".join(f"{name} {value:.4g}" for name, value in event.terms.items())
            tell(f"step {event.step:4d}  {terms}  {event.seconds:.2f} s")
        case "probed":
            scores = "  ".join(
                f"{role} {name} {value:.3g}"
                for name, by_role in event.scores.items()
                for role, value in by_role.items()
            )
            tell(f"  look: {scores}  collapse meter {event.health.meter:.2f}")
        case "levels":
            scores = "  ".join(f"{name} {value:.3g}" for name, value in event.scores.items())
            tell(f"  level of a model that never saw the text ({event.source}): {scores}")
        case "collapsed":
            tell(f"collapsed at step {event.step}: {'; '.join(event.signs)}")
        case "rolled_back":
            tell(f"rolled back to step {event.to}")
        case "resumed":
            tell(f"going on from step {event.step}")
        case "stopped":
            tell(f"stopped at step {event.step}: {event.message or event.why}")
        case "ended":
            tell(f"{event.status} at step {event.step} after {event.seconds:.0f} s")


def metrics_of(view: View) -> dict[str, Any]:
    """Stage to metric to role to score, as JSON."""
    return {
        stage: {
            name: {role: score.model_dump(mode="json") for role, score in by_role.items()}
            for name, by_role in scores.items()
        }
        for stage, scores in view.scores.items()
    }


def run_result(store: RunStore, run_id: str) -> dict[str, Any]:
    """What `run --json` answers."""
    view = store.view(run_id)
    metrics = metrics_of(view)
    return {
        "run_id": run_id,
        "status": view.status,
        "method": view.method,
        "model": view.model,
        "steps": view.step,
        "metrics": {
            "original": metrics.get("original", {}),
            "unlearned": metrics.get("unlearned", {}),
        },
        "levels": view.levels.model_dump(mode="json", exclude={"time", "kind"})
        if view.levels
        else None,
        "collapsed": view.collapse is not None,
        "forgotten_at": view.forgotten_at,
        "over_forgotten": view.over_forgotten,
        "best_step": view.ended.best_step if view.ended else None,
        "seconds": view.ended.seconds if view.ended else None,
    }


def run_row(store: RunStore, run_id: str, status: Status) -> dict[str, Any]:
    """One line of the list of runs."""
    head, view = store.head(run_id), store.view(run_id)
    config = store.config(run_id)
    return {
        "run_id": run_id,
        "created": head["created"],
        "status": status,
        "method": config.method,
        "model": config.model,
        "forget": config.forget,
        "step": view.step,
        "steps": view.steps or config.steps,
        "label": config.label,
    }


def runs_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The list of runs."""
    if not rows:
        return "no runs yet"
    lines = [
        [
            row["run_id"],
            datetime.fromtimestamp(row["created"]).strftime("%Y-%m-%d %H:%M"),
            row["status"],
            row["method"],
            row["model"],
            f"{row['step']}/{row['steps'] or '?'}",
            row["label"] or row["forget"],
        ]
        for row in rows
    ]
    return table(["run", "started", "status", "method", "model", "step", "text"], lines)


def run_page(found: Mapping[str, Any]) -> str:
    """One run in words."""
    head = [f"{key}: {found[key]}" for key in ("run_id", "status", "method", "model", "forget")]
    steps = ", ".join(map(str, found["snapshots"])) or "none"
    body = [f"step: {found['step']} of {found['steps']}", f"snapshots: {steps}"]
    notes = [f"note: {notice}" for notice in found["notices"]]
    shown = scores_table(found["metrics"])
    return "\n".join([*head, *body, *notes, "", found["command"], "", shown])


def run_summary(found: Mapping[str, Any]) -> str:
    """The end of `run`."""
    head = f"run {found['run_id']}: {found['status']} at step {found['steps']}"
    return f"{head}\n\n{scores_table(found['metrics'])}"


def scores_table(by_stage: Mapping[str, Mapping[str, Any]]) -> str:
    """Metrics by row, stages by column."""
    stages = [stage for stage in by_stage if by_stage[stage]]
    pairs = {
        (name, role): None for s in stages for name, roles in by_stage[s].items() for role in roles
    }
    rows = []
    for name, role in pairs:
        cells = [_cell(by_stage[stage].get(name, {}).get(role)) for stage in stages]
        rows.append([title(name), role, *cells])
    return table(["metric", "text", *stages], rows) if rows else "no figures yet"


def sweep_page(
    found: Mapping[str, Any], head: Sequence[str], lines: Sequence[Sequence[str]]
) -> str:
    """The table of a sweep, and what was concluded from it."""
    blocks = [table(head, lines)]
    for claim in found.get("claims", ()):
        told = [f"{claim['key']}. {claim['verdict'].upper()}: {claim['statement']}"]
        told += [textwrap.fill(number, 96, initial_indent="   ") for number in claim["numbers"]]
        blocks.append("\n".join(told))
    if "best" in found:
        blocks.append("\n".join(f"best of {name}: {cell}" for name, cell in found["best"].items()))
    return "\n\n".join(blocks)


def answers_table(answers: Sequence[Mapping[str, Any]]) -> str:
    """Prompts with their answers, one below the other."""
    blocks = []
    for answer in answers:
        lines = [f"> {answer['prompt']}"]
        lines += [f"[{side}] {text}" for side, text in answer["answers"].items()]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def declared(registry: Mapping[str, type[Declared]]) -> dict[str, Any]:
    """Declarations as JSON."""
    return {
        name: {
            "title": cls.title,
            "summary": cls.summary(),
            "paper": getattr(cls, "paper", ""),
            "hyperparameters": {
                item.name: {
                    "kind": item.kind,
                    "default": item.default,
                    "range": item.span,
                    "help": item.help,
                }
                for item in cls.declared()
            },
        }
        for name, cls in registry.items()
    }


def declared_page(registry: Mapping[str, type[Declared]]) -> str:
    """Declarations as text."""
    blocks = []
    for name, cls in registry.items():
        lines = [f"{name}: {cls.title}", *textwrap.wrap(cls.summary(), 96, initial_indent="  ")]
        for item in cls.declared():
            span = f" [{item.span}]" if item.span else ""
            lines.append(f"  --set {item.name}={item.default}{span}  {item.help}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _cell(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return "-"
    text = f"{float(score['value']):.4g}"
    if score.get("low") is not None:
        text += f" [{float(score['low']):.3g}, {float(score['high']):.3g}]"
    return text
