"""The payload: only what is new, nothing lost, nothing silent."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.live_figure import (
    HELD,
    PLOTLY,
    THINNED,
    Chart,
    Trace,
    live_figure,
    payload,
    summary,
    thin,
)
from tests.dashboard.recorded import events
from unlearning.runs.events import Levels, Resumed
from unlearning.runs.view import Series, View, view_of

FORGET, KEPT = "forget_nll", "score/perplexity/retain"
CHART = Chart(
    "loss",
    "Loss",
    (Trace(FORGET, "to forget", "#D55E00"), Trace(KEPT, "to keep", "#1F77B4", "dash")),
    level="memorization_accuracy",
)


class Screen:
    """What the browser does with payloads, as in assets/page/live_figure.js."""

    def __init__(self) -> None:
        self.value: Any = None
        self.run: str | None = None
        self.curves: dict[str, list[tuple[int, float | None]]] = {}
        self.rest: dict[str, Any] = {}

    def receive(self, news: dict[str, Any] | None) -> None:
        if news is None:
            return
        news = json.loads(json.dumps(news, allow_nan=False))
        if news["run"] != self.run:
            self.run, self.curves = news["run"], {}
        whole = True
        for key, part in news["traces"].items():
            points = list(zip(part["x"], part["y"], strict=True))
            held = self.curves.get(key, [])
            if part["from"] is None:
                self.curves[key] = points
            elif held and held[-1][0] >= part["from"]:
                self.curves[key] = [p for p in held if p[0] < part["from"]] + points
            else:
                whole = False
        self.rest = news
        ends = {key: [points[-1][0], len(points)] for key, points in self.curves.items()}
        tag = news["tag"] if whole else ""
        self.value = {"drawn": {"run": self.run, "tag": tag, "traces": ends}}


def grow(view: View, key: str, step: int, value: float) -> None:
    view.series.setdefault(key, Series()).add(step, value)


def curve(view: View, key: str) -> list[tuple[int, float | None]]:
    series = view.curve(key)
    values = [float(f"{v:.4g}") if math.isfinite(v) else None for v in series.values]
    return list(zip(series.steps, values, strict=True))


def test_the_first_payload_is_the_whole_curve() -> None:
    view = view_of(events())
    screen = Screen()
    screen.receive(payload(view, CHART, None, "a"))
    assert screen.curves == {FORGET: curve(view, FORGET), KEPT: curve(view, KEPT)}


def test_nothing_new_is_nothing_sent() -> None:
    view, screen = view_of(events()), Screen()
    screen.receive(payload(view, CHART, screen.value, "a"))
    assert payload(view, CHART, screen.value, "a") is None


def test_an_update_is_small_however_long_the_run() -> None:
    view, screen, sizes = View(steps=700), Screen(), []
    for step in range(1, 700):
        grow(view, FORGET, step, step / 7)
        news = payload(view, CHART, screen.value, "a")
        sizes.append(len(json.dumps(news)))
        screen.receive(news)
    assert max(sizes[3:]) < 400
    assert screen.curves[FORGET] == curve(view, FORGET)


Ticks = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["drawn", "lost", "late"])), max_size=13
)
"""So short that no curve is thinned: what is thinned is not all the points."""


@given(Ticks)
def test_lost_and_late_ticks_lose_nothing(ticks: list[tuple[int, str]]) -> None:
    """'lost' never arrives; 'late' arrives after the next one, out of order."""
    view, screen, waiting = View(steps=100), Screen(), None
    step = 0
    for grown, fate in [*ticks, (1, "drawn"), (0, "drawn"), (0, "drawn")]:
        for _ in range(grown):
            step += 1
            grow(view, FORGET, step, math.sin(step))
            if step % 5 == 0:
                grow(view, KEPT, step, step)
        news = payload(view, CHART, screen.value, "a")
        if fate == "drawn":
            screen.receive(news)
            screen.receive(waiting)
            waiting = None
        elif fate == "late":
            waiting = news
    assert payload(view, CHART, screen.value, "a") is None
    assert screen.curves[FORGET] == curve(view, FORGET)
    assert screen.curves.get(KEPT, []) == curve(view, KEPT)


def test_a_replaced_last_point_arrives() -> None:
    view, screen = View(steps=9), Screen()
    for value in (1.0, 2.0):
        grow(view, FORGET, 5, value)
        screen.receive(payload(view, CHART, screen.value, "a"))
    assert screen.curves[FORGET] == [(5, 2.0)]


def test_a_resumed_run_is_drawn_anew() -> None:
    view, screen = view_of(events("stopped")), Screen()
    screen.receive(payload(view, CHART, screen.value, "a"))
    view.fold(Resumed(step=10, steps=60))
    screen.receive(payload(view, CHART, screen.value, "a"))
    assert screen.curves[FORGET][-1][0] == 10
    assert screen.rest["steps"] == 60


def test_another_run_starts_over() -> None:
    screen = Screen()
    screen.receive(payload(view_of(events()), CHART, screen.value, "a"))
    other = view_of(events("diverged"))
    screen.receive(payload(other, CHART, screen.value, "b"))
    assert screen.curves[FORGET] == curve(other, FORGET)


HONEST = payload(view_of(events()), CHART, None, "a")
assert HONEST is not None
RUN = HONEST["run"]


@pytest.mark.parametrize(
    "held",
    [
        "drawn",
        7,
        [],
        {"drawn": None},
        {"drawn": {"run": RUN}},
        {"drawn": {"run": RUN, "traces": [1]}},
        {"drawn": {"run": RUN, "traces": {FORGET: "x"}, "tag": 5}},
        {"drawn": {"run": RUN, "traces": {FORGET: [True, 1]}}},
        {"drawn": {"run": RUN, "traces": {FORGET: [1.5, 1]}}},
        {"drawn": {"run": "other", "traces": {FORGET: [3, 3]}, "tag": HONEST["tag"]}},
        {"drawn": {"run": RUN, "traces": {FORGET: [10**9, 3]}}},
    ],
)
def test_a_dishonest_browser_gets_the_whole_chart(held: Any) -> None:
    news = payload(view_of(events()), CHART, held, "a")
    assert news is not None
    assert news["traces"] == HONEST["traces"]


@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (math.inf, "∞")])
def test_what_is_not_finite_is_a_marked_gap(value: float, word: str) -> None:
    view, screen = View(steps=9), Screen()
    for step, loss in enumerate([1.0, 2.0, value, value, 3.0], start=1):
        grow(view, FORGET, step, loss)
    screen.receive(payload(view, CHART, None, "a"))
    assert screen.curves[FORGET] == [(1, 1.0), (2, 2.0), (3, None), (4, None), (5, 3.0)]
    (mark,) = screen.rest["marks"]
    assert (mark["step"], mark["kind"]) == (3, "bad") and word in mark["text"]
    assert f"step 3: {mark['text']}" in summary(view, CHART)


def test_collapse_rollback_and_forgetting_are_marked() -> None:
    news = payload(view_of(events("collapsed")), CHART)
    assert news and {mark["text"] for mark in news["marks"]} == {"collapsed", "rolled back to here"}
    news = payload(view_of(events("forgotten")), CHART)
    assert news and [mark["text"] for mark in news["marks"]] == ["forgotten"]


def test_events_of_one_step_share_a_line() -> None:
    news = payload(view_of(events("diverged")), CHART)
    assert news
    (broken,) = [mark for mark in news["marks"] if mark["kind"] == "bad"]
    assert "NaN" in broken["text"] and "collapsed" in broken["text"]


def test_the_level_is_drawn_only_where_it_belongs() -> None:
    view = view_of(events())
    news, without = payload(view, CHART), payload(view, Chart("x", "X", CHART.traces))
    assert news and without
    assert [level["y"] for level in news["levels"]] == [0.55] and without["levels"] == []
    view.levels = Levels(source="holdout", scores={"memorization_accuracy": math.nan})
    assert payload(view, CHART)["levels"] == []


def test_curves_that_do_not_run_along_steps_bear_no_marks() -> None:
    teaching = Chart(
        "teach", "Teaching", (Trace("teach/loss", "loss", "#808080"),), along_run=False
    )
    view = view_of(events("collapsed"))
    grow(view, "teach/loss", 3, 0.5)
    news = payload(view, teaching)
    assert news and news["marks"] == [] and news["steps"] is None


Values = st.lists(st.floats(width=32), min_size=1, max_size=1500)


@given(Values)
def test_thinning_keeps_ends_and_extremes(values: list[float]) -> None:
    series = Series(list(range(len(values))), values)
    steps, thinned = thin(series)
    assert len(steps) == len(thinned)
    assert sum(value is not None for value in thinned) <= THINNED
    assert thinned.count(None) <= THINNED // 2 or len(values) <= THINNED
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, len(values) - 1)
    finite = [float(f"{v:.4g}") for v in values if math.isfinite(v)]
    if finite:
        kept = [v for v in thinned if v is not None]
        assert (min(kept), max(kept)) == (min(finite), max(finite))
    if any(not math.isfinite(v) for v in values):
        assert None in thinned


def test_a_screen_that_holds_too_much_gets_the_thinned_curve() -> None:
    view, screen, most = View(steps=5000), Screen(), 0
    for step in range(1, 5000):
        grow(view, FORGET, step, math.sin(step / 50))
        if step % 20 == 0:
            screen.receive(payload(view, CHART, screen.value, "a"))
            most = max(most, len(screen.curves[FORGET]))
    assert most <= HELD
    assert screen.curves[FORGET][-1][0] == 4980


def test_the_component_loads_its_scripts_from_this_server() -> None:
    with gr.Blocks():
        figure = live_figure(CHART)
    assert Path(PLOTLY).is_file()
    assert figure.head.count("<script src=") == 1
    sources = re.findall(r'(?:src|data-plotly)="([^"]*)"', figure.head + figure.html_template)
    assert len(sources) == 2
    for source in sources:
        assert source.startswith("gradio_api/file="), "from elsewhere"
    assert "${" not in figure.html_template and "{{" not in figure.html_template
