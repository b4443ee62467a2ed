"""Runs beside each other: seeds together, means, differences, who is better."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.runs.groups import differences, dominated, groups, mean_curve, member
from unlearning.runs.view import Series

TEXTS = {"forget": [Example(id="1", text="the blue door")]}
OTHER = {"forget": [Example(id="1", text="the green door")]}


def made(store, texts=TEXTS, **settings):
    return member(store, store.create(RunConfig.parse(settings), texts))


def test_runs_that_differ_in_the_seed_belong_together(store):
    members = [
        made(store, seed=0, label="one"),
        made(store, seed=0, method="npo"),
        made(store, seed=1, label="two"),
        made(store, seed=2, steps=7),
        made(store, OTHER, seed=3),
        made(store, seed=4, device="cpu"),
    ]
    found = [[members.index(one) for one in group] for group in groups(members)]
    assert found == [[0, 2, 5], [1], [3], [4]]


def test_only_what_differs_is_told(store):
    members = [
        made(store, seed=0, method="npo", hyperparameters={"beta": 0.2}, label="a"),
        made(store, OTHER, seed=0, method="npo", label="b"),
    ]
    found = dict(differences(members))
    assert set(found) == {"hyperparameters.beta", "text.forget"}
    assert found["hyperparameters.beta"] == [0.2, None]
    assert differences([members[0], members[0]]) == differences(members[:1]) == []


def test_the_mean_ends_where_the_first_run_does():
    curves = [Series([0, 5, 10, 15], [1.0, 0.5, 0.2, 0.1]), Series([0, 5, 10], [0.8, 0.7, 0.4])]
    found = mean_curve(curves)
    assert found.steps == [0, 5, 10]
    assert found.means == pytest.approx([0.9, 0.6, 0.3])
    assert found.deviations == pytest.approx([math.sqrt(0.02)] * 3)
    alone = mean_curve(curves[:1])
    assert alone.means == curves[0].values and alone.deviations == [None] * 4
    assert mean_curve([]).steps == []


def test_a_value_that_is_none_is_no_mean():
    found = mean_curve([Series([0, 1], [1.0, math.inf]), Series([0, 1], [1.0, 2.0])])
    assert found.means[0] == 1.0 and math.isnan(found.means[1]) and found.deviations[1] is None


def test_better_is_nowhere_worse_and_somewhere_better():
    assert dominated([(0, 0), (1, 1), (0, 1), (0, 0), (-1, 5)]) == [None, 0, 0, None, None]
    assert dominated([(math.nan, 0), (1, 0)]) == [1, None]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_that_of_the_definition(points):
    found = dominated(points)
    for own, better in zip(points, found, strict=True):
        beaten = any(o != own and o[0] <= own[0] and o[1] <= own[1] for o in points)
        assert (better is not None) == beaten
        if better is not None:
            assert points[better] != own
            assert all(a <= b for a, b in zip(points[better], own, strict=True))
    assert not points or None in found
