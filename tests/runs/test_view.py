"""The fold, fed by hand."""

from __future__ import annotations

import math

import pytest

from unlearning.runs.events import (
    Answer,
    Collapsed,
    Ended,
    Entered,
    Failed,
    Health,
    Levels,
    Measured,
    Noticed,
    Probed,
    Resumed,
    RolledBack,
    ScoreValue,
    Snapshotted,
    Started,
    Stepped,
    Stopped,
    Taught,
    read_event,
)
from unlearning.runs.view import Series, View, view_of


def started(steps: int = 10) -> Started:
    return Started(
        method="npo",
        model="demo",
        model_hash="0",
        steps=steps,
        learning_rate=1e-3,
        settings={},
        parameters=4,
        trainable=2,
        device="cpu",
        dtype="float32",
        counts={"forget": 1},
    )


def stepped(step: int, loss: float = 1.0, seconds: float = 1.0) -> Stepped:
    return Stepped(
        step=step,
        terms={"forget": loss, "retain": 2 * loss},
        forget_nll=loss,
        gradient_norm=0.5,
        learning_rate=1e-3,
        extras={"weight": 0.1},
        seconds=seconds,
    )


def probed(step: int, meter: float = 0.1, **changes) -> Probed:
    answer = Answer(role="forget", prompt="The heron", original="stands", unlearned=f"at {step}")
    return Probed(
        step=step,
        scores={"probability": {"forget": 1.0 / (1 + step)}},
        answers=(answer,),
        health=Health(meter=meter),
        **changes,
    )


def measured(stage: str, value: float) -> Measured:
    return Measured(stage=stage, scores={"probability": {"forget": ScoreValue(value=value)}})


def run_of(steps: int) -> list:
    events = [Entered(phase="loading"), started(), measured("original", 0.9)]
    events += [Entered(phase="training"), probed(0), Snapshotted(step=0)]
    for step in range(1, steps + 1):
        events += [stepped(step), probed(step), Snapshotted(step=step)]
    return events


def test_an_empty_log_is_a_run_that_waits():
    view = view_of([])
    assert (view.status, view.live, view.version, view.begun) == ("queued", True, 0, None)
    assert view.curve("forget_nll") == Series()
    assert view.series == {}  # asking for a curve makes none


def test_a_whole_run():
    events = [*run_of(3), measured("unlearned", 0.1), Ended(status="finished", step=3)]
    stamped = [event.model_copy(update={"time": 100.0 + i}) for i, event in enumerate(events)]
    view = view_of(stamped)
    assert (view.status, view.live, view.step, view.steps) == ("finished", False, 3, 10)
    assert (view.method, view.model) == ("npo", "demo")
    assert (view.begun, view.updated) == (100.0, 99.0 + len(events))
    assert view.version == len(events)
    assert view.curve("forget_nll") == Series([1, 2, 3], [1.0, 1.0, 1.0])
    assert view.curve("term/retain").values == [2.0, 2.0, 2.0]
    assert view.curve("extra/weight").steps == [1, 2, 3]
    assert view.curve("score/probability/forget") == Series([0, 1, 2, 3], [1, 1 / 2, 1 / 3, 1 / 4])
    assert view.answers[2][0].unlearned == "at 2"
    assert view.scores["unlearned"]["probability"]["forget"].value == 0.1
    assert view.snapshots == [0, 1, 2, 3]
    assert view.revision == 0


def test_step_time_is_smoothed():
    view = view_of([started(), stepped(1, seconds=1.0), stepped(2, seconds=2.0)])
    assert view.step_seconds == pytest.approx(0.8 * 1.0 + 0.2 * 2.0)


def test_a_continuation_voids_what_came_after_its_snapshot():
    end = [Stopped(step=5, why="asked"), measured("unlearned", 0.1)]
    events = [*run_of(3), stepped(4), probed(4, meter=0.9, forgotten=True, over_forgotten=True)]
    view = view_of([*events, stepped(5), *end, Ended(status="stopped", step=5)])
    assert view.forgotten_at == 4 and view.over_forgotten
    view.fold(Entered(phase="loading"))
    view.fold(Resumed(step=3, steps=20))
    assert (view.status, view.step, view.steps, view.revision) == ("running", 3, 20, 1)
    assert view.curve("forget_nll").steps == [1, 2, 3]
    assert view.curve("health").steps == [0, 1, 2, 3]
    assert sorted(view.answers) == [0, 1, 2, 3]
    assert view.snapshots == [0, 1, 2, 3]
    assert (view.stopped, view.ended, view.forgotten_at) == (None, None, None)
    assert (view.health.meter, view.over_forgotten) == (0.1, False)
    assert "unlearned" not in view.scores and "original" in view.scores
    view.fold(stepped(4, loss=7.0))
    assert view.curve("forget_nll") == Series([1, 2, 3, 4], [1.0, 1.0, 1.0, 7.0])


