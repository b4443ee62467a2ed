"""The live run's own parts: path, time travel, going on, the method's curves."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import earlier, going_on, trajectory, travel
from dashboard.earlier import Earlier, earlier_runs
from dashboard.own_curves import PARCEL, SLOTS, own_charts, own_payload
from dashboard.page import Watched, _looked_at
from tests.dashboard.recorded import TEXTS, events, record
from unlearning.data.base import Example
from unlearning.methods import METHODS
from unlearning.runs.events import RolledBack, Stepped, Stopped
from unlearning.runs.store import RunStore
from unlearning.runs.view import Series, View, view_of

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture(autouse=True)
def no_memory() -> None:
    """Lists of earlier runs are read anew."""
    earlier._found.cache_clear()


class Screen:
    """What the browser reports after drawing a payload."""

    def __init__(self) -> None:
        self.value: Any = None
        self.earlier: list[Any] = []

    def receive(self, news: dict[str, Any] | None) -> None:
        if news is not None:
            news = json.loads(json.dumps(news, allow_nan=False))
            self.earlier = news.get("earlier", self.earlier)
            self.value = {"drawn": {"run": news["run"], "tag": news["tag"]}}


OTHERS = (
    Earlier("a" * 10, "NPO", 30, 0.4, 0.97, False),
    Earlier("b" * 10, HOSTILE, 20, 0.3, 0.6, False),
    Earlier("c" * 10, "GA", 40, 0.45, 0.2, True),
)


class TestTrajectory:
    def test_the_whole_picture(self) -> None:
        news = trajectory.payload(view_of(events("collapsed")), OTHERS, None, "r")
        assert news["path"][0][0] == 0 and news["now"][0] == 5 and news["path"][-1][0] == 24
        assert news["level"] == 0.45 and news["over"] == 0.55 and news["collapse"] == 0.55
        assert [mark[3] for mark in news["marks"]] == ["bad"]
        kinds = {words.partition(",")[0]: kind for _, _, words, kind in news["earlier"]}
        assert kinds == {"NPO": "front", HOSTILE: "beaten", "GA": "collapsed"}
        assert news["bottom"] <= 0.2 and "NPO forgot most" in news["summary"]

    def test_what_is_drawn_is_not_sent_again(self) -> None:
        view, screen = view_of(events("open")), Screen()
        screen.receive(trajectory.payload(view, OTHERS, screen.value, "r"))
        assert trajectory.payload(view, OTHERS, screen.value, "r") is None
        more = trajectory.payload(view_of(events("forgotten")), OTHERS, screen.value, "r")
        assert "earlier" not in more and len(json.dumps(more)) < 1500
        screen.receive(more)
        assert len(screen.earlier) == 3
        assert trajectory.payload(view_of(events()), OTHERS[:1], screen.value, "r")["earlier"]
        assert trajectory.payload(view_of(events()), OTHERS, screen.value, "s")["earlier"]

    def test_the_step_looked_at_is_marked(self) -> None:
        view = view_of(events())
        assert trajectory.payload(view, (), None, "r", 15)["at"][0] == 15
        assert trajectory.payload(view, (), None, "r", None)["at"] is None

    @pytest.mark.parametrize("held", [None, 7, "x", {}, {"drawn": 3}, {"drawn": {"tag": [1]}}])
    def test_what_a_browser_claims_is_not_trusted(self, held: Any) -> None:
        assert trajectory.payload(view_of(events()), OTHERS, held, "r")["earlier"]

    def test_a_long_run_stays_small(self) -> None:
        steps = list(range(0, 3000, 5))
        view = View(step=2995, steps=3000)
        for key in ("memorization_accuracy/forget", "memorization_accuracy/retain"):
            view.series[f"score/{key}"] = Series(steps, [1 - s / 4000 for s in steps])
        news = trajectory.payload(view, (), None, "r")
        assert len(news["path"]) == trajectory.MOST
        assert (news["path"][0][0], news["path"][-1][0]) == (0, 2995)
        assert len(json.dumps(news)) < 2000

    @pytest.mark.parametrize("outcome", ["diverged", "failed", "open"])
    def test_every_end_can_be_drawn(self, outcome: str) -> None:
        json.dumps(trajectory.payload(view_of(events(outcome)), OTHERS, None, "r"), allow_nan=False)
        assert "begins" in trajectory.payload(View(), (), None, "")["summary"]


class TestEarlier:
    def test_only_ended_runs_of_the_same_text_and_model(self, store: RunStore) -> None:
        mine = record(store, method="npo", label="gentle")
        broken = record(store, outcome="diverged", method="gradient_ascent")
        record(store, outcome="open")
        run_id = record(store, outcome="open")
        other = {**TEXTS, "forget": [Example(id="x", text="Another text altogether.")]}
        strange = store.create(store.config(mine), other)
        for event in events():
            store.append(strange, event)
        found = {one.run_id: one for one in earlier_runs(store, run_id, None)}
        assert set(found) == {mine, broken}
        assert found[mine].name == "gentle" and found[mine].step == 30
        assert found[broken].step == 5 and not found[broken].collapsed

    def test_another_model_is_no_rival(self, store: RunStore) -> None:
        run_id, other = record(store), record(store, outcome="open")
        log = store.folder(other) / "events.jsonl"
        log.write_text(log.read_text().replace('"model_hash":"000', '"model_hash":"fff'))
        assert earlier_runs(store, other, None) == ()
        assert earlier_runs(store, run_id, None) == ()

    def test_strangers_see_their_own(self, store: RunStore) -> None:
        mine, run_id = record(store, owner="a key"), record(store, outcome="open")
        theirs = record(store, owner="another")
        assert {e.run_id for e in earlier_runs(store, run_id, "a key")} == {mine}
        assert {e.run_id for e in earlier_runs(store, run_id, None)} == {mine, theirs}

    def test_damage_hides_nothing_else(self, store: RunStore) -> None:
        whole, broken, run_id = record(store), record(store), record(store, outcome="open")
        (store.folder(broken) / "events.jsonl").write_text("nonsense\n")
        assert [one.run_id for one in earlier_runs(store, run_id, None)] == [whole]
        assert earlier_runs(store, "0" * 10, None) == ()


class TestTravel:
    def test_the_slider_knows_every_look(self) -> None:
        view = view_of(events("collapsed"))
        news = travel.payload(view, None, "r")
        assert news["looks"] == [[0, 20, 5], [24, 24, 1]] and news["now"] == 5
        assert [mark[:2] for mark in news["marks"]] == [[24, "collapsed"], [5, "kept"]]
        assert travel.payload(view, {"drawn": {"tag": news["tag"]}}, "r") is None
        assert travel.payload(view, {"drawn": {"tag": news["tag"]}}, "s") is not None
        assert travel.payload(View(), None, "r")["now"] is None

    @given(st.lists(st.integers(0, 300), unique=True).map(sorted))
    def test_stretches_unfold_to_the_steps(self, steps: list[int]) -> None:
        folded = travel.stretches(steps)
        assert [s for a, b, by in folded for s in range(a, b + 1, by)] == steps

    def test_a_regular_run_is_a_few_numbers(self) -> None:
        assert travel.stretches(range(0, 3000, 5)) == [[0, 2995, 5]]

    @pytest.mark.parametrize(
        ("at", "step"),
        [("r@15", 15), ("r@16", None), ("s@15", None), ("r@", None), ("r@-5", None), ("", None),
         (None, None), (7, None), ("r@²", None), ("r@" + "9" * 5000, None), ("r@15@15", None)],
    )  # fmt: skip
    def test_a_browser_looks_only_where_there_was_a_look(self, at: Any, step: int | None) -> None:
        assert _looked_at(at, "r", view_of(events())) == step


def watched(outcome: str = "stopped", **changes: Any) -> Watched:
    view = view_of(events(outcome))
    given = {"run_id": "r", "view": view, "status": view.status, "owned": True}
    return Watched(**(given | {"snapshots": tuple(view.snapshots)} | changes))


class TestGoingOn:
    def test_pause_is_offered_while_steps_are_taken(self) -> None:
        live = watched("open", status="running")
        assert going_on.can_pause(live) and "keeps the step" in going_on.explained(live)
        assert not going_on.can_pause(replace(live, owned=False))
        assert not going_on.can_pause(replace(live, status="stopping"))
        assert not going_on.can_go_on(live) and not going_on.can_keep(replace(live, at=5))

    def test_a_paused_run_resumes_at_that_very_step(self) -> None:
        held = watched()
        held.view.stopped = Stopped(step=20, why="paused")
        assert going_on.resume_label(held) == "Resume at step 20"
        assert "as if it had never stopped" in going_on.explained(held)

    def test_from_the_step_that_is_looked_at(self) -> None:
        back = watched(at=10)
        assert going_on.can_go_on(back) and going_on.can_keep(back)
        assert going_on.resume_label(back) == "Continue from step 10"
        assert "drops what came after step 10" in going_on.explained(back)

    def test_a_step_without_snapshot_names_the_one_before(self) -> None:
        back = watched(at=15, snapshots=(0, 10, 20))
        assert going_on.resume_label(back) == "Continue from step 10"
        assert "not kept; step 10" in going_on.explained(back)

    def test_a_finished_run_goes_on_only_from_earlier(self) -> None:
        assert not going_on.can_go_on(watched("finished"))
        assert going_on.can_go_on(watched("finished", at=20))
        assert not going_on.can_go_on(watched("finished", at=40))
        assert not going_on.can_keep(watched("finished", at=40))

    def test_a_collapsed_run_may_be_kept_at_another_step(self) -> None:
        assert going_on.can_keep(watched("collapsed", at=15))
        assert not going_on.can_keep(watched("collapsed", at=5)), "that is the result already"

    def test_strangers_are_offered_nothing(self) -> None:
        theirs = watched(at=10, owned=False)
        assert not going_on.can_go_on(theirs) and not going_on.can_keep(theirs)
        assert going_on.explained(theirs) == ""


class TestOwnCurves:
    def told(self, method: str, extras: dict[str, float], steps: int = 1) -> View:
        view = View(method=method, steps=40)
        for step in range(1, steps + 1):
            view.fold(
                Stepped(
                    step=step,
                    terms={"forget": 1.0, "retain": 2.0},
                    forget_nll=1.0,
                    gradient_norm=1.0,
                    learning_rate=1e-3,
                    extras=extras,
                )
            )
        return view

    @pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].reports])
    def test_what_a_method_declares_is_drawn(self, name: str) -> None:
        reports = METHODS[name].reports
        keys = [r.key for r in reports if r.key not in ("forget_nll", "learning_rate")]
        charts = own_charts(self.told(name, dict.fromkeys(keys, 0.5)))
        assert len(charts) <= SLOTS
        drawn = {trace.key.removeprefix("extra/") for chart in charts for trace in chart.traces}
        assert {r.key for r in reports} <= drawn
        assert [c.title for c in charts][: len({r.chart for r in reports})] == list(
            dict.fromkeys(r.chart for r in reports)
        )
        for chart in charts:
            looks = [(trace.colour, trace.dash) for trace in chart.traces]
            assert len(set(looks)) == len(looks) == len({trace.dash for trace in chart.traces})

    def test_what_no_method_declares_is_drawn_too(self) -> None:
        charts = own_charts(self.told("npo", {"some_new_curve": 1.0}))
        assert charts[0].title == "Some new curve"
        assert own_charts(self.told("of another version", {"a": 1.0}))
        assert own_charts(View()) == []

    def test_a_chart_is_told_once_and_grows_in_parcels(self) -> None:
        first = own_payload(self.told("npo", {}), 0, None, "r", live=True)
        assert first["chart"]["title"] == "Terms of the loss"
        ends = {key: [1, 1] for key in first["traces"]}
        held = {"drawn": {"run": first["run"], "tag": first["tag"], "traces": ends}}
        for steps in range(2, PARCEL + 1):
            assert own_payload(self.told("npo", {}, steps), 0, held, "r", live=True) is None
        news = own_payload(self.told("npo", {}, PARCEL + 1), 0, held, "r", live=True)
        assert "chart" not in news and news["traces"]["term/forget"]["x"][-1] == PARCEL + 1
        assert own_payload(self.told("npo", {}, 2), 0, held, "r", live=False) is not None

    def test_another_method_is_another_chart(self) -> None:
        first = own_payload(self.told("npo", {}), 0, None, "r", live=False)
        held = {"drawn": {"run": first["run"], "tag": first["tag"], "traces": {}}}
        other = self.told("ngdiff", {"gradient_cosine": math.nan})
        assert own_payload(other, 0, held, "r", live=True)["chart"]["y_range"] == (-1.0, 1.0)
        beyond = own_payload(other, SLOTS - 1, held, "r", live=True)
        assert beyond["traces"] == {} and beyond["run"] != first["run"]
        drawn = {"drawn": {"run": beyond["run"], "tag": beyond["tag"], "traces": {}}}
        assert own_payload(other, SLOTS - 1, drawn, "r", live=True) is None


def test_a_step_kept_by_hand_stands_for_the_run() -> None:
    view = view_of(events("finished"))
    view.fold(RolledBack(step=40, to=15, asked=True))
    assert view.step == 15 and "unlearned" not in view.scores and view.forgotten_at is None
    assert travel.shown_step(view) == 15 and trajectory.payload(view, ())["now"][0] == 15
    assert max(view.answers) == 40, "later looks stay, to look at"
