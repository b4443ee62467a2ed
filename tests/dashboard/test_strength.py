"""The strength dial writes into the fields, and stands where they say."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from dashboard.form import Fields, MethodChooser
from dashboard.strength import StrengthDial
from unlearning.config import RunConfig
from unlearning.methods import METHODS
from unlearning.methods._dial import MIDDLE, RATE, STOPS

USUAL = 4e-3


class Bench:
    """Dial, methods and learning rate on a page of their own."""

    def __init__(self) -> None:
        with gr.Blocks():
            self.methods = MethodChooser("undial")
            self.dial = StrengthDial("undial")
            self.rate = Fields(RunConfig, "run", only=(RATE,)).by_name[RATE]

    def values(self, method: str, slider: int = MIDDLE + 1, **changes: Any) -> dict[Any, Any]:
        found = {component: component.value for component in self.methods.inputs}
        found |= {self.methods.radio: method, self.dial.slider: slider, self.rate: ""}
        fields = self.methods.fields[method].by_name
        for name, value in changes.items():
            found[self.rate if name == RATE else fields[name]] = value
        return found

    def turned(self, method: str, stop: int, usual: float | None = USUAL) -> dict[Any, Any]:
        return self.dial.turn(self.methods, self.rate, self.values(method, stop + 1), usual)

    def read(self, values: dict[Any, Any], usual: float | None = USUAL) -> dict[Any, Any]:
        return self.dial.read_off(self.methods, self.rate, values, usual)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("name", METHODS)
def test_what_the_slider_sets_is_read_off_again(bench: Bench, name: str) -> None:
    for stop in range(len(STOPS)):
        set_by_it = bench.turned(name, stop)
        note = set_by_it.pop(bench.dial.note)
        values = bench.values(name) | set_by_it
        seen = bench.read(values)
        assert seen.get(bench.dial.slider, MIDDLE + 1) == stop + 1
        assert seen[bench.dial.note] == note
        if stop == MIDDLE:
            chosen = bench.methods.read(values)[1]
            assert chosen == {} and values[bench.rate] == "", "the middle is the defaults"


@pytest.mark.parametrize("name", METHODS)
def test_a_moved_field_shows_own_values_and_the_slider_stays(bench: Bench, name: str) -> None:
    turns = METHODS[name].dial.turns
    own = "0.123" if turns == RATE else 0.123
    seen = bench.read(bench.values(name, 5, **{turns: own}))
    assert "Own values" in seen[bench.dial.note] and "0.123" in seen[bench.dial.note]
    assert bench.dial.slider not in seen


@pytest.mark.parametrize("typed", ["much", "1e", "<b>"])
def test_what_is_no_number_is_own_and_never_markup(bench: Bench, typed: str) -> None:
    seen = bench.read(bench.values("npo", **{RATE: typed}))
    assert "Own values" in seen[bench.dial.note] and typed not in seen[bench.dial.note]


def test_a_model_of_unknown_size_is_said(bench: Bench) -> None:
    typed = bench.values("npo", **{RATE: "0.001"})
    for seen in (bench.turned("npo", 4, None), bench.read(typed, None)):
        assert set(seen) == {bench.dial.note} and "not known" in seen[bench.dial.note]
    assert "Default" in bench.read(bench.values("npo"), None)[bench.dial.note]
    assert bench.turned("undial", 4, None) != {}, "its own number needs no size"
