"""Sampling is repeatable from the seed and the cursor alone."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unlearning.runs.sampler import Sampler, spread


@given(size=st.integers(1, 40), count=st.integers(1, 45), takes=st.integers(1, 60))
@example(size=10, count=8, takes=50)
def test_without_replacement_every_index_comes_once_an_epoch(size, count, takes):
    sampler = Sampler(size, 3, "forget")
    batches = [sampler.take(count) for _ in range(takes)]
    assert all(len(set(batch)) == len(batch) == min(count, size) for batch in batches)
    drawn = [i for batch in batches for i in batch]
    for begin in range(0, len(drawn) - size + 1, size):
        assert sorted(drawn[begin : begin + size]) == list(range(size))


def test_epochs_have_orders_of_their_own():
    sampler = Sampler(50, 3, "forget")
    drawn = [i for _ in range(25) for i in sampler.take(8)]
    assert len({tuple(drawn[begin : begin + 50]) for begin in range(0, 200, 50)}) == 4


@given(
    size=st.integers(1, 30),
    count=st.integers(1, 12),
    first=st.integers(0, 40),
    then=st.integers(1, 20),
)
@pytest.mark.parametrize("mode", ["without_replacement", "with_replacement"])
def test_a_cursor_takes_up_where_it_left(mode, size, count, first, then):
    whole = Sampler(size, 7, "retain", mode)
    for _ in range(first):
        whole.take(count)
    other = Sampler(size, 7, "retain", mode)
    other.cursor = whole.cursor
    assert [whole.take(count) for _ in range(then)] == [other.take(count) for _ in range(then)]


def test_roles_and_seeds_are_drawn_apart():
    orders = [Sampler(50, s, r).take(50) for s, r in ((0, "forget"), (1, "forget"), (0, "retain"))]
    assert len({tuple(order) for order in orders}) == 3
    assert all(sorted(order) == list(range(50)) for order in orders)


def test_allowed_restricts_without_disturbing_the_order():
    free = [i for i in Sampler(20, 0, "forget").take(20) if i % 2 == 0]
    assert Sampler(20, 0, "forget").take(10, set(range(0, 20, 2))) == free
    assert Sampler(20, 0, "forget").take(4, set()) == []


@given(allowed=st.sets(st.integers(0, 9), min_size=1), count=st.integers(1, 12))
def test_a_restricted_batch_holds_no_index_twice(allowed, count):
    sampler = Sampler(10, 0, "forget")
    for chosen in (allowed, None, allowed, allowed, None):
        batch = sampler.take(count, chosen)
        size = len(allowed) if chosen else 10
        assert len(set(batch)) == len(batch) == min(count, size)
        assert set(batch) <= (chosen or set(range(10)))


def test_a_batch_larger_than_the_set_is_the_set():
    assert sorted(Sampler(3, 0, "forget").take(8)) == [0, 1, 2]


def test_whole_set_is_the_set_every_time():
    sampler = Sampler(5, 0, "forget", "whole_set")
    assert sampler.take(2) == sampler.take(2) == [0, 1, 2, 3, 4]
    assert sampler.take(2, {1, 3}) == [1, 3]


@given(size=st.integers(1, 200), count=st.integers(1, 50))
def test_spread_is_even_and_without_repeats(size, count):
    places = spread(size, count)
    assert len(places) == len(set(places)) == min(size, count)
    assert places == sorted(places)
    assert places[-1] < size
