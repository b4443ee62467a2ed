"""The pages of measured figures are what their JSON says, and speak of every method."""

from __future__ import annotations

import json

import pytest

from unlearning.cli import pages
from unlearning.cli.requests import curves
from unlearning.methods import METHODS
from unlearning.sweeps.columns import FIGURES

MAKERS = pages.PAGES


def row(cell: str, ends=("finished", "collapsed"), recited: float = 0.6) -> dict:
    figure = {"values": [0.25] * len(ends), "mean": 0.25, "deviation": 0.5}
    figures = {name: dict(figure) for name in FIGURES}
    figures["recited"]["mean"] = recited
    return {
        "cell": cell,
        "seeds": list(range(len(ends))),
        "ends": list(ends),
        "steps": [10, 20],
        "figures": figures,
    }


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_shipped_follows_from_its_figures(name: str) -> None:
    source = pages.FOLDER / f"{name}.json"
    if not source.is_file():
        pytest.skip(f"docs/{name}.json has not been made yet")
    made = MAKERS[name](json.loads(source.read_text(encoding="utf-8")))
    page = (pages.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert made == page, "run: python -m unlearning docs"


def test_every_method_has_its_default_run() -> None:
    source = pages.FOLDER / "defaults.json"
    if not source.is_file():
        pytest.skip("docs/defaults.json has not been made yet")
    found = json.loads(source.read_text(encoding="utf-8"))
    assert {row["cell"] for row in found["rows"]} == set(METHODS)


def test_a_row_says_how_runs_ended_and_what_went_too_far() -> None:
    found = {"retrained": {"recited": 0.6}, "rows": [row("npo"), row("undial")]}
    found["rows"][1] = row("undial", ends=("forgotten",), recited=0.45)
    page = pages.defaults_page(found)
    assert "| `npo` | 0.250 ± 0.500 |" in page
    assert "| 15 | 1 finished, 1 collapsed |" in page
    assert "| forgotten, over-forgotten |" in page
    assert "MA forget 0.600" in page


def test_verdicts_come_first() -> None:
    claim = {
        "key": "a",
        "statement": "It holds.",
        "paper": "https://example.org",
        "rule": "Always.",
    }
    claim |= {"verdict": "mixed", "numbers": ["Seed 0: 1.", "Seed 1: 2."]}
    untested = claim | {"key": "b", "verdict": "not tested", "numbers": []}
    page = pages.claims_page(
        {"retrained": {"recited": 0.55}, "rows": [row("a/icu")], "claims": [claim, untested]}
    )
    assert page.index("| a | It holds. ([paper](https://example.org)) | **mixed** |") > 0
    assert "## a. Mixed" in page and "- Seed 1: 2." in page
    assert "## b. Not tested" in page
    assert "MA forget 0.550" in page
    assert page.index("**mixed**") < page.index("- Seed 0: 1.") < page.index("`a/icu`")
    assert "| undial | 50 |" in page


def test_requests_in_a_row_are_curves() -> None:
    rows = [row(f"{m}/request-{n}") for m in ("npo", "undial") for n in (1, 2, 3, 4)]
    del rows[3]  # a chain that failed at its last request
    page = pages.PAGES["sequential"]({"rows": rows})
    assert "--preset sequential --seeds 0,1" in page
    heads = page.count("| method | request 1 | request 2 | request 3 | request 4 |")
    assert heads == len(FIGURES) + 1
    assert "| `npo` | finished at 10; collapsed at 20 |" in page
    assert page.count("not reached") == heads
    assert "| `npo` | 0.250 ± 0.500 | 0.250 ± 0.500 | 0.250 ± 0.500 | not reached |" in page
    assert curves({"rows": rows}, "recited")["undial"][3]["mean"] == 0.6
    grown = pages.PAGES["growing"]({"rows": [row("npo/1-quarters"), row("npo/2-quarters")]})
    assert "| method | quarters 1 | quarters 2 |" in grown
