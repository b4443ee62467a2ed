"""What was measured of an untouched model is not measured again."""

from __future__ import annotations

import os
import time

import pytest

from tests.runs.conftest import TEXTS
from tests.runs.test_engine import carry_out, repeatable
from unlearning.runs import engine as engines
from unlearning.runs import remembered
from unlearning.runs.events import Measured


@pytest.fixture
def looked(monkeypatch):
    """Which versions the panel looked at, in order."""
    seen, panel = [], engines.panel

    def watched(versions, version, *args, **kwargs):
        seen.append(version)
        return panel(versions, version, *args, **kwargs)

    monkeypatch.setattr(engines, "panel", watched)
    return seen


@pytest.fixture
def run(store, short, looked):
    """Carry a run out; returns its id and how many panels it took."""

    def make(texts=TEXTS, **changes):
        before = len(looked)
        run_id, _ = carry_out(store, short(**{"steps": 2} | changes), texts)
        return run_id, len(looked) - before

    return make


def test_the_second_run_says_the_same_of_the_original(store, run):
    first, panels = run()
    assert panels == 2
    second, panels = run()
    assert panels == 1
    assert repeatable(store, first) == repeatable(store, second)
    assert store.view(second).scores["original"] == store.view(first).scores["original"]
    _, panels = run(method="npo", seed=5)
    assert panels == 1, "another method sets out from the same original"


@pytest.mark.usefixtures("quick")
def test_what_is_not_the_same_is_measured(store, run):
    run()
    fewer = TEXTS | {"retain": TEXTS["retain"][:-1]}
    assert run(fewer)[1] == 2
    assert run(max_length=40)[1] == 2
    assert run(lora_rank=0)[1] == 2
    assert run(teach_first=True, teach_steps=2)[1] == 2
    done, _ = run()
    assert run(model=f"run:{done}")[1] == 2
    assert run(teach_first=True, teach_steps=2)[1] == 2, "a taught model is never remembered"


@pytest.mark.usefixtures("quick")
def test_other_code_measures_anew(store, run, monkeypatch):
    run()
    monkeypatch.setattr(remembered, "_code", lambda: "changed")
    assert run()[1] == 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("broken", ["", "{", '{"kind": "measured"}'])
def test_a_broken_file_is_measured_anew(store, run, broken):
    first, _ = run()
    (kept,) = (store.path / remembered.FOLDER).iterdir()
    kept.write_text(broken)
    second, panels = run()
    assert panels == 2 and repeatable(store, first) == repeatable(store, second)
    assert run()[1] == 1


def test_no_text_is_kept(store, run):
    run()
    (kept,) = (store.path / remembered.FOLDER).iterdir()
    words = {w for examples in TEXTS.values() for e in examples for w in e.target.split()}
    long = [word for word in words if len(word) > 7]
    assert long and not any(word in kept.read_text() for word in long)


def test_what_was_not_used_for_longest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 2)
    a, b, c = (tmp_path / remembered.FOLDER / f"{name}.json" for name in "abc")
    for age, path in ((30, a), (20, b)):
        remembered.keep(path, Measured(stage="original", scores={}))
        os.utime(path, (time.time() - age,) * 2)
    assert remembered.recall(a) is not None
    remembered.keep(c, Measured(stage="original", scores={}))
    assert a.is_file() and c.is_file() and not b.is_file()