def test_a_continuation_is_as_if_nothing_had_gone_wrong():
    interrupted = [*run_of(5), stepped(6), Failed(message="killed"), Resumed(step=5, steps=10)]
    broken = view_of([*interrupted, stepped(6), Ended(status="finished", step=6)])
    whole = view_of([*run_of(5), stepped(6), Ended(status="finished", step=6)])
    for name in ("series", "answers", "snapshots", "scores", "status", "step", "ended", "failed"):
        assert getattr(broken, name) == getattr(whole, name), name


def test_an_end_without_failure_leaves_the_failure_before_behind():
    failed = [*run_of(3), Failed(message="killed")]
    assert view_of(failed).failed.message == "killed"
    stop = [Stopped(step=3, why="asked"), Ended(status="stopped", step=3)]
    view = view_of([*failed, Entered(phase="loading"), *stop])  # stopped before Resumed
    assert (view.status, view.step, view.failed) == ("stopped", 3, None)


def test_teaching_that_begins_again_draws_anew():
    view = view_of([Taught(step=step, loss=1.0, memorized=0.5) for step in (1, 2, 3)])
    assert view.curve("teach/loss").steps == [1, 2, 3] and view.taught == 3
    view.fold(Taught(step=1, loss=4.0))
    assert view.curve("teach/loss") == Series([1], [4.0])
    assert view.revision == 1


def test_teaching_survives_a_continuation():
    view = view_of([Taught(step=1, loss=1.0), Taught(step=2, loss=0.5), *run_of(4)])
    view.fold(Resumed(step=1, steps=10))
    assert view.curve("teach/loss").steps == [1, 2]
    assert view.curve("forget_nll").steps == [1]


def test_a_collapse_keeps_its_texts_and_goes_back():
    collapse = Collapsed(step=4, signs=("it repeats itself",), answers=probed(4).answers)
    view = view_of([*run_of(4), collapse, RolledBack(step=4, to=2)])
    assert (view.collapse, view.rolled_back.to, view.step) == (collapse, 2, 2)
    assert view.curve("forget_nll").steps == [1, 2, 3, 4]  # the fall stays visible
    kept = view.curve("health")
    assert view.health == Health(meter=kept.values[kept.steps.index(2)])
    view.fold(Ended(status="collapsed", step=2))
    assert (view.status, view.live) == ("collapsed", False)


def test_failure_notice_and_level():
    level = Levels(source="holdout", scores={"probability": 0.2})
    view = view_of([Noticed(message="No text to keep."), level, Failed(message="no", hint="so")])
    assert (view.status, view.failed.hint) == ("failed", "so")
    assert view.notices == ["No text to keep."]
    assert view.levels is level


def test_a_copy_stays_as_it_is():
    view = view_of(run_of(2))
    copy = view.copy()
    assert copy == view
    for event in (stepped(3), probed(3), Noticed(message="x"), measured("unlearned", 0.2)):
        view.fold(event)
    assert copy == view_of(run_of(2))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_survive(value):
    event = stepped(1, loss=value)
    line = event.model_dump_json()
    assert "null" not in line
    back = read_event(line)
    for found in (back.forget_nll, back.terms["forget"], back.terms["retain"]):
        assert found == value or (math.isnan(found) and math.isnan(value))
    score = read_event(measured("original", value).model_dump_json())
    found = score.scores["probability"]["forget"]
    assert repr(found.value) == repr(value)
    assert (found.low, found.high) == (None, None)
    assert repr(view_of([back]).curve("forget_nll").values) == repr([value])


def test_measured_fields_do_not_count():
    one, other = stepped(1, seconds=1.0), stepped(1, seconds=2.0)
    later = other.model_copy(update={"time": 5.0, "memory": 7, "tokens_per_second": 3.0})
    assert one.repeatable() == later.repeatable()
    assert one.repeatable() != stepped(1, loss=2.0).repeatable()


def test_view_is_live_until_its_last_event():
    view = View()
    for event in run_of(3):
        assert view.fold(event).live
    assert not view.fold(Ended(status="finished", step=3)).live
