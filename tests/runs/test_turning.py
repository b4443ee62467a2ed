"""Back to an earlier step, and on from there; pausing, and going on as if nothing had been."""

# ruff: noqa: F811  the fixtures of another file are asked for by name

from __future__ import annotations

import pytest

from tests.runs.conftest import TEXTS
from tests.runs.test_engine import carry_out, is_step, judged, losses, repeatable, same, tensors
from tests.runs.test_scheduler import (  # noqa: F401
    ANNA,
    BERT,
    ended,
    scheduler,
    submit,
    worker,
)
from unlearning.errors import UserError
from unlearning.runs import turning
from unlearning.runs.engine import Engine
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.sides import Sides
from unlearning.runs.turning import Turn

pytestmark = pytest.mark.usefixtures("quick")


def go_on(store, run_id, turn, **given):
    turning.ask(store, run_id, turn)
    return carry_out(store, None, resume=run_id, **given)


def after(store, run_id, kind):
    """Repeatable events after the last one of that kind."""
    said = repeatable(store, run_id)
    last = max(i for i, event in enumerate(said) if event["kind"] == kind)
    return said[last + 1 :]


@pytest.mark.parametrize("name", ["undial", "ngdiff", "task_vector"])
def test_from_an_earlier_step_the_run_goes_the_same_way_again(store, short, name):
    config = short(method=name, learning_rate=1e-3)
    run_id, _ = carry_out(store, config)
    whole = losses(store, run_id)
    first = store.view(run_id)
    _, engine = go_on(store, run_id, Turn(step=2))
    assert losses(store, run_id) == whole
    again = store.view(run_id)
    assert again.scores == first.scores and again.answers == first.answers
    assert again.snapshots == store.snapshots(run_id) == [0, 2, 4, 6]
    assert turning.asked(store, run_id) is None
    # What it says from there on is what it said the first time.
    said = repeatable(store, run_id)
    second = after(store, run_id, "resumed")
    begun = next(i for i, e in enumerate(said) if e["kind"] == "stepped" and e["step"] == 3)
    wanted = [e for e in said[begun : begun + len(second) - 1] if e["kind"] != "entered"]
    assert [e for e in second if e["kind"] != "entered"] == wanted


def test_what_lay_beyond_is_dropped_once_the_run_is_there(store, short):
    run_id, _ = carry_out(store, short())
    go_on(store, run_id, Turn(step=2), until=lambda event: event.kind == "resumed")
    assert store.snapshots(run_id) == [0, 2]
    view = store.view(run_id)
    assert view.step == 2 and max(view.answers) == 2 and "unlearned" not in view.scores


def test_a_kept_step_is_the_result_of_a_shorter_run(store, short):
    config = short(method="mean_teacher", hyperparameters={"handed": "teacher"})
    run_id, _ = carry_out(store, config)
    shorter, _ = carry_out(store, config.model_copy(update={"steps": 2}))
    go_on(store, run_id, Turn(step=2, keep=True))
    view = store.view(run_id)
    assert (view.status, view.step, view.ended.step) == ("stopped", 2, 2)
    assert view.rolled_back.asked and view.rolled_back.step == 6
    assert view.scores == store.view(shorter).scores
    # Later snapshots stay, to look back at, and so do the curves.
    assert store.snapshots(run_id) == [0, 2, 4, 6] and max(view.answers) == 6
    request = GenerateRequest(sides=(f"run:{run_id}",), prompts=("The heron",), max_new_tokens=8)
    other = request.model_copy(update={"sides": (f"run:{shorter}",)})
    said, wanted = (
        [(d.kind, d.text) for d in Sides(store, ModelShelf()).stream(r)] for r in (request, other)
    )
    assert said == wanted
    # And it goes on from there with the losses of the uninterrupted run.
    whole = losses(store, run_id)
    go_on(store, run_id, None)
    assert losses(store, run_id) == whole and store.view(run_id).status == "finished"


