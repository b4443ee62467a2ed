"""Forgetting against utility: points of a run, and which runs no other beats."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.recorded import events
from unlearning.runs.events import Levels
from unlearning.runs.tradeoff import OVER_FORGOTTEN, front, level_of, now, path
from unlearning.runs.view import Series, View, view_of

SHARE = st.floats(0, 1)


def view(**curves: list[float]) -> View:
    """A view with curves: forget, retain, generic, one value a step."""
    keys = {
        "forget": "score/memorization_accuracy/forget",
        "retain": "score/memorization_accuracy/retain",
        "generic": "score/perplexity/generic",
        "kept": "score/perplexity/retain",
    }
    made = View()
    for name, values in curves.items():
        made.series[keys[name]] = Series(list(range(len(values))), values)
        made.step = len(values) - 1
    return made


def test_a_point_is_what_went_and_what_stayed() -> None:
    found = path(view(forget=[1.0, 0.6], retain=[0.8, 0.72], generic=[4.0, 5.0]))
    assert found[0] == (0, 0.0, 1.0)
    assert found[1] == pytest.approx((1, 0.4, 0.8)), "the worse of 0.9 and 0.8"


def test_kept_text_stands_in_for_general_text() -> None:
    assert path(view(forget=[1.0, 0.5], kept=[2.0, 4.0]))[1] == (1, 0.5, 0.5)
    both = path(view(forget=[1.0, 0.5], kept=[2.0, 8.0], generic=[2.0, 2.0]))
    assert both[1].kept == 1.0


def test_gains_are_not_counted_and_what_is_not_finite_is_lost() -> None:
    found = path(view(forget=[1.0, math.nan, 1.2], retain=[0.5, 0.5, 1.0], generic=[4, 4, 2]))
    assert found == [(0, 0.0, 1.0), (2, 0.0, 1.0)]
    assert path(view(forget=[1.0, 0.5], generic=[4.0, math.inf]))[1].kept == 0.0
    assert path(view(forget=[1.0, 0.5], generic=[4.0, math.nan])) == [(0, 0.0, 1.0)]
    assert path(view(forget=[1.0, 0.5])) == [] == path(View())


def test_after_a_roll_back_the_kept_step_counts() -> None:
    collapsed = view_of(events("collapsed"))
    assert path(collapsed)[-1].step == collapsed.collapse.step
    assert now(collapsed).step == collapsed.rolled_back.to
    assert now(View()) is None


def test_the_level_is_on_the_scale_of_forgetting() -> None:
    measured = View(levels=Levels(source="holdout", scores={"memorization_accuracy": 0.4}))
    assert level_of(measured) == pytest.approx(0.6)
    assert level_of(View()) is None
    broken = Levels(source="holdout", scores={"memorization_accuracy": math.nan})
    assert level_of(View(levels=broken)) is None


def test_the_front_by_hand() -> None:
    points = [(0.1, 0.9), (0.3, 0.95), (0.4, 0.7), (0.4, 0.6), (0.3, 0.95), (0.9, 0.99)]
    assert front(points, level=0.4) == [1, 2]
    assert front(points) == [5]
    assert front([], 0.4) == []


@given(st.lists(st.tuples(SHARE, SHARE), max_size=12), st.one_of(st.none(), SHARE))
def test_no_run_on_the_front_is_beaten_and_every_other_is(points, level) -> None:
    most = 1.0 if level is None else level
    worth = [(min(x, most), y) for x, y in points]
    inside = [i for i, (x, _) in enumerate(points) if x <= most + OVER_FORGOTTEN]
    best = front(points, level)
    assert bool(best) == bool(inside) and set(best) <= set(inside)
    for i in inside:
        rivals = [
            j for j in inside if worth[j] != worth[i] and all(map(float.__ge__, worth[j], worth[i]))
        ]
        equal = [j for j in inside if j < i and worth[j] == worth[i]]
        assert (i in best) == (not rivals and not equal)
    steps = [worth[i] for i in best]
    assert steps == sorted(steps) and [y for _, y in steps] == sorted(
        (y for _, y in steps), reverse=True
    )
