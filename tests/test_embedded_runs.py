"""Runs on the embedded model as a newcomer starts them; one of them with all that it measures."""

from __future__ import annotations

import json

import pytest

from tests.runs.conftest import quick
from unlearning.cli import main
from unlearning.runs.remembered import FOLDER
from unlearning.runs.store import RunStore

__all__ = ["quick"]

PRESETS = ["--forget", "preset:world/forget", "--retain", "preset:world/retain"]


@pytest.fixture
def run(tmp_path, capsys, originals):
    """A run of the embedded model; gives (exit status, result, view)."""

    def act(method: str, *more: str, remembering: bool = True):
        if remembering:
            (tmp_path / FOLDER).symlink_to(originals)
        words = ["run", "--runs", str(tmp_path), "--model", "demo", *PRESETS, "--device", "cpu"]
        status = main([*words, "--method", method, "--json", *more])
        found = json.loads(capsys.readouterr().out.strip().split("\n")[-1])
        return status, found, RunStore(tmp_path).view(found["run_id"])

    return act


def value(found: dict, stage: str, metric: str, role: str) -> float:
    return float(found["metrics"][stage][metric][role]["value"])


def test_undial_forgets_and_keeps(run):
    status, found, view = run("undial")
    assert status == 0
    assert not found["collapsed"]
    original = value(found, "original", "extraction_likelihood", "forget")
    assert original > 0.95
    assert value(found, "unlearned", "extraction_likelihood", "forget") <= 0.10 * original
    assert value(found, "unlearned", "memorization_accuracy", "retain") >= 0.90
    ratio = value(found, "unlearned", "perplexity", "generic") / value(
        found, "original", "perplexity", "generic"
    )
    assert ratio <= 1.05
    assert view.levels.source == "retrained"


@pytest.mark.usefixtures("quick")
def test_gradient_ascent_collapses_is_seen_and_rolled_back(run):
    status, found, view = run("gradient_ascent", remembering=False)
    assert status == 3
    assert found["status"] == "collapsed"
    assert any(answer.looped for answer in view.collapse.answers)
    assert view.rolled_back.to < view.collapse.step
    kept = value(found, "unlearned", "memorization_accuracy", "retain")
    assert kept > 0.7 * value(found, "original", "memorization_accuracy", "retain")


@pytest.mark.usefixtures("quick")
def test_a_tenth_of_that_learning_rate_gives_no_false_alarm(run):
    status, _, view = run("gradient_ascent", "--lr", "2e-4", remembering=False)
    assert status == 0
    assert view.status == "finished"
    assert view.collapse is None
    assert max(view.curve("health").values) < 1.0
