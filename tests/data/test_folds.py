"""Parts of a forget text: nothing lost, nothing torn apart."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearning.data.base import Example
from unlearning.data.folds import folds, units
from unlearning.data.sources import load
from unlearning.errors import UserError


@given(sizes=st.lists(st.integers(4, 30), min_size=1, max_size=4), count=st.integers(1, 4))
def test_parts_are_disjoint_complete_and_of_one_mixture(sizes, count) -> None:
    examples = [
        Example(id=f"{group}.{i}", group=f"g{group}", text=f"Text {i} of {group}.")
        for group, size in enumerate(sizes)
        for i in range(size)
    ]
    parts = folds(examples, count)
    assert sorted(e.id for part in parts for e in part) == sorted(e.id for e in examples)
    for group, size in enumerate(sizes):
        shares = [Counter(e.group for e in part)[f"g{group}"] for part in parts]
        assert sum(shares) == size and max(shares) - min(shares) <= 1


def test_questions_stay_with_their_passage() -> None:
    parts = folds(load("preset:world/forget"))
    assert sum(map(len, parts)) == 78
    for part in parts:
        passages = {e.id for e in part if e.kind == "passage"}
        assert {e.id.rsplit("-qa-", 1)[0] for e in part if e.kind == "qa"} <= passages


def test_too_few_passages_are_said() -> None:
    with pytest.raises(UserError, match="too few passages for 4 parts"):
        folds([Example(id="a", text="One."), Example(id="b", text="Two.")])


def test_questions_belong_to_their_passage():
    ids = ["a-3", "a-3-qa-0", "a-30", "b", "a-3-qa-1", "a-30-qa-0", "c-qa-1"]
    assert units(ids) == [[0, 1, 4], [2, 5], [3], [6]]
