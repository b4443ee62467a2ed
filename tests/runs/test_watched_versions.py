"""Methods whose result is another version than the student: looked at, kept, gone back to."""

from __future__ import annotations

import pytest
import torch

from tests.runs.conftest import TEXTS, passages
from tests.runs.test_engine import carry_out, is_step, judged, losses, same, tensors
from unlearning.errors import UserError
from unlearning.runs.engine import Engine
from unlearning.runs.evaluation import export_merged
from unlearning.runs.measure import panel
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import ModelShelf, open_model, origin
from unlearning.runs.sides import Sides

pytestmark = pytest.mark.usefixtures("quick")
ranks = pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
STRENGTH = 3.0


def vector(short, rank, **changes):
    chosen = {"strength": STRENGTH}
    return short(method="task_vector", lora_rank=rank, hyperparameters=chosen, **changes)


def kept(store, run_id, step):
    return store.folder(run_id) / "snapshots" / f"step-{step}"


def assert_negated(folder, start):
    """What the snapshot stands for is the start minus the student's way, times the strength."""
    student, handed = tensors(folder / "student"), tensors(folder / "handed")
    assert student.keys() == handed.keys() == start.keys()
    for name, weight in handed.items():
        expected = start[name] - STRENGTH * (student[name] - start[name])
        torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


def moved(some, others):
    return {name for name in some if not torch.equal(some[name], others[name])}


@ranks
def test_every_snapshot_of_a_task_vector_stands_for_the_negated_weights(store, short, rank):
    run_id, engine = carry_out(store, vector(short, rank))
    start = tensors(kept(store, run_id, 0) / "student")
    for step in (0, 2, 4, 6):
        assert_negated(kept(store, run_id, step), start)
        found = origin(store, f"run:{run_id}@{step}")
        assert str(found.adapter or found.base).endswith(f"step-{step}/handed")
    last = kept(store, run_id, 6)
    assert moved(tensors(last / "handed"), start)
    changed = moved(tensors(last / "student"), start)
    assert all("lora_A" not in name for name in changed)
    # What stands as the student in the end is the result.
    assert same(engine.versions.state("student"), engine.versions.state("negated"))


@ranks
def test_the_probe_and_side_requests_look_at_the_negated_weights(store, short, rank):
    config = vector(short, rank, steps=2, learning_rate=3e-2, batch_size=6)
    asked = GenerateRequest(sides=("demo",), prompts=("The heron",), max_new_tokens=6)
    live = []

    def between(engine, event):
        if event.kind == "probed" and event.step == 2:
            sides = asked.model_copy(update={"sides": (f"run:{engine.run_id}",)})
            live.append(list(Sides(store, ModelShelf()).stream(sides, engine=engine)))
            live.append(event.scores)

    run_id, engine = carry_out(store, config, between=between)
    said, scores = live
    sides = asked.model_copy(update={"sides": (f"run:{run_id}",)})
    assert list(Sides(store, ModelShelf()).stream(sides)) == said
    ground = engine.ground
    found = panel(
        ground.versions, "negated", [ground.sets["forget"]], engine.loaded.tokenizer, lambda: False
    )
    assert scores["perplexity"]["forget"] == pytest.approx(found["perplexity"]["forget"].value)
    # The student recites better, the result worse.
    before = store.view(run_id).scores["original"]["perplexity"]["forget"].value
    first = store.view(run_id).curve("forget_nll").values
    assert first[1] < first[0]
    assert scores["perplexity"]["forget"] > before


@ranks
def test_a_roll_back_hands_over_the_negated_weights_of_its_step(store, short, rank, monkeypatch):
    config = vector(short, rank, stop_on_collapse=True)
    whole, _ = carry_out(store, config)
    with monkeypatch.context() as patch:
        judged(patch, (0.0, False), (1.0, True))
        run_id, engine = carry_out(store, config)
    assert store.view(run_id).ended.step == 2
    expected = tensors(kept(store, whole, 2) / "handed")
    assert same(tensors(kept(store, run_id, 2) / "handed"), expected)
    _, opened = open_model(
        origin(store, f"run:{run_id}"), lora_rank=rank, device="cpu", dtype="auto", seed=0
    )
    assert same(opened.state("student"), engine.versions.state("student"))
    carry_out(store, config, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)
    assert same(
        tensors(kept(store, run_id, 6) / "handed"), tensors(kept(store, whole, 6) / "handed")
    )


def test_negation_is_exact_from_another_runs_adapter(store, short):
    first, _ = carry_out(store, short(learning_rate=3e-2))
    texts = {**TEXTS, "forget": passages(200, 4)}
    second, _ = carry_out(store, vector(short, 4, model=f"run:{first}"), texts)
    start = tensors(kept(store, first, 6) / "student")
    assert same(tensors(kept(store, second, 0) / "student"), start)
    assert any(weight.abs().max() > 0 for name, weight in start.items() if "lora_B" in name)
    assert_negated(kept(store, second, 6), start)


PHASES = {"reinforce_steps": 3}


def whp(short, rank, **changes):
    return short(
        method="whp", lora_rank=rank, hyperparameters=PHASES, learning_rate=1e-3, **changes
    )


