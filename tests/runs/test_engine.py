"""A run from start to end: repeatable, continuable, undisturbed by side requests."""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file

from tests.runs.conftest import TEXTS, passages
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.methods.base import Method
from unlearning.methods.ngdiff import NGDiff
from unlearning.runs import remembered
from unlearning.runs.collapse import Detector
from unlearning.runs.engine import Engine
from unlearning.runs.evaluation import export_merged
from unlearning.runs.events import Health
from unlearning.runs.prepare import check_left, kept_step
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import ModelShelf, open_model, origin
from unlearning.runs.sides import Sides
from unlearning.runs.training import Loop
from unlearning.runs.view import view_of

pytestmark = pytest.mark.usefixtures("quick")


def carry_out(store, config, texts=TEXTS, *, resume=None, until=None, between=None, stop=None):
    """Run it inline and write the log; `until(event)` breaks off as a killed process would."""
    run_id = resume or store.create(config, texts)
    engine = Engine(store, run_id, ModelShelf())
    for event in engine.events(resume=resume is not None, stop=stop or (lambda: False)):
        store.append(run_id, event)
        if between is not None:
            between(engine, event)
        if until is not None and until(event):
            return run_id, engine
    return run_id, engine


def repeatable(store, run_id):
    return [event.repeatable() for event in store.read(run_id)[0]]


def losses(store, run_id):
    return {e.step: (e.terms, e.forget_nll) for e in store.read(run_id)[0] if e.kind == "stepped"}


def fits(store, run_id):
    steps = [e.extras for e in store.read(run_id)[0] if e.kind == "stepped"]
    return [extras["fitted_rate"] for extras in steps if "fitted_rate" in extras]


def is_step(number):
    return lambda event: event.kind == "stepped" and event.step == number


def tensors(folder):
    return {k: v for file in folder.glob("*.safetensors") for k, v in load_file(file).items()}


def same(some, others):
    return some.keys() == others.keys() and all(torch.equal(some[k], others[k]) for k in some)


def judged(monkeypatch, *looks):
    """Let the detector say this, look by look: how full its meter is, and whether to give up."""
    said = iter(looks)

    def judge(*_):
        meter, collapsed = next(said)
        return Health(meter=meter), collapsed

    monkeypatch.setattr(Detector, "judge", judge)


