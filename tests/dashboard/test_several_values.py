"""Several values of one setting: the list as it is typed, and the runs that come of it."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.page import Settings
from dashboard.race import standings
from dashboard.several_values import METHODS_OWN, OF_RUN, choices, configs, numbers
from tests.dashboard.player import Player
from tests.dashboard.recorded import TEXTS
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.groups import differences, member
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import LONGEST_LABEL, Scheduler
from unlearning.runs.store import RunStore

ITEMS = {item.name: item for item in RunConfig.declared()}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("1e-4, 3e-4, 1e-3", "learning_rate", [1e-4, 3e-4, 1e-3]),
        ("  .001;0.002\n3E-3 ", "learning_rate", [1e-3, 2e-3, 3e-3]),
        ("40 80,40", "steps", [40, 80]),
        ("1e2, 200.", "steps", [100, 200]),
        ("0,1", "seed", [0, 1]),
    ],
)
def test_a_list_is_read(text: str, name: str, found: list[float]) -> None:
    assert numbers(text, ITEMS[name]) == found
    kinds = {type(value) for value in numbers(text, ITEMS[name])}
    assert kinds == {int if ITEMS[name].kind == "integer" else float}


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "steps", "Two different values of steps"),
        (None, "steps", "Two different values"),
        ("40, 40.0", "steps", "Two different values"),
        ("40, x", "steps", "'x' in the list of values is no number"),
        ("1, nan", "learning_rate", "'nan' .* no number"),
        ("1, inf", "learning_rate", "no number"),
        ("1, 1e9999", "learning_rate", "no number"),
        ("1, ٣", "learning_rate", "no number"),
        ("1, 1_0", "learning_rate", "no number"),
        ("40, 50.5", "steps", "no whole number"),
        ("40, 0", "steps", "out of range"),
        ("1, -1", "learning_rate", "out of range"),
        ("1," * 300, "steps", "600 characters"),
    ],
)
def test_a_bad_list_is_one_sentence(text: Any, name: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as told:
        numbers(text, ITEMS[name])
    assert told.value.hint


@given(st.one_of(st.text(max_size=60), st.text("0123456789.,;eE+- ", max_size=30)))
def test_any_text_is_a_list_in_range_or_refused(text: str) -> None:
    for name in OF_RUN:
        item = ITEMS[name]
        try:
            found = numbers(text, item)
        except UserError:
            continue
        assert len(found) == len(set(found)) >= 2
        assert all(math.isfinite(value) for value in found)
        assert all(item.low <= value <= item.high for value in found)


@given(st.lists(st.floats(1e-9, 10.0), min_size=2, max_size=8, unique=True))
def test_what_is_written_is_what_is_run(values: list[float]) -> None:
    assert numbers(", ".join(map(repr, values)), ITEMS["learning_rate"]) == values


def test_every_choice_makes_runs_that_differ_in_it_alone() -> None:
    base = RunConfig(method="npo", hyperparameters={"beta": 0.3}, label=HOSTILE * 4, seed=3)
    for _, name in choices("npo"):
        own = name.startswith(METHODS_OWN)
        item = next(
            item for item in (METHODS["npo"] if own else RunConfig).declared()
            if item.name == name.removeprefix(METHODS_OWN)
        )  # fmt: skip
        low, high = item.low or 1.0, min(item.high or 50.0, 40.0)
        one, two = configs(base, name, f"{low}, {high}")
        plain, other = (c.model_dump(exclude={"label"}) for c in (one, two))
        if own:
            assert one.hyperparameters[item.name] == low
            assert {k: v for k, v in one.hyperparameters.items() if k != item.name} == (
                {k: v for k, v in base.hyperparameters.items() if k != item.name}
            )
            name = "hyperparameters"
        assert {k for k in plain if plain[k] != other[k]} == {name}
        assert len(one.label) <= LONGEST_LABEL and item.label.lower() in one.label
    with pytest.raises(UserError, match="cannot be tried"):
        configs(base, "label", "1, 2")
    with pytest.raises(UserError, match="cannot be tried"):
        configs(base, METHODS_OWN + HOSTILE, "1, 2")


def test_they_are_queued_within_the_limits_and_named_by_their_value(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    scheduler = Scheduler(store, Player(store, pause=0.0), Limits(queued_per_owner=1, max_steps=50))
    page = SimpleNamespace(scheduler=scheduler, settings=Settings(secret="s" * 24))
    base = RunConfig(steps=8)
    with pytest.raises(UserError, match="5 values are to race; 4 are allowed"):
        scheduler.race(configs(base, "seed", "1 2 3 4 5"), TEXTS, "k", what="values")
    with pytest.raises(UserError, match="60 steps are asked for; 50"):
        scheduler.race(configs(base, "steps", "40, 60"), TEXTS, "k", what="values")
    assert store.ids() == []
    ids = scheduler.race(configs(base, "learning_rate", "1e-3, 3e-3"), TEXTS, "k", what="values")
    assert [store.config(run_id).label for run_id in ids] == [
        "learning rate 0.001", "learning rate 0.003",
    ]  # fmt: skip
    told = standings(page, ids)
    assert "learning rate 0.001" in told and "learning rate 0.003" in told
    found = differences([member(store, run_id) for run_id in ids])
    assert "learning_rate" in [name for name, _ in found]
    scheduler.close()
