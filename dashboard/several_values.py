"""Several values of one setting in place of one: as many runs, queued in one go.

They are a race of one method against itself: the same queue, the same limits, the same charts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import gradio as gr

from dashboard.language import N_, _, amid
from dashboard.page import QUIET
from unlearning.config import RunConfig
from unlearning.declare import Hyperparameter
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.scheduler import LONGEST_LABEL

OF_RUN = ("learning_rate", "steps", "seed", "batch_size", "retain_batch_size", "lora_rank",
          "max_length", "teach_steps")  # fmt: skip
"""Numbers of every run of which several may be tried."""
METHODS_OWN = "method."
"""Begins the names of the method's hyperparameters among the choices."""
LONGEST = 500
"""Characters of a list."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\Z", re.ASCII)
ABOUT = N_(
    "One run for each value, all else as on this form, one after another. <b>Runs, Method race</b> "
    "shows them beside each other, and <b>Compare runs</b> on the same axes."
)


class SeveralValues:
    """Which setting, the list, and the button that queues."""

    def __init__(self, method: str) -> None:
        """Build the widgets where it is called; `method` is chosen at first."""
        with gr.Accordion(_("Try several values"), open=False, elem_id="several"):
            gr.HTML(f'<p class="hint">{_(ABOUT)}</p>', apply_default_css=False)
            with gr.Row(elem_classes="several-row"):
                self.field = gr.Dropdown(
                    choices(method),
                    value=OF_RUN[0],
                    # An open page outlives a server that knew the choices; checked below.
                    allow_custom_value=True,
                    label=_("Setting"),
                    elem_id="several-field",
                    scale=2,
                    min_width=170,
                )
                self.values = gr.Textbox(
                    label=_("Values"),
                    placeholder="1e-3, 3e-3, 1e-2",
                    max_lines=1,
                    max_length=LONGEST,
                    elem_id="several-values",
                    scale=3,
                    min_width=170,
                )
                self.start = gr.Button(
                    _("Queue the runs"),
                    size="md",
                    scale=0,
                    min_width=170,
                    elem_id="several-start",
                )

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """What `read` reads."""
        return {self.field, self.values}

    def follow(self, method: gr.Radio) -> None:
        """Offer the hyperparameters of the method that is chosen."""

        def offer(name: str, chosen: Any) -> dict[str, Any]:
            found = choices(name)
            there = chosen in [value for _, value in found]
            return gr.update(choices=found, value=chosen if there else OF_RUN[0])

        method.change(offer, [method, self.field], self.field, queue=False, **QUIET)

    def read(self, values: dict[gr.blocks.Block, Any], base: RunConfig) -> list[RunConfig]:
        """The runs asked for.

        Raises:
            UserError: the setting, or one of the values.
        """
        return configs(base, str(values[self.field] or ""), values[self.values])


def choices(method: str) -> list[tuple[str, str]]:
    """The settings to choose from, in words."""
    own = [(f"{METHODS[method].title}: {amid(item.label)}", METHODS_OWN + item.name)
           for item in METHODS[method].declared() if _countable(item)]  # fmt: skip
    there = {item.name: item for item in RunConfig.declared()}
    return [(_(there[name].label), name) for name in OF_RUN] + own


def configs(base: RunConfig, name: str, text: Any) -> list[RunConfig]:
    """The same run once for each value, labelled with it.

    Raises:
        UserError: the setting, or one of the values.
    """
    item, own = _item(base.method, name)
    found = []
    for value in numbers(text, item):
        plain = base.model_dump(mode="json")
        if own:
            plain["hyperparameters"] = {**base.hyperparameters, item.name: value}
        else:
            plain[item.name] = value
        words = f"{amid(item.label)} {value}"
        named = f"{base.label[: LONGEST_LABEL - len(words) - 2]}, {words}" if base.label else words
        found.append(RunConfig.parse({**plain, "label": named}))
    return found


def numbers(text: Any, item: Hyperparameter) -> Sequence[float | int]:
    """A list such as "1e-4, 3e-4 1e-3": at least two different numbers in their order.

    Raises:
        UserError: names what is no number, out of range, or missing.
    """
    listed = str(text or "")
    if len(listed) > LONGEST:
        raise UserError(
            f"The list of values has {len(listed):,} characters.", f"Use at most {LONGEST}."
        )
    words = [word for word in re.split(r"[\s,;]+", listed) if word]
    found: list[float | int] = []
    for word in words:
        value = _number(word, item)
        if value not in found:
            found.append(value)
    if len(found) < 2:
        raise UserError(
            f"Two different values of {amid(item.label)} are needed at least.",
            "Write them with commas between, such as 1, 2, 5.",
        )
    return found


def _number(word: str, item: Hyperparameter) -> float | int:
    label = _(item.label)
    value = float(word) if NUMBER.match(word) else math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{word[:20]!r} in the list of values is no number.",
            "Write numbers with commas between, and a point before decimals.",
        )
    if item.kind == "integer" and value != int(value):
        raise UserError(f"{label} {word[:20]} is no whole number.", "Write one.")
    low = -math.inf if item.low is None else item.low
    high = math.inf if item.high is None else item.high
    if not low <= value <= high:
        raise UserError(
            f"{label} {word[:20]} is out of range.",
            f"Choose at least {low:g}." if value < low else f"Choose at most {high:g}.",
        )
    return int(value) if item.kind == "integer" else value


def _item(method: str, name: str) -> tuple[Hyperparameter, bool]:
    """The setting of that name, and whether it is the method's own."""
    own = name.startswith(METHODS_OWN)
    cls = METHODS[method] if own else RunConfig
    wanted = name.removeprefix(METHODS_OWN)
    if own or name in OF_RUN:
        for item in cls.declared():
            if item.name == wanted and _countable(item):
                return item, own
    raise UserError(
        f"Several values cannot be tried of {name[:40]!r}.", "Choose a setting of the list."
    )


def _countable(item: Hyperparameter) -> bool:
    return item.kind in ("number", "integer")