@ranks
def test_two_phases_of_whp(store, short, rank):
    run_id, engine = carry_out(store, whp(short, rank))
    steps = [e for e in store.read(run_id)[0] if e.kind == "stepped"]
    assert [set(step.terms) for step in steps] == [{"reinforce"}] * 3 + [
        {"forget", "retain", "generic"}
    ] * 3
    # The first phase draws nothing to keep.
    assert engine.loop.samplers["retain"].cursor == 3 * engine.loop._sizes["retain"]
    probes = {e.step: e.scores for e in store.read(run_id)[0] if e.kind == "probed"}
    assert probes[2]["perplexity"] == probes[0]["perplexity"]
    assert probes[6]["perplexity"] != probes[0]["perplexity"]
    # The student set out again where it had begun, with the loss of the first step.
    assert steps[3].terms["generic"] == pytest.approx(0.0, abs=1e-6)
    assert (kept(store, run_id, 2) / "handed").is_dir()
    assert not (kept(store, run_id, 4) / "handed").exists()


@ranks
def test_a_run_of_whp_that_ends_in_its_first_phase_hands_over_its_start(store, short, rank):
    run_id, engine = carry_out(store, whp(short, rank, steps=2))
    folder = kept(store, run_id, 2)
    start = tensors(kept(store, run_id, 0) / "student")
    assert same(tensors(folder / "handed"), start)
    assert moved(tensors(folder / "student"), start)
    scores = store.view(run_id).scores
    assert scores["unlearned"] == scores["original"]
    # It goes on from the student all the same.
    whole, _ = carry_out(store, whp(short, rank))
    store.change_config(run_id, steps=6)
    carry_out(store, None, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)


@ranks
def test_a_roll_back_into_the_first_phase_goes_on_like_the_first_time(
    store, short, rank, monkeypatch
):
    config = whp(short, rank, stop_on_collapse=True)
    whole, _ = carry_out(store, config)
    with monkeypatch.context() as patch:
        judged(patch, (0.0, False), (0.9, False), (1.0, True))
        run_id, _ = carry_out(store, config)
    assert store.view(run_id).ended.step == 2
    assert same(
        tensors(kept(store, run_id, 2) / "handed"), tensors(kept(store, run_id, 0) / "student")
    )
    carry_out(store, config, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)


def test_a_killed_task_vector_keeps_complete_snapshots(store, short, tmp_path):
    config = vector(short, 4)
    run_id, _ = carry_out(store, config, until=is_step(5))
    assert all((kept(store, run_id, step) / "handed").is_dir() for step in (0, 2, 4))
    export_merged(store, run_id, tmp_path / "result", "cpu")
    whole, _ = carry_out(store, config)
    carry_out(store, config, resume=run_id)
    assert same(
        tensors(kept(store, run_id, 6) / "handed"), tensors(kept(store, whole, 6) / "handed")
    )


NAMED = {
    **TEXTS,
    "forget": [
        one.model_copy(update={"text": one.text.replace("heron", "Heron", 2)})
        for one in TEXTS["forget"]
    ],
}
FOCUSED = {"focus": "names", "focus_hard": True}


def test_focus_reaches_the_loss_whatever_the_micro_batches(store, short):
    config = {"method": "undial", "hyperparameters": FOCUSED, "steps": 2, "retain_batch_size": 12}
    whole, engine = carry_out(store, short(**config), NAMED)
    pieces, _ = carry_out(store, short(**config, accumulation=3), NAMED)
    plain, _ = carry_out(store, short(**{**config, "hyperparameters": {}}), NAMED)
    assert any(item.focused for item in engine.ground.sets["forget"].encoded)
    assert all(item.focused == () for item in engine.ground.sets["retain"].encoded)
    for step, (terms, _) in losses(store, whole).items():
        assert losses(store, pieces)[step][0] == pytest.approx(terms, rel=1e-3)
    assert losses(store, whole)[1][0]["forget"] < losses(store, plain)[1][0]["forget"]
    curves = store.view(whole)
    for name in ("target_probability", "student_probability", "left_alone"):
        values = curves.curve(f"extra/{name}").values
        assert values == pytest.approx(store.view(pieces).curve(f"extra/{name}").values, rel=1e-3)
        assert all(0 <= value <= 1 for value in values)


def test_focus_on_nothing_ends_the_run_with_a_sentence(store, short):
    lower = {**TEXTS, "forget": passages(0, 3)}
    run_id = store.create(short(hyperparameters=FOCUSED), lower)
    with pytest.raises(UserError, match="finds no such word"):
        list(Engine(store, run_id, ModelShelf()).events())


def test_the_teachers_forget_loss_lags_behind_the_students(store, short):
    run_id, _ = carry_out(store, short(method="mean_teacher", learning_rate=3e-2))
    view = store.view(run_id)
    student = view.curve("forget_nll").values
    teacher = view.curve("extra/teacher_forget_nll").values
    assert len(teacher) == len(student) == 6
    assert teacher[0] == pytest.approx(student[0], rel=1e-5)
    assert teacher[-1] != student[-1]
