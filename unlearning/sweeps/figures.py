"""The figures of a sweep: one row a cell, mean and standard deviation over its seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from unlearning.runs.store import RunStore
from unlearning.runs.view import View
from unlearning.sweeps.columns import FIGURES
from unlearning.sweeps.execute import Done


@dataclass(frozen=True, slots=True)
class Row:
    """One cell over its seeds."""

    cell: str
    seeds: tuple[int, ...]
    ends: tuple[str, ...]
    """How each run ended."""
    values: Mapping[str, tuple[float | None, ...]]
    """Figure to its value for each seed; None where it was not measured."""
    steps: tuple[int, ...]
    seconds: tuple[float, ...]
    runs: tuple[str, ...]

    def mean(self, figure: str) -> float | None:
        """Mean over the seeds that have it."""
        there = self._there(figure)
        return mean(there) if there else None

    def deviation(self, figure: str) -> float | None:
        """Sample standard deviation; None with fewer than two seeds."""
        there = self._there(figure)
        return stdev(there) if len(there) > 1 else None

    def _there(self, figure: str) -> list[float]:
        return [value for value in self.values[figure] if value is not None]


def rows(store: RunStore, done: Sequence[Done]) -> list[Row]:
    """One row a cell, in the order of the sweep."""
    by_cell: dict[str, list[Done]] = {}
    for one in done:
        by_cell.setdefault(one.cell, []).append(one)
    return [_row(store, cell, runs) for cell, runs in by_cell.items()]


def level(store: RunStore, done: Sequence[Done]) -> dict[str, float]:
    """Forget scores of a model that never saw the text, where the first run has them."""
    levels = store.view(done[0].run_id).levels if done else None
    return dict(levels.scores) if levels else {}


def as_json(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as JSON, with mean and deviation."""
    return [
        {
            "cell": row.cell,
            "seeds": list(row.seeds),
            "ends": list(row.ends),
            "steps": list(row.steps),
            "seconds": [round(value, 1) for value in row.seconds],
            "runs": list(row.runs),
            "figures": {
                name: {
                    "values": list(row.values[name]),
                    "mean": row.mean(name),
                    "deviation": row.deviation(name),
                }
                for name in FIGURES
            },
        }
        for row in found
    ]


def as_cells(found: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Head and lines of the table, as text."""
    head = ["cell", "seeds", *(figure.title for figure in FIGURES.values()), "steps", "ended"]
    lines = [
        [
            row.cell,
            str(len(row.seeds)),
            *(in_words(row.mean(name), row.deviation(name)) for name in FIGURES),
            f"{mean(row.steps):.0f}",
            ", ".join(f"{count} {end}" for end, count in Counter(row.ends).items()),
        ]
        for row in found
    ]
    return head, lines


def in_words(value: float | None, deviation: float | None = None) -> str:
    """'0.012 ± 0.003'; a dash where there is none."""
    if value is None:
        return "-"
    return _short(value) if deviation is None else f"{_short(value)} ± {_short(deviation)}"


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}"


def _row(store: RunStore, cell: str, runs: Sequence[Done]) -> Row:
    views = [store.view(one.run_id) for one in runs]
    firsts = [store.view(one.first) for one in runs]
    pairs = list(zip(firsts, views, strict=True))
    return Row(
        cell=cell,
        seeds=tuple(one.seed for one in runs),
        ends=tuple(how_it_ended(view) for view in views),
        values={name: tuple(_value(name, *pair) for pair in pairs) for name in FIGURES},
        steps=tuple(view.step for view in views),
        seconds=tuple(view.ended.seconds if view.ended else 0.0 for view in views),
        runs=tuple(one.run_id for one in runs),
    )


def how_it_ended(view: View) -> str:
    """In one word: 'collapsed' also where the run went on regardless."""
    if view.collapse is not None:
        return "collapsed"
    return "forgotten" if view.stopped and view.stopped.why == "forgotten" else view.status


def _value(name: str, first: View, view: View) -> float | None:
    return FIGURES[name].of(first.scores.get("original", {}), view.scores.get("unlearned", {}))
