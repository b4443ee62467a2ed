"""Verdicts follow their rules; the search takes what misses the aims by least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.events import Collapsed, ScoreValue
from unlearning.runs.view import Series, View
from unlearning.sweeps.claims import all as claims
from unlearning.sweeps.claims import collapse, rates, requests, search, teacher
from unlearning.sweeps.claims.base import Evidence, Found, Reach, at_reach, verdict
from unlearning.sweeps.claims.chosen import BEST, CHOSEN
from unlearning.sweeps.columns import FIGURES
from unlearning.sweeps.figures import Row
from unlearning.sweeps.presets import PARTS


def row(cell: str, ends: Sequence[str] = ("finished",), **figures: Sequence[float] | float) -> Row:
    """A row of given figures, one run a seed."""
    usual = {"extraction": 0.0, "recited": 0.5, "kept": 1.0, "perplexity": 1.0}
    values = {}
    for name, usually in usual.items():
        value = figures.get(name, usually)
        values[name] = tuple(value) if isinstance(value, tuple) else (value,) * len(ends)
    seeds = tuple(range(len(ends)))
    runs = tuple(f"{cell}@{seed}" for seed in seeds)
    return Row(cell, seeds, tuple(ends), values, (10,) * len(ends), (1.0,) * len(ends), runs)


def view(
    recited: Sequence[float],
    general: Sequence[float] | None = None,
    kept: Sequence[float] | None = None,
    collapsed: int | None = None,
    rates: Sequence[float] = (1.0,),
) -> View:
    """A run with a look at every tenth step."""
    steps = [10 * i for i in range(len(recited))]
    series = {
        "score/memorization_accuracy/forget": Series(steps, list(recited)),
        "score/perplexity/generic": Series(steps, list(general or [2.0] * len(steps))),
        "score/memorization_accuracy/retain": Series(steps, list(kept or [1.0] * len(steps))),
        "learning_rate": Series(list(range(len(rates))), list(rates)),
    }
    known = {"extraction_likelihood": {"forget": ScoreValue(value=1.0, n=1)}}
    fallen = Collapsed(step=collapsed, signs=("loops",), answers=()) if collapsed else None
    return View(series=series, scores={"original": known}, collapse=fallen)


@dataclass
class Log:
    """A store that has only views."""

    views: Mapping[str, View] = field(default_factory=dict)

    def view(self, run_id: str) -> View:
        return self.views.get(run_id) or view([1.0, 0.5])


def evidence(rows: Sequence[Row], views: Mapping[str, View] | None = None) -> Evidence:
    return Evidence(Log(views or {}), {r.cell: r for r in rows})


def test_the_first_look_at_which_as_little_is_recited() -> None:
    found = at_reach(view([1.0, 0.8, 0.4, 0.1], [2.0, 2.2, 3.0, 9.0], [1, 0.9, 0.7, 0.2]), 0.5)
    assert found == Reach(20, 1.5, 0.7)
    assert at_reach(view([1.0, 0.8]), 0.5) is None


def test_verdicts() -> None:
    assert verdict([True, True]) == "reproduced"
    assert verdict([True, False]) == "mixed"
    assert verdict([False, False]) == "not reproduced"


@pytest.mark.parametrize(
    ("icu", "ascent", "expected"),
    [
        ({}, view([1.0, 0.7, 0.4], collapsed=20), "reproduced"),
        ({}, view([1.0, 0.7, 0.4], collapsed=30), "not reproduced"),
        ({}, view([1.0, 0.7, 0.4]), "not reproduced"),
        ({"extraction": 0.2}, view([1.0, 0.7, 0.4], collapsed=10), "not reproduced"),
        ({"kept": 0.8}, view([1.0, 0.7, 0.4], collapsed=10), "not reproduced"),
        ({"perplexity": 1.06}, view([1.0, 0.7, 0.4], collapsed=10), "not reproduced"),
    ],
)
def test_ascent_has_collapsed_where_icu_arrives(icu, ascent, expected) -> None:
    rows = [row("a/icu", **icu), row("a/gradient_ascent")]
    views = {"a/icu@0": view([1.0, 0.5]), "a/gradient_ascent@0": ascent}
    assert collapse.judge(evidence(rows, views)).verdict == expected


def requests_rows(**changes: Row) -> list[Row]:
    cells = [
        *(f"b/{m}/request-{n}" for m in requests.REQUESTS for n in (1, 2, 3, 4)),
        *(f"b/{m}/rate-{f:g}" for m in ("undial", "gradient_ascent") for f in requests.RATES),
    ]
    rows = {cell: row(cell) for cell in cells}
    rows["b/gradient_ascent/request-2"] = row("x", perplexity=3.0)
    rows["b/gradient_ascent/rate-10"] = row("x", perplexity=5.0)
    return [
        Row(**{**{f: getattr(r, f) for f in Row.__slots__}, "cell": cell})
        for cell, r in (rows | changes).items()
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "reproduced"),
        ({"b/undial/request-4": row("x", perplexity=1.1)}, "mixed"),
        ({"b/gradient_ascent/request-2": row("x", perplexity=1.5)}, "mixed"),
        ({"b/undial/rate-0.1": row("x", extraction=0.9)}, "mixed"),
        (
            {
                "b/undial/request-1": row("x", kept=0.5),
                "b/gradient_ascent/request-2": row("x"),
                "b/gradient_ascent/rate-10": row("x"),
            },
            "not reproduced",
        ),
    ],
)
def test_requests_in_a_row(changes, expected) -> None:
    assert requests.judge(evidence(requests_rows(**changes))).verdict == expected


@pytest.mark.parametrize(
    ("ends", "kept", "expected"),
    [
        ((0.4, 0.5, 0.6), 1.0, "reproduced"),
        ((0.1, 0.5, 0.6), 1.0, "mixed"),
        ((0.4, 0.5, 0.6), 0.5, "mixed"),
        ((0.1, 0.5, 0.6), 0.5, "not reproduced"),
    ],
)
def test_rates_agree_and_more_is_kept(ends, kept, expected) -> None:
    cells = [f"c/ngdiff/start-{start:g}" for start in rates.STARTS]
    rows = [*(row(cell, kept=kept) for cell in cells), row("c/ngdiff/paper")]
    rows.append(row("c/grad_diff", kept=0.9, perplexity=1.1, extraction=0.1))
    views = {f"{c}@0": view([1.0], rates=[9.0, end]) for c, end in zip(cells, ends, strict=True)}
    assert rates.judge(evidence(rows, views)).verdict == expected


@pytest.mark.parametrize(
    ("nlul", "others", "with_teacher", "without", "expected"),
    [
        (0.3, 0.98, 1.05, 1.3, "reproduced"),
        (0.3, 0.98, 1.3, 1.05, "mixed"),
        (0.3, 0.2, 1.05, 1.3, "mixed"),
        (0.8, 0.98, 1.3, 1.05, "not reproduced"),
    ],
)
def test_only_nlul_breaks_through(nlul, others, with_teacher, without, expected) -> None:
    rows = [
        row(f"d/{loss}/{weight:g}", recited=nlul if loss == "nlul" else others)
        for loss in teacher.LOSSES
        for weight in teacher.WEIGHTS
    ]
    rows += [row("d/teacher"), row("d/no-teacher")]
    views = {
        "d/teacher@0": view([1.0, 0.3], [1.0, with_teacher]),
        "d/no-teacher@0": view([1.0, 0.2], [1.0, without]),
    }
    assert teacher.judge(evidence(rows, views)).verdict == expected


def test_claims_are_only_judged_on_all_their_runs(tmp_path) -> None:
    asked = claims.sweep(RunConfig(), (), (0,), tmp_path / PARTS)
    cells = [cell.name for chain in asked.chains for cell in chain.cells]
    assert {name.split("/")[0] for name in cells} == {c.key for c in claims.CLAIMS}
    rows = [row(name) for name in cells if name.startswith(("a/", "d/"))]
    told = {c["key"]: c["verdict"] for c in claims.judged(Log(), asked, rows)}
    assert told["b"] == told["c"] == "not tested"
    assert told["a"] != "not tested" and told["d"] != "not tested"
    failed = [row(name, ends=("failed",)) if name == "a/icu" else row(name) for name in cells]
    told = {c["key"]: c["verdict"] for c in claims.judged(Log(), asked, failed)}
    assert told["a"] == "not tested" and told["b"] != "not tested"


def test_the_search_takes_what_misses_the_aims_by_least() -> None:
    rows = {
        "npo/1": row("npo/1", extraction=0.3),
        "npo/2": row("npo/2", extraction=0.1, kept=0.85),
        "npo/3": row("npo/3", extraction=0.0, perplexity=1.2),
    }
    assert search.best("npo", rows) == "npo/2"
    rows["npo/3"] = row("npo/3", extraction=0.09)
    rows["npo/1"] = row("npo/1", extraction=0.02)
    assert search.best("npo", rows) == "npo/1"
    with pytest.raises(UserError, match="icu has no finished candidate"):
        search.best("icu", rows)
    assert search.chosen_of(list(rows.values())) == {"npo": "npo/1"}


def test_every_candidate_is_a_run_and_the_budget_is_as_stated() -> None:
    found = search.sweep(RunConfig(), (), (0, 1), None)
    assert found.seeds == (search.SEED,)
    budget = {method: len(search.named(method)) for method in search.CANDIDATES}
    assert budget.pop("grad_diff") == 5 and budget.pop("mean_teacher") == 6
    assert set(budget.values()) == {3}
    assert BEST.keys() == CHOSEN.keys() == search.CANDIDATES.keys()
    assert all(BEST[method] in search.named(method) for method in BEST)


def test_every_column_has_a_title() -> None:
    assert all(figure.title for figure in FIGURES.values())
    assert isinstance(collapse.judge(evidence([row("a/icu"), row("a/gradient_ascent")])), Found)