SETTINGS = {"icu": {"refine_every": 10_000}, "whp": {"reinforce_steps": 2}}
"""Settings with which a model that recites nothing goes through all that a method does."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """All methods set out from the same two: with an adapter, and without."""
    return tmp_path_factory.mktemp("originals")


@pytest.mark.whole_panel
@pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_runs_to_its_end(store, short, name, rank, monkeypatch, originals):
    (store.path / remembered.FOLDER).symlink_to(originals)
    monkeypatch.setattr(METHODS[name], "stop", Method.stop)
    chosen = SETTINGS.get(name, {})
    config = short(method=name, lora_rank=rank, learning_rate=1e-3, hyperparameters=chosen)
    run_id, engine = carry_out(store, config)
    view = store.view(run_id)
    assert view.status == "finished"
    assert view.step == 6
    assert view.curve("forget_nll").steps == [1, 2, 3, 4, 5, 6]
    assert all(map(math.isfinite, view.curve("forget_nll").values))
    assert sorted(view.answers) == [0, 2, 4, 6]
    assert store.snapshots(run_id) == [0, 2, 4, 6]
    assert {"original", "unlearned"} <= set(view.scores)
    assert view.scores["unlearned"]["memorization_accuracy"].keys() >= {"forget", "retain"}
    moved = [e for e in store.read(run_id)[0] if e.kind == "stepped" and e.gradient_norm > 0]
    assert moved


@pytest.mark.whole_panel
@pytest.mark.parametrize("name", ["undial", "mean_teacher"])
def test_same_seed_same_events(store, short, name):
    first, _ = carry_out(store, short(method=name, seed=3))
    apart = type(store)(store.path.parent / "apart")  # which remembers nothing
    second, _ = carry_out(apart, short(method=name, seed=3))
    other, _ = carry_out(store, short(method=name, seed=4))
    assert repeatable(store, first) == repeatable(apart, second)
    assert losses(store, first) != losses(store, other)


@pytest.mark.parametrize("name", ["undial", "mean_teacher"])
def test_looking_changes_nothing_of_what_is_learned(store, short, name):
    often, _ = carry_out(store, short(method=name, probe_every=1))
    seldom, _ = carry_out(store, short(method=name, probe_every=1000))
    assert losses(store, often) == losses(store, seldom)
    assert store.view(often).scores["unlearned"] == store.view(seldom).scores["unlearned"]


@pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
@pytest.mark.parametrize(
    "name", ["npo", "mean_teacher", "ngdiff", "pdu", "rmu", "task_vector", "whp"]
)
def test_a_killed_run_goes_on_with_the_losses_of_an_uninterrupted_one(store, short, name, rank):
    chosen = SETTINGS.get(name, {})
    config = short(method=name, lora_rank=rank, learning_rate=1e-3, hyperparameters=chosen)
    whole, _ = carry_out(store, config)
    broken, _ = carry_out(store, config, until=is_step(5))
    assert store.view(broken).step == 5
    carry_out(store, config, resume=broken)
    assert losses(store, broken) == losses(store, whole)
    view = store.view(broken)
    assert view.status == "finished"
    assert view.curve("forget_nll").steps == [1, 2, 3, 4, 5, 6]
    assert view.scores["unlearned"] == store.view(whole).scores["unlearned"]


@pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
def test_a_result_other_than_the_student_goes_on_from_the_student(store, short, tmp_path, rank):
    def config(steps):
        return short(
            method="mean_teacher",
            hyperparameters={"handed": "teacher"},
            lora_rank=rank,
            steps=steps,
        )

    whole, _ = carry_out(store, config(6))
    run_id, engine = carry_out(store, config(4))
    teacher = engine.versions.state("teacher")
    _, opened = open_model(
        origin(store, f"run:{run_id}"), lora_rank=rank, device="cpu", dtype="auto", seed=0
    )
    assert same(opened.state("student"), teacher)
    request = GenerateRequest(sides=(f"run:{run_id}",), prompts=("The heron",), max_new_tokens=6)
    live = list(Sides(store, ModelShelf()).stream(request, engine=engine))
    assert list(Sides(store, ModelShelf()).stream(request)) == live
    export_merged(store, run_id, tmp_path / "result", "cpu")
    engine.versions.merged(tmp_path / "teacher", "teacher")
    assert same(tensors(tmp_path / "result"), tensors(tmp_path / "teacher"))

    store.change_config(run_id, steps=6)
    carry_out(store, None, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)
    assert store.view(run_id).scores["unlearned"] == store.view(whole).scores["unlearned"]


def test_a_result_other_than_the_student_leaves_what_was_rolled_back_to(store, short, monkeypatch):
    config = short(
        method="mean_teacher", hyperparameters={"handed": "teacher"}, stop_on_collapse=True
    )
    whole, _ = carry_out(store, config)
    judged(monkeypatch, (0.0, False), (1.0, True))
    run_id, engine = carry_out(store, config)
    assert store.view(run_id).ended.step == 2
    kept, there = (store.folder(i) / "snapshots" / "step-2" for i in (run_id, whole))
    assert same(tensors(kept / "student"), tensors(there / "student"))
    found = origin(store, f"run:{run_id}").adapter
    assert found.parent == kept
    assert not same(tensors(found), tensors(kept / "student"))
    engine.versions.save("teacher", store.path / "teacher")
    assert same(tensors(found), tensors(store.path / "teacher"))


def test_what_a_roll_back_left_behind_is_not_gone_on_with(store, short, monkeypatch):
    config = short(method="npo", stop_on_collapse=True)
    whole, _ = carry_out(store, config)
    with monkeypatch.context() as patch:
        judged(patch, (0.0, False), (0.9, False), (1.0, True))
        run_id, _ = carry_out(store, config)
    assert store.snapshots(run_id) == [0, 2, 4]  # to look back at
    assert store.view(run_id).ended.step == kept_step(store, run_id) == 2
    check_left(store, run_id, 3)
    with pytest.raises(UserError, match="done 2 of 1"):
        check_left(store, run_id, 1)

    carry_out(store, config, resume=run_id, until=lambda event: event.kind == "resumed")
    assert store.snapshots(run_id) == [0, 2]
    assert kept_step(store, run_id) == 2

    at_four = []

    def between(engine, event):
        if is_step(4)(event):
            at_four.append(event)

    # The stop is seen by the probe of step 4, before its snapshot.
    carry_out(store, config, resume=run_id, between=between, stop=lambda: bool(at_four))
    assert (store.view(run_id).status, store.snapshots(run_id)) == ("stopped", [0, 2, 4])
    kept, there = (store.folder(i) / "snapshots" / "step-4" for i in (run_id, whole))
    assert same(tensors(kept / "student"), tensors(there / "student"))
    carry_out(store, config, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)


def test_a_run_killed_after_its_roll_back_stands_where_it_went_back_to(store, short, monkeypatch):
    judged(monkeypatch, (0.0, False), (0.9, False), (1.0, True))
    run_id, _ = carry_out(
        store, short(stop_on_collapse=True), until=lambda event: event.kind == "rolled_back"
    )
    assert (store.snapshots(run_id), kept_step(store, run_id)) == ([0, 2, 4], 2)


def test_half_written_snapshots_are_swept(store, short):
    config = short()
    run_id, _ = carry_out(store, config, until=is_step(3))
    folder = store.folder(run_id) / "snapshots"
    for draft in (".step-4-0a1b2c", ".reference-0a1b2c3d", "step-2/.handed-0a1b2c3d"):
        (folder / draft / "student").mkdir(parents=True)
    carry_out(store, config, resume=run_id)
    assert list(folder.rglob(".*")) == []
    assert store.snapshots(run_id) == [0, 2, 4, 6]


def test_side_requests_leave_the_losses_alone(store, short):
    config = short(method="mean_teacher")
    quiet, _ = carry_out(store, config)
    heard = []

    def ask(engine, event):
        if event.kind == "stepped":
            sides = (f"original:{engine.run_id}", f"run:{engine.run_id}")
            request = GenerateRequest(
                sides=sides, prompts=("The heron",), max_new_tokens=6, temperature=0.9, seed=1
            )
            found = list(Sides(store, ModelShelf()).stream(request, engine=engine))
            heard.append(sum(d.kind == "delta" for d in found))

    busy, _ = carry_out(store, config, between=ask)
    assert len(heard) == 6
    assert all(heard)
    assert repeatable(store, busy) == repeatable(store, quiet)


def test_base_weights_stay_after_five_runs(store, short):
    hashes = set()
    for seed in range(5):
        _, engine = carry_out(store, short(steps=2, seed=seed, learning_rate=0.1))
        hashes.add((engine.loaded.sha256, engine.versions.base_hash()))
    assert len(hashes) == 1


PROBED = {"rate_rule": "plain", "refresh": 1, "highest_rate": 2.0}


@pytest.mark.parametrize(("name", "chosen"), [("undial", {}), ("ngdiff", PROBED)])
def test_accumulation_changes_memory_not_losses(store, short, name, chosen):
    """Uneven lengths: means of means would differ, shares do not."""
    config = {"method": name, "hyperparameters": chosen, "steps": 3, "retain_batch_size": 12}
    if chosen:
        # Far enough out for the bend of the loss to stand above rounding.
        config["learning_rate"] = 2.0
    whole, _ = carry_out(store, short(**config))
    pieces, _ = carry_out(store, short(**config, accumulation=3))
    for step, (terms, nll) in losses(store, whole).items():
        cut_terms, cut_nll = losses(store, pieces)[step]
        assert cut_terms == pytest.approx(terms, rel=1e-3)
        assert cut_nll == pytest.approx(nll, rel=1e-3)
    assert fits(store, pieces) == pytest.approx(fits(store, whole), rel=1e-2)


def test_a_probe_reads_the_kept_text_alone_and_leaves_the_weights(store, short, monkeypatch):
    loss, read = NGDiff.loss, []

    def listening(self, batch):
        read.append({role for role, made in vars(batch).items() if made is not None})
        return loss(self, batch)

    config = short(method="ngdiff", steps=2)
    monkeypatch.setattr(NGDiff, "loss", listening)
    monkeypatch.setattr(Loop, "set_learning_rate", lambda *_: None)
    probed, _ = carry_out(store, config)
    assert sum("forget" in roles for roles in read) == 2
    assert len(read) >= 6
    assert all({"retain", "generic"} <= roles for roles in read)
    fixed, _ = carry_out(
        store, short(**{**config.model_dump(), "hyperparameters": {"rate_rule": "fixed"}})
    )
    assert losses(store, probed) == losses(store, fixed)


def test_stop_takes_effect_within_one_step(store, short):
    asked = []

    def between(engine, event):
        if event.kind == "stepped" and event.step == 3:
            store.ask_stop(engine.run_id)
            asked.append(engine.run_id)

    config = short(steps=50)
    run_id = store.create(config, TEXTS)
    engine = Engine(store, run_id, ModelShelf())
    for event in engine.events(stop=lambda: store.stop_asked(run_id)):
        store.append(run_id, event)
        between(engine, event)
    view = store.view(run_id)
    assert view.status == "stopped"
    assert view.step == 3
    assert store.snapshots(run_id)[-1] == 3
    assert "unlearned" in view.scores
    carry_out(store, config, resume=run_id, until=is_step(5))
    assert store.view(run_id).curve("forget_nll").steps == [1, 2, 3, 4, 5]


def test_stop_before_the_first_step_ends_the_run(store, short):
    run_id, _ = carry_out(store, short(), stop=lambda: True)
    assert store.view(run_id).status == "stopped"


def test_a_loss_that_is_not_finite_stops_and_rolls_back(store, short):
    config = short(method="gradient_ascent", learning_rate=10.0, steps=40, stop_on_collapse=True)
    run_id, engine = carry_out(store, config)
    view = store.view(run_id)
    assert view.status == "collapsed"
    assert view.collapse.answers
    assert view.rolled_back.to < view.collapse.step
    assert view.ended.step == view.rolled_back.to
    finite = [p for _, p in engine.versions.trainable()]
    assert all(bool(p.isfinite().all()) for p in finite)


def test_teach_first_makes_the_taught_model_the_original(store, short):
    config = short(teach_first=True, teach_steps=40, lora_rank=8, learning_rate=3e-3)
    run_id, _ = carry_out(store, config, {"forget": passages(0, 3)})
    view = store.view(run_id)
    taught = view.curve("teach/memorized").values
    assert taught[-1] > view.levels.scores["memorization_accuracy"] + 0.2
    assert view.levels.source == "untaught"
    before = view.scores["original"]["memorization_accuracy"]["forget"].value
    assert before == pytest.approx(taught[-1], abs=0.05)
    assert any("writes by itself" in notice for notice in view.notices)


def test_a_taught_run_continues_too(store, short):
    config = short(teach_first=True, teach_steps=10, learning_rate=3e-3)
    texts = {"forget": passages(0, 3), "retain": passages(40, 4)}
    whole, _ = carry_out(store, config, texts)
    broken, _ = carry_out(store, config, texts, until=is_step(3))
    carry_out(store, config, texts, resume=broken)
    assert losses(store, broken) == losses(store, whole)


def test_a_second_request_starts_from_the_first_ones_result(store, short):
    first, _ = carry_out(store, short())
    texts = {**TEXTS, "forget": passages(200, 4)}
    second, engine = carry_out(store, short(model=f"run:{first}@4"), texts)
    assert engine.versions.has("reference")
    answers = store.view(second).answers[0]
    assert all(a.original == a.unlearned for a in answers)
    sides = Sides(store, ModelShelf())
    request = GenerateRequest(
        sides=(f"original:{second}", f"run:{first}@4"), prompts=("The keeper",), max_new_tokens=8
    )
    said = ["", ""]
    for delta in sides.stream(request):
        said[delta.side] += delta.text
    assert said[0] == said[1]


@pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
def test_sides_of_a_finished_run(store, short, rank):
    run_id, engine = carry_out(store, short(lora_rank=rank, learning_rate=3e-2))
    request = GenerateRequest(
        sides=(f"original:{run_id}", f"run:{run_id}", f"run:{run_id}@0", str(engine.config.model)),
        prompts=("The heron stands", "A kite"),
        max_new_tokens=10,
    )
    said = {}
    for delta in Sides(store, ModelShelf()).stream(request):
        if delta.kind == "delta":
            key = (delta.side, delta.prompt)
            said[key] = said.get(key, "") + delta.text
    for prompt in range(2):
        assert said.get((0, prompt)) == said.get((2, prompt)) == said.get((3, prompt))


def test_an_unknown_side_is_said_clearly(store, short):
    request = GenerateRequest(sides=("run:0000000000",), prompts=("x y",))
    with pytest.raises(UserError, match="no run"):
        list(Sides(store, ModelShelf()).stream(request))


@pytest.mark.parametrize("step", ["²", "99", "-2", "x", "9" * 5000])
def test_an_unknown_snapshot_is_said_clearly(store, short, step):
    run_id, _ = carry_out(store, short(), until=is_step(3))
    with pytest.raises(UserError, match="no snapshot of step") as error:
        kept_step(store, run_id, step)
    assert error.value.hint == "It has: 0, 2."


def test_forgotten_is_seen_and_stops(store, short):
    """A random model recites nothing, so its forget text is at the holdout level at once."""
    config = short(stop_when_forgotten=True, method="npo", steps=20)
    run_id, _ = carry_out(store, config, {**TEXTS, "holdout": TEXTS["forget"]})
    view = store.view(run_id)
    assert view.status == "finished"
    assert view.stopped.why == "forgotten"
    assert view.step == view.forgotten_at < 20


def test_a_model_that_lost_its_language_has_not_forgotten(store, short, monkeypatch):
    broken = Health(meter=1.0, signs=("it repeats itself",))
    monkeypatch.setattr(Detector, "judge", lambda *_, **__: (broken, False))
    config = short(stop_when_forgotten=True, method="npo")
    run_id, _ = carry_out(store, config, {**TEXTS, "holdout": TEXTS["forget"]})
    view = store.view(run_id)
    assert view.forgotten_at is not None
    assert (view.stopped, view.step) == (None, 6)


def test_prompts_of_ones_own_are_answered(store, short):
    own = ("the heron stands by", "Where does the heron stand?")
    run_id, _ = carry_out(store, short(prompts=own, steps=2))
    view = store.view(run_id)
    assert view.status == "finished"
    pinned = [answer for answer in view.answers[2] if answer.role == "pinned"]
    assert tuple(answer.prompt for answer in pinned) == own


def test_the_log_folds_to_the_same_view_from_disk(store, short):
    run_id, _ = carry_out(store, short())
    events, _ = store.read(run_id)
    assert view_of(events) == store.view(run_id)
