"""Widgets follow the declarations, and what is read back is what the declarations want."""

from __future__ import annotations

import html
from typing import Any, ClassVar, Literal

import gradio as gr
import pytest
from gradio.components import Component

from dashboard.form import Fields, MethodChooser, slider_step
from tests.dashboard.pressing import handler_of
from unlearning.config import RunConfig
from unlearning.declare import Declared, hyperparameter
from unlearning.errors import UserError
from unlearning.methods import METHODS

OFFERED = tuple(
    item.name for item in RunConfig.declared() if item.name not in ("hyperparameters", "prompts")
)


class Sample(Declared):
    """One field of every kind."""

    title: ClassVar[str] = "Sample"

    number: float = hyperparameter(0.1, 0.001, 5.0)
    """A number."""
    slid: float = hyperparameter(0.5, 0.0, 1.0)
    """Slid."""
    count: int = 3
    """Counted."""
    switch: bool = True
    """Switched."""
    either: bool | None = None
    """Either way."""
    choice: Literal["a", "b"] = "a"
    """Chosen."""
    many: Literal["a", "b", "c", "d", "e"] = "c"
    """Chosen from many."""
    text: str = hyperparameter("", advanced=True)
    """Written."""
    limit: int | None = hyperparameter(None, 1, 100, advanced=True)
    """Limited."""
    rate: float | None = hyperparameter(None, 1e-9, 10.0)
    """A rate."""


def build(declared: type[Declared], only: tuple[str, ...] | None = None) -> Fields:
    with gr.Blocks():
        return Fields(declared, "test", only)


def shown(fields: Fields) -> dict[Component, Any]:
    """What the browser would send if nobody touched anything."""
    return {
        component: component.preprocess(component.postprocess(component.value))
        for component in fields.inputs
    }


@pytest.mark.parametrize("cls", [*METHODS.values(), Sample], ids=lambda cls: cls.__name__)
def test_defaults_round_trip(cls: type[Declared]) -> None:
    fields = build(cls)
    assert set(fields.by_name) == set(cls.model_fields)
    assert fields.read(shown(fields)) == {}


def test_the_run_round_trips_its_defaults() -> None:
    fields = build(RunConfig, OFFERED)
    assert set(fields.by_name) == set(OFFERED)
    assert RunConfig.parse(fields.read(shown(fields))) == RunConfig()


@pytest.mark.parametrize("cls", [*METHODS.values(), Sample], ids=lambda cls: cls.__name__)
def test_every_field_is_explained_in_words(cls: type[Declared]) -> None:
    for name, component in build(cls).by_name.items():
        assert component.info.startswith(cls.model_fields[name].description)
        assert "_" not in component.label and component.label[0].isupper()


@pytest.mark.parametrize(
    ("name", "given", "read"),
    [
        ("number", 0.25, 0.25),
        ("number", None, None),
        ("slid", 1.0, 1.0),
        ("count", 7, 7),
        ("switch", False, False),
        ("either", "yes", True),
        ("either", "no", False),
        ("choice", "b", "b"),
        ("many", "e", "e"),
        ("text", "  word ", "word"),
        ("limit", " 12 ", 12),
        ("rate", "3e-3", 0.003),
    ],
)
def test_what_differs_is_read(name: str, given: Any, read: Any) -> None:
    fields = build(Sample)
    values = {**shown(fields), fields.by_name[name]: given}
    assert fields.read(values) == {name: read}


@pytest.mark.parametrize(
    ("name", "given"), [("number", None), ("limit", "many"), ("limit", "1.5"), ("limit", "101")]
)
def test_a_wrong_value_is_named_by_the_declaration(name: str, given: Any) -> None:
    fields = build(Sample)
    with pytest.raises(UserError, match=name):
        Sample.parse(fields.read({**shown(fields), fields.by_name[name]: given}))


def test_an_emptied_optional_number_means_the_default() -> None:
    fields = build(Sample)
    values = {**shown(fields), fields.by_name["limit"]: " ", fields.by_name["rate"]: ""}
    assert fields.read(values) == {}


def test_no_number_box_stands_for_none() -> None:
    """Gradio would show it as 0."""
    for fields in (build(Sample), build(RunConfig, OFFERED)):
        for component in fields.inputs:
            assert not isinstance(component, gr.Number | gr.Slider) or component.value is not None


@pytest.mark.parametrize("cls", [*METHODS.values(), Sample], ids=lambda cls: cls.__name__)
def test_sliders_reach_their_default_and_both_ends(cls: type[Declared]) -> None:
    for item in cls.declared():
        step = slider_step(item) if item.kind in ("number", "integer") else None
        if step is None:
            continue
        for target in (item.default, item.high):
            stops = (target - item.low) / step
            assert stops == pytest.approx(round(stops), abs=1e-6)
        assert 50 <= (item.high - item.low) / step <= 200


def test_the_widget_suits_the_field() -> None:
    kinds = {name: type(widget) for name, widget in build(Sample).by_name.items()}
    assert kinds == {
        "number": gr.Number,
        "slid": gr.Slider,
        "count": gr.Number,
        "switch": gr.Checkbox,
        "either": gr.Radio,
        "choice": gr.Radio,
        "many": gr.Dropdown,
        "text": gr.Textbox,
        "limit": gr.Textbox,
        "rate": gr.Textbox,
    }


def test_only_advanced_fields_are_folded_away() -> None:
    fields = build(Sample)

    def folded(component: Any) -> bool:
        while component is not None:
            if isinstance(component, gr.Accordion):
                return not component.open
            component = component.parent
        return False

    found = {name for name, component in fields.by_name.items() if folded(component)}
    assert found == {"text", "limit"}


def test_the_chooser_reads_the_chosen_method_alone() -> None:
    with gr.Blocks():
        chooser = MethodChooser("undial")
    values: dict[Component, Any] = {chooser.radio: "npo"}
    for fields in chooser.fields.values():
        values |= shown(fields)
    assert set(values) == chooser.inputs
    assert chooser.read(values) == ("npo", {})
    values[chooser.fields["npo"].by_name["beta"]] = 0.5
    values[chooser.fields["undial"].by_name["strength"]] = 3.0
    assert chooser.read(values) == ("npo", {"beta": 0.5})


def test_one_group_of_the_chooser_is_shown_at_a_time() -> None:
    with gr.Blocks() as page:
        MethodChooser("undial")
    groups = [b for b in page.blocks.values() if "method-own" in (b.elem_classes or [])]
    assert len(groups) == len(METHODS)
    assert [group.visible for group in groups].count(True) == 1
    turn, visible = (
        handler_of(page, "turn"),
        dict(zip(METHODS, [g.visible for g in groups], strict=True)),
    )
    values = {component: component.value for component in turn.inputs}
    radio = next(c for c in values if c.elem_id == "method")
    for chosen in ("npo", "icu", "npo"):
        values[radio] = chosen
        updates = turn.fn(values)
        values |= {c: v for c, v in updates.items() if c in values}
        for name, group in zip(METHODS, groups, strict=True):
            if group in updates:
                visible[name] = updates[group].visible
        assert [name for name, shown in visible.items() if shown] == [chosen]
        said = " ".join(v for v in updates.values() if isinstance(v, str))
        assert METHODS[chosen].idea in html.unescape(said) and METHODS[chosen].formula in said
        assert any(
            METHODS[chosen].title in (getattr(v, "label", None) or "") for v in updates.values()
        )
