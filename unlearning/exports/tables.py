"""Curves, metrics and votes of a run as CSV, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from unlearning.runs.view import View
from unlearning.runs.votes import Vote

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the start of a cell."""


def curves_csv(view: View) -> str:
    """One row a step, one column a curve; empty where the curve has no point at that step.

    NaN and infinity are written as nan, inf and -inf. Teaching has steps of its own and comes
    first, with `phase` 'teach'.
    """
    parts = []
    for phase in ("teach", "forget"):
        names = [name for name in view.series if name.startswith("teach/") == (phase == "teach")]
        parts.append((phase, names))
    columns = [name for _, names in parts for name in names]
    rows = []
    for phase, names in parts:
        by_name = {
            name: dict(zip(view.series[name].steps, view.series[name].values, strict=True))
            for name in names
        }
        for step in sorted({step for points in by_name.values() for step in points}):
            values = (by_name.get(name, {}).get(step) for name in columns)
            rows.append([phase, step, *("" if value is None else repr(value) for value in values)])
    return _written(["phase", "step", *columns], rows)


def metrics_csv(view: View) -> str:
    """One row for each stage, metric and text, with interval and number of samples."""
    rows = [
        [
            stage,
            metric,
            role,
            *("" if value is None else repr(value) for value in (s.value, s.low, s.high)),
            s.n,
            s.variant,
        ]
        for stage, scores in view.scores.items()
        for metric, by_role in scores.items()
        for role, s in by_role.items()
    ]
    head = ["stage", "metric", "text", "value", "low", "high", "n", "variant"]
    return _written(head, rows)


def votes_csv(votes: Sequence[Vote]) -> str:
    """One row a vote: both sides in the order in which they were shown, blind, and what was said
    of them (a, b, both or neither). Samples of one side are JSON."""
    rows = []
    for vote in votes:
        request, sides = vote.request, (vote.a, vote.b)
        when = datetime.fromtimestamp(vote.time, UTC).isoformat(timespec="seconds")
        texts = (side.texts for side in sides)
        rows.append(
            [
                when,
                vote.voter,
                request.prompts[0],
                *(cell for side in sides for cell in (side.model, repr(side.strength))),
                vote.knows,
                vote.writes,
                *(one[0] if len(one) == 1 else json.dumps(one) for one in texts),
                *map(repr, (request.temperature, request.top_p, request.seed)),
            ]
        )
    head = ["time", "voter", "prompt", "model_a", "strength_a", "model_b", "strength_b", "knows",
            "writes", "answer_a", "answer_b", "temperature", "top_p", "seed"]  # fmt: skip
    return _written(head, rows)


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    content = io.StringIO()
    writer = csv.writer(content)  # with the line ends of RFC 4180
    writer.writerow([_text(cell) for cell in head])
    writer.writerows([[_text(cell) for cell in row] for row in rows])
    return content.getvalue()


def _text(cell: object) -> object:
    """A name that begins like a formula gets an apostrophe; numbers stay numbers."""
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
