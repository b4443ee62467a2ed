"""ICU in whole runs: the list shrinks, ends the run, and survives a killed process."""

from __future__ import annotations

import json

import pytest

from tests.runs.conftest import TEXTS, passages
from tests.runs.test_engine import carry_out, is_step, losses, repeatable
from unlearning.methods.icu import ICU
from unlearning.runs.training import Loop

pytestmark = pytest.mark.usefixtures("quick")
FORGET = passages(0, 4, length=10)
KEPT = {"forget": FORGET, "retain": TEXTS["retain"], "generic": TEXTS["generic"]}


@pytest.fixture
def taught(short):
    """A run that learns its text by heart first, so that there is something to forget."""

    def make(**changes):
        settings = {"teach_first": True, "teach_steps": 60, "lora_rank": 8, "steps": 30}
        settings |= {"method": "icu", "learning_rate": 3e-3, "batch_size": 2}
        settings |= {"hyperparameters": {"refine_every": 0, "retain_weight": 0.0}}
        return short(**{**settings, **changes})

    return make


def remaining(store, run_id):
    return store.view(run_id).curve("extra/samples_remaining").values


def saved_state(store, run_id):
    step = store.snapshots(run_id)[-1]
    path = store.folder(run_id) / "snapshots" / f"step-{step}" / "state.json"
    return json.loads(path.read_text())["method"]


def test_the_list_empties_and_ends_the_run(store, taught):
    config = taught(probe_every=50, snapshot_every=50, learning_rate=1e-2)
    run_id, _ = carry_out(store, config, KEPT)
    view, left = store.view(run_id), remaining(store, run_id)
    assert (left[0], left[-1]) == (4, 0)
    assert view.stopped.why == "rule"
    assert "No text is left" in view.stopped.message
    assert view.step == len(left) < 30
    assert len(view.answers) == 2  # looked at in the end, though no probe was due
    state = saved_state(store, run_id)
    assert state["listed"] == []
    on_list = set(range(4))
    for change in state["changes"]:
        assert set(change["left"]) <= on_list
        on_list = on_list - set(change["left"]) | set(change["back"])
    assert on_list == set()


def test_no_step_is_made_with_an_empty_list(store, taught):
    config = taught(probe_every=50, learning_rate=1e-2)
    run_id, _ = carry_out(store, config, KEPT)
    at = store.view(run_id).step
    carry_out(store, config, KEPT, resume=run_id)
    view = store.view(run_id)
    assert (view.step, view.status) == (at, "finished")
    steps = [e for e in store.read(run_id)[0] if e.kind == "stepped"]
    assert all("forget" in step.terms and step.gradient_norm > 0 for step in steps)


def test_a_killed_run_goes_on_with_the_same_list(store, taught):
    config = taught(hyperparameters={"refine_every": 2, "accuracy_level": 0.5}, steps=16)
    whole, _ = carry_out(store, config, KEPT)
    changed = [change["step"] for change in saved_state(store, whole)["changes"]]
    # Broken off between a change that was saved and one that is still to come.
    broken, _ = carry_out(store, config, KEPT, until=is_step(changed[0] + 1))
    assert store.view(broken).step < changed[-1]
    carry_out(store, config, KEPT, resume=broken)
    assert losses(store, broken) == losses(store, whole)
    assert remaining(store, broken) == remaining(store, whole)
    assert saved_state(store, broken) == saved_state(store, whole)


@pytest.mark.parametrize("rank", [8, 0], ids=["lora", "full"])
def test_same_seed_same_events(store, short, rank):
    chosen = {"accuracy_level": 0.0, "refine_every": 2}
    config = short(method="icu", lora_rank=rank, hyperparameters=chosen, learning_rate=1e-3)
    first, _ = carry_out(store, config)
    second, _ = carry_out(store, config)
    assert repeatable(store, first) == repeatable(store, second)
    assert len(losses(store, first)) > 1


def test_every_text_meets_only_its_own_look_alike_in_a_run(store, short, monkeypatch):
    drawn = []
    original = Loop._draw

    def remember(loop):
        micro = original(loop)
        drawn.extend((loop, part) for part in micro)
        return micro

    monkeypatch.setattr(Loop, "_draw", remember)
    config = short(method="icu", accumulation=2, hyperparameters={"refine_every": 10_000})
    carry_out(store, config)
    assert drawn
    for loop, part in drawn:
        sets = {role: [e.ids for e in loop.sets[role].encoded] for role in ("forget", "analogous")}
        pairs = zip(*(whole_rows(part[role][0]) for role in sets), strict=True)
        for forget, alike in pairs:
            assert sets["analogous"][sets["forget"].index(forget)] == alike


def whole_rows(tokens):
    pairs = zip(tokens.ids_BT, tokens.attention_BT, strict=True)
    return [tuple(ids[mask.bool()].tolist()) for ids, mask in pairs]


def test_the_published_test_runs_on_a_model(store, taught):
    config = taught(hyperparameters={"test": "written"}, steps=4, lora_rank=4)
    run_id, engine = carry_out(store, config, KEPT)
    assert any("BLEU alone" in notice for notice in store.view(run_id).notices)
    assert remaining(store, run_id)
    assert isinstance(engine.method, ICU)
