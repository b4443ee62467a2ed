"""Declarations to widgets and back: the only file that knows which widget suits which field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from math import floor, log10
from typing import Any

import gradio as gr
from gradio.components import Component

from dashboard.language import _
from dashboard.page import QUIET
from dashboard.pictures import escaped, method_card
from unlearning.declare import Declared, Hyperparameter
from unlearning.methods import METHODS
from unlearning.methods.base import Method

STOPS = 100
"""About how many positions a slider has."""
WIDE = 10_000
"""Ranges that reach further are left out of the explanation."""
UNSET, YES, NO = "", "yes", "no"


class Fields:
    """The widgets of one declared class, built where it is called; advanced ones folded away."""

    def __init__(
        self, declared: type[Declared], prefix: str, only: Collection[str] | None = None
    ) -> None:
        """Build the widgets.

        Args:
            declared: Whose fields.
            prefix: Start of the widgets' `elem_id`, unique on the page.
            only: Names of the fields to offer; None offers all.
        """
        self.declared = declared
        self.by_name: dict[str, Component] = {}
        self._items = {
            item.name: item for item in declared.declared() if only is None or item.name in only
        }
        plain = [item for item in self._items.values() if not item.advanced]
        folded = [item for item in self._items.values() if item.advanced]
        self._build(plain, prefix)
        if folded:
            with gr.Accordion(_("Advanced"), open=False, elem_classes="advanced"):
                self._build(folded, prefix)

    def _build(self, items: list[Hyperparameter], prefix: str) -> None:
        with gr.Row(elem_classes="fields"):
            for item in items:
                self.by_name[item.name] = widget(item, f"{prefix}-{item.name}")

    @property
    def inputs(self) -> set[Component]:
        """All widgets, for a handler that takes a dictionary."""
        return set(self.by_name.values())

    def read(self, values: Mapping[Component, Any]) -> dict[str, Any]:
        """What differs from the defaults, by field name. An empty number is None."""
        chosen = {}
        for name, component in self.by_name.items():
            value = from_widget(self._items[name], values[component])
            if value != self._items[name].default:
                chosen[name] = value
        return chosen

    def fill(self, chosen: Mapping[str, Any]) -> dict[Component, Any]:
        """Values for all widgets: those chosen, and the defaults of the rest."""
        return {
            component: to_widget(self._items[name], chosen.get(name, self._items[name].default))
            for name, component in self.by_name.items()
        }


class MethodChooser:
    """Which method, what it is, and its hyperparameters.

    The widgets of every method exist from the start, so that they keep their values, and are shown
    or hidden; what is said about a method is said in one place.
    """

    def __init__(
        self, default: str, prefix: str = "method", between: Callable[[], None] = lambda: None
    ) -> None:
        """Build radio, card, what `between` builds, and the folded rest; `default` is the name of
        a method."""
        self.radio = gr.Radio(
            [(cls.title, name) for name, cls in METHODS.items()],
            value=default,
            label=_("Method"),
            elem_id=prefix,
            elem_classes="method-choice",
        )
        cls = METHODS[default]
        shown = gr.Textbox(default, visible="hidden")
        card = gr.HTML(method_card(cls), apply_default_css=False, elem_classes="method")
        between()
        with gr.Accordion(_("How it works"), open=False):
            idea = gr.HTML(_idea(cls), apply_default_css=False)
            # Markdown for KaTeX; it comes with Gradio and loads nothing from outside.
            formula = gr.Markdown(
                _formula(cls),
                latex_delimiters=[{"left": "$$", "right": "$$", "display": True}],
                elem_classes="formula",
            )
            details = gr.HTML(method_card(cls, details=True), apply_default_css=False)
        self.fields: dict[str, Fields] = {}
        groups: dict[str, gr.Column] = {}
        with gr.Accordion(_own(cls), open=False, elem_classes="method-more") as own:
            for name, each in METHODS.items():
                with gr.Column(visible=name == default, elem_classes="method-own") as groups[name]:
                    self.fields[name] = Fields(each, f"{prefix}-{name}")

        def turn(values: Mapping[Component, Any]) -> dict[Component, Any]:
            before, chosen = values[shown], values[self.radio]
            cls = METHODS[chosen]
            said = {card: method_card(cls), idea: _idea(cls), formula: _formula(cls)}
            said |= {details: method_card(cls, details=True), own: gr.Accordion(label=_own(cls))}
            # Only the two that change: each column that is told to hide is sought in the page.
            hidden = {groups[before]: gr.Column(visible=False)} if before in groups else {}
            return {**said, **hidden, groups[chosen]: gr.Column(visible=True), shown: chosen}

        self.radio.change(
            turn,
            {self.radio, shown},
            [card, idea, formula, details, own, shown, *groups.values()],
            queue=False,
            **QUIET,
        )

    @property
    def inputs(self) -> set[Component]:
        """Radio and the widgets of all methods."""
        return {self.radio}.union(*(fields.inputs for fields in self.fields.values()))

    def read(self, values: Mapping[Component, Any]) -> tuple[str, dict[str, Any]]:
        """Name of the chosen method and what differs from its defaults."""
        name = values[self.radio]
        return name, self.fields[name].read(values)

    def fill(self, name: str, chosen: Mapping[str, Any]) -> dict[Component, Any]:
        """Values for the radio and the widgets of that method; other methods stay as they are."""
        return {self.radio: name, **self.fields[name].fill(chosen)}


def _idea(cls: type[Method]) -> str:
    return f'<p class="idea">{escaped(_(cls.idea))}</p>'


def _formula(cls: type[Method]) -> str:
    return f"$$\\displaystyle {cls.formula}$$"


def _own(cls: type[Method]) -> str:
    return _("Hyperparameters of {title}").format(title=cls.title)


def widget(item: Hyperparameter, elem_id: str) -> Component:
    """The widget for one field."""
    named = {"label": _(item.label), "elem_id": elem_id, "min_width": 200}
    explained = {**named, "info": _(item.help)}
    if item.kind == "switch" and item.optional:
        choices = [(_("as the method says"), UNSET), (_("yes"), YES), (_("no"), NO)]
        return gr.Radio(choices, value=_three_way(item.default), **explained)
    if item.kind == "switch":
        return gr.Checkbox(item.default, **explained)
    if item.kind == "choice":
        kind = gr.Radio if len(item.choices) <= 3 else gr.Dropdown
        return kind(list(item.choices), value=item.default, **explained)
    if item.kind == "text":
        return gr.Textbox(item.default or "", **explained)
    if item.optional:
        # A text box, because a gr.Number whose value is None shows 0 (Gradio 6.31).
        return gr.Textbox(_text(item.default), placeholder=_("default"), max_lines=1, **explained)
    step = slider_step(item)
    if step is not None:
        return gr.Slider(item.low, item.high, value=item.default, step=step, **explained)
    return gr.Number(
        item.default,
        precision=0 if item.kind == "integer" else None,
        **{**named, "info": _with_span(item)},
    )


def from_widget(item: Hyperparameter, value: Any) -> Any:
    """The widget's value as the declaration wants it; an empty number or text is None."""
    if item.kind == "switch" and item.optional:
        return {YES: True, NO: False}.get(value)
    if item.kind == "text":
        text = (value or "").strip()
        return None if item.optional and not text else text
    if item.optional and isinstance(value, str):
        return _number(item, value.strip())
    return value


