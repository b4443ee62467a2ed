"""The strength dial: one slider over the number that says how deep a method forgets.

The fields are the truth: the slider writes into them, and where it stands is read off them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from dashboard.form import MethodChooser
from dashboard.language import N_, _
from dashboard.pictures import escaped
from unlearning.methods import METHODS
from unlearning.methods._dial import MIDDLE, RATE, STOPS
from unlearning.methods.base import Method

WORDS = {
    "gentle": N_("Gentle: harms least, may leave much of the text"),
    "mild": N_("Mild: softer than the default"),
    "default": N_("Default"),
    "firm": N_("Firm: forgets more, harms more"),
    "strong": N_("Strong: forgets most surely, may break the model"),
}
OWN = N_("Own values")
UNKNOWN = N_("The size of this model is not known yet, and with it the default learning rate")
Values = Mapping[gr.blocks.Block, Any]
Updates = dict[gr.blocks.Block, Any]


class StrengthDial:
    """The slider, and the line below it that says what it set."""

    def __init__(self, method: str) -> None:
        """Build both where it is called; `method` is chosen at first."""
        self.slider = gr.Slider(
            1,
            len(STOPS),
            value=MIDDLE + 1,
            step=1,
            label=_("Strength"),
            buttons=[],
            elem_id="strength",
            elem_classes="dial",
        )
        self.note = gr.HTML(
            note(METHODS[method], MIDDLE, _at_first(METHODS[method])),
            apply_default_css=False,
            elem_id="strength-note",
        )

    def turn(
        self, methods: MethodChooser, rate: gr.Textbox, values: Values, usual: float
    ) -> Updates:
        """After the slider was moved: what it sets. `usual` is the default learning rate."""
        cls, stop = METHODS[values[methods.radio]], int(values[self.slider]) - 1
        if cls.dial.turns == RATE:
            if usual is None:
                return {self.note: _line(_(UNKNOWN))}
            value = cls.dial.value(usual, stop)
            return {
                rate: "" if stop == MIDDLE else f"{value:g}",
                self.note: note(cls, stop, None if stop == MIDDLE else value),
            }
        value = cls.dial.value(default_of(cls), stop)
        return {
            methods.fields[cls.name].by_name[cls.dial.turns]: value,
            self.note: note(cls, stop, value),
        }

    def read_off(
        self, methods: MethodChooser, rate: gr.Textbox, values: Values, usual: float | None
    ) -> Updates:
        """After anything else was changed: where the slider stands; it stays for own values."""
        cls = METHODS[values[methods.radio]]
        if cls.dial.turns == RATE:
            default = usual or 0.0
            value = _number(values[rate], default)
            if usual is None:
                return {self.note: _line(_(UNKNOWN if value else WORDS["default"]))}
        else:
            field = methods.fields[cls.name].by_name[cls.dial.turns]
            default = default_of(cls)
            value = _number(values[field], default)
        stop = None if value is None else cls.dial.stop(default, value)
        told = None if stop == MIDDLE and cls.dial.turns == RATE else value
        updates: Updates = {self.note: note(cls, stop, told)}
        if stop is not None and stop + 1 != values[self.slider]:
            updates[self.slider] = stop + 1
        return updates


def default_of(cls: type[Method]) -> float:
    """Default of the hyperparameter that the dial turns."""
    return next(item.default for item in cls.declared() if item.name == cls.dial.turns)


def _at_first(cls: type[Method]) -> float | None:
    return None if cls.dial.turns == RATE else default_of(cls)


def note(cls: type[Method], stop: int | None, value: float | None) -> str:
    """What the slider's place means, and the number that it set."""
    words = _(OWN if stop is None else WORDS[STOPS[stop]])
    name = _(cls.dial.turns.replace("_", " "))
    return _line(words + (f" ({name})" if value is None else f" ({name} {value:g})"))


def _line(told: str) -> str:
    return (
        f'<div class="dial-ends" aria-hidden="true"><span>{_("gentle")}</span>'
        f"<span>{_('strong')}</span></div>"
        f'<p class="hint" role="status">{escaped(told)}.</p>'
    )


def _number(value: Any, empty: float) -> float | None:
    """The number in a field; `empty` where it is left open, None where it is no number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return empty
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
