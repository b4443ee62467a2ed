"""Values that the browser gathers reach the handler as if each widget were its input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from dashboard.gathered import Gathered
from tests.dashboard.pressing import handler_of

VISITOR = SimpleNamespace(session_hash="one")


class Bench:
    """One widget of each kind that the form has."""

    def __init__(self) -> None:
        with gr.Blocks() as self.blocks:
            self.name = gr.Textbox()
            self.rate = gr.Number(0.5, minimum=0, maximum=1)
            self.kind = gr.Radio(["a", "b"], value="a")
            self.column = gr.Dropdown([], value=None)
            self.file = gr.File()
            self.long = gr.Textbox()
            self.key = gr.Textbox()
            self.widgets = (self.name, self.rate, self.kind, self.column, self.file, self.long)
            self.gathered = Gathered(self.widgets, {self.long})
            self.button, self.out = gr.Button(), gr.Textbox()
            clicks, asked = [self.button.click], {self.key}
            self.gathered.on(clicks, self.once, self.out, asked)
            self.gathered.on(clicks, self.steps, self.out, asked)
        self.seen: list[Any] = []

    def once(self, values: dict[Any, Any]) -> str:
        self.seen.append(values)
        return values[self.name]

    def steps(self, values: dict[Any, Any], visitor: gr.Request) -> Iterator[str]:
        yield values[self.name]
        yield visitor.session_hash

    def sent(self, *gathered: Any) -> dict[Any, Any]:
        """What comes from the browser, with these values of name, rate and kind."""
        own = {self.column: "c", self.file: None, self.long: "long", self.key: "k"}
        return {self.gathered._field: json.dumps(gathered), **own}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_handler_gets_each_value_by_its_widget(bench: Bench) -> None:
    given = {bench.name: "n", bench.rate: 0.25, bench.kind: "b", bench.column: "c"}
    given |= {bench.file: "f.txt", bench.long: "l" * 10, bench.key: "k"}
    assert handler_of(bench.blocks, "once").fn(given) == "n"
    assert bench.seen == [given]


def test_a_handler_may_go_on_in_steps_and_know_who_asks(bench: Bench) -> None:
    given = {bench.name: "n", bench.rate: 0.25, bench.kind: "b", bench.column: "c"}
    given |= {bench.file: None, bench.long: "", bench.key: ""}
    told = handler_of(bench.blocks, "steps").fn(given, VISITOR)
    assert list(told) == ["n", "one"]


def test_the_server_is_asked_with_few_inputs(bench: Bench) -> None:
    asked = [f for f in bench.blocks.fns.values() if f.fn is not None]
    assert len(asked) == 2
    for function in asked:
        assert bench.rate not in function.inputs
        assert len(function.inputs) == 5


def test_what_gradio_checks_of_each_visitor_stays_an_input(bench: Bench) -> None:
    asked = [f for f in bench.blocks.fns.values() if f.fn is not None]
    for function in asked:
        assert {bench.column, bench.file, bench.long, bench.key} < set(function.inputs)
    assert not {bench.column, bench.file, bench.long} & set(bench.gathered._widgets)


def test_values_are_taken_as_their_widgets_take_them(bench: Bench) -> None:
    found = bench.gathered.values(bench.sent(7, None, "a"))
    assert (found[bench.name], found[bench.rate], found[bench.kind]) == ("7", None, "a")
    for hostile in (("n", 0.5, "other"), ("n", 3, "a")):
        with pytest.raises(gr.Error):
            bench.gathered.values(bench.sent(*hostile))


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1, 2]", "7", '"abc"'])
def test_what_was_not_gathered_here_is_refused(bench: Bench, text: str) -> None:
    with pytest.raises(ValueError, match="not the values of the form"):
        bench.gathered.values({**bench.sent(), bench.gathered._field: text})