def to_widget(item: Hyperparameter, value: Any) -> Any:
    """The other way round: what the widget shows for a value of the declaration."""
    if item.kind == "switch" and item.optional:
        return _three_way(value)
    if item.kind == "text":
        return value or ""
    if item.kind in ("number", "integer") and item.optional:
        return "" if value is None else repr(value)
    return value


def _number(item: Hyperparameter, text: str) -> float | int | str | None:
    """What is no number stays text: the declaration then says which field and why."""
    if not text:
        return None
    try:
        return int(text) if item.kind == "integer" else float(text)
    except ValueError:
        return text


def _text(value: float | int | None) -> str:
    return "" if value is None else f"{value:g}"


def slider_step(item: Hyperparameter) -> float | None:
    """Step of a slider that suits the field, None where a box for the number suits better.

    It suits where both ends and the default lie on an even grid of about a hundred stops, and
    the default has room around it or stands at the lower end.
    """
    if item.optional or item.low is None or item.high is None:
        return None
    rough = (item.high - item.low) / STOPS
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    if item.kind == "integer":
        step = max(1, round(step))
    above = (item.default - item.low) / step
    total = (item.high - item.low) / step
    on_grid = all(abs(stops - round(stops)) < 1e-6 for stops in (above, total))
    return step if on_grid and (round(above) == 0 or above >= 5) else None


def _three_way(value: bool | None) -> str:
    return UNSET if value is None else (YES if value else NO)


def _with_span(item: Hyperparameter) -> str:
    """The sentence and the range, where that says more than "any reasonable number"."""
    if item.low is None or item.high is None or item.high > WIDE:
        return _(item.help)
    span = _("({low:g} to {high:g})").format(low=item.low, high=item.high)
    return f"{_(item.help)} {span}"