def test_a_pause_keeps_that_very_step_and_measures_nothing(store, short):
    config = short(method="mean_teacher")
    whole, _ = carry_out(store, config)
    run_id, flag = store.create(config, TEXTS), []

    def between(engine, event):
        if is_step(3)(event):
            store.ask_stop(run_id, pause=True)
            flag.append(True)

    engine = Engine(store, run_id, ModelShelf())
    for event in engine.events(stop=lambda: store.stop_asked(run_id)):
        store.append(run_id, event)
        between(engine, event)
    view = store.view(run_id)
    assert flag and (view.status, view.step, view.stopped.why) == ("stopped", 3, "paused")
    assert store.snapshots(run_id) == [0, 2, 3] and "unlearned" not in view.scores
    assert not store.stop_asked(run_id)
    carry_out(store, None, resume=run_id)
    assert losses(store, run_id) == losses(store, whole)
    assert store.view(run_id).scores == store.view(whole).scores
    kept, there = (store.folder(i) / "snapshots" / "step-6" for i in (run_id, whole))
    assert same(tensors(kept / "student"), tensors(there / "student"))


def test_a_collapsed_run_may_be_kept_elsewhere(store, short, monkeypatch):
    config = short(stop_on_collapse=True)
    with monkeypatch.context() as patch:
        judged(patch, (0.0, False), (0.3, False), (1.0, True))
        run_id, _ = carry_out(store, config)
    assert store.view(run_id).step == 4
    go_on(store, run_id, Turn(step=2, keep=True))
    view = store.view(run_id)
    assert (view.status, view.step) == ("stopped", 2) and view.collapse is not None


def test_a_turn_that_cannot_be_read_is_none(store, short):
    run_id = store.create(short(), TEXTS)
    for text in ("", "{", '{"step": -1}', '{"step": "x"}'):
        (store.folder(run_id) / "turn.json").write_text(text)
        assert turning.asked(store, run_id) is None
    turning.ask(store, run_id, Turn(step=4, keep=True))
    assert turning.asked(store, run_id) == Turn(step=4, keep=True)
    turning.ask(store, run_id, None)
    assert turning.asked(store, run_id) is None


class TestScheduler:
    def test_the_owner_chooses_the_step(self, store, scheduler, worker, ended):
        scheduler.resume(ended, ANNA, step=1)
        assert turning.asked(store, ended) == Turn(step=1) and worker.resumed == [ended]

    def test_roll_back_asks_for_that_step_alone(self, store, scheduler, worker, ended):
        scheduler.roll_back(ended, 2, ANNA)
        assert turning.asked(store, ended) == Turn(step=2, keep=True)
        assert scheduler.status(ended) == "queued"
        with pytest.raises(UserError, match="still queued"):
            scheduler.roll_back(ended, 1, ANNA)

    def test_taken_back_it_leaves_everything(self, store, scheduler, ended):
        scheduler.roll_back(ended, 1, ANNA)
        scheduler.stop(ended, ANNA)
        assert turning.asked(store, ended) is None
        assert scheduler.view(ended).step == 3 and scheduler.status(ended) == "stopped"

    def test_plain_going_on_forgets_an_older_wish(self, store, scheduler, ended):
        turning.ask(store, ended, Turn(step=1))
        scheduler.resume(ended, ANNA)
        assert turning.asked(store, ended) is None

    @pytest.mark.parametrize("step", [-1, 4, 99])
    def test_a_step_without_snapshot_is_refused(
        self,
        store,
        scheduler,
        worker,
        ended,
        step,
    ):
        for change in (
            lambda: scheduler.resume(ended, ANNA, step=step),
            lambda: scheduler.roll_back(ended, step, ANNA),
        ):
            with pytest.raises(UserError, match="no snapshot of step"):
                change()
        assert worker.waiting == [] and turning.asked(store, ended) is None

    def test_strangers_change_nothing(self, store, scheduler, worker, ended):
        live = submit(scheduler)
        for change in (
            lambda: scheduler.resume(ended, BERT, step=1),
            lambda: scheduler.roll_back(ended, 1, BERT),
            lambda: scheduler.stop(live, BERT, pause=True),
        ):
            with pytest.raises(UserError, match="belongs to somebody else"):
                change()
        assert turning.asked(store, ended) is None and not store.stop_asked(live)

    def test_a_stop_overrules_a_pause(self, store, scheduler, worker):
        run_id = submit(scheduler)
        worker.advance()
        scheduler.stop(run_id, ANNA, pause=True)
        assert store.stop_asked(run_id) and store.pause_asked(run_id)
        scheduler.stop(run_id, ANNA)
        assert store.stop_asked(run_id) and not store.pause_asked(run_id)
