"""The dial from gentle to strong: every stop of every method is a run."""

from __future__ import annotations

from itertools import pairwise

import pytest

from unlearning.methods import METHODS
from unlearning.methods._dial import MIDDLE, RATE, STOPS
from unlearning.methods.base import Method

every_method = pytest.mark.parametrize("cls", METHODS.values(), ids=METHODS)


def default_of(cls: type[Method]) -> float:
    """The number that the dial turns, as it stands without a choice."""
    if cls.dial.turns == RATE:
        return cls.defaults.rate(4_000_000, full=False)
    return next(item.default for item in cls.declared() if item.name == cls.dial.turns)


@every_method
def test_the_middle_is_the_default_and_stops_rise(cls: type[Method]) -> None:
    assert cls.dial.factors[MIDDLE] == 1.0
    assert all(below < above for below, above in pairwise(cls.dial.factors))
    assert cls.dial.value(default_of(cls), MIDDLE) == default_of(cls)


@every_method
def test_every_stop_is_allowed_and_found_again(cls: type[Method]) -> None:
    default = default_of(cls)
    for stop in range(len(STOPS)):
        value = cls.dial.value(default, stop)
        assert cls.dial.stop(default, value) == stop
        if cls.dial.turns != RATE:
            assert getattr(cls.parse({cls.dial.turns: value}), cls.dial.turns) == value
    assert cls.dial.stop(default, default * 1.1) is None


@every_method
@pytest.mark.parametrize("parameters", [4_000_000, 135_000_000, 10**10])
@pytest.mark.parametrize("full", [False, True])
def test_rates_of_any_size_fit_the_run(cls: type[Method], parameters: int, full: bool) -> None:
    default = cls.defaults.rate(parameters, full)
    for stop in range(len(STOPS)):
        assert 1e-9 <= cls.dial.value(default, stop) <= 10.0
