"""Set up's widgets by their name: what a lesson puts into them before it presses Start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.context import get_blocks_context

from dashboard.form import NO, UNSET, YES
from dashboard.language import _
from unlearning.config import RunConfig
from unlearning.declare import Hyperparameter
from unlearning.methods import METHODS

PLACES = ("run", "teach")
"""Prefixes under which Set up offers the fields of a run."""

ELSEWHERE = ("model", "method", "prompts", "forget", "hyperparameters")
"""Fields of a run that have widgets of their own names."""

PRESS = """() => {
  const press = (tries) => {
    const button = document.querySelector("button#%(id)s, #%(id)s button");
    const ready = button && button.offsetParent && !button.disabled;
    // A moment to see what is about to be pressed.
    if (ready) {
      button.scrollIntoView({ block: "nearest" });
      setTimeout(() => button.click(), 900);
    } else if (tries < 100) setTimeout(() => press(tries + 1), 100);
  };
  press(0);
}"""
"""Presses a button of the page as a user would, once it is there to be pressed."""


class Controls:
    """The widgets of the page that is being built; to be made after Set up."""

    def __init__(self) -> None:
        blocks = get_blocks_context().blocks.values()
        self.by_id = {block.elem_id: block for block in blocks if getattr(block, "elem_id", None)}

    def fill(self, settings: Mapping[str, Any], text: str, label: str) -> dict[Any, Any]:
        """Every widget of Set up with what it shows for these settings; the rest as at first.

        Args:
            settings: Settings of a run by name, as `RunConfig` takes them.
            text: Text to forget to be pasted; empty takes the source in the settings.
            label: Name of the run in the list.

        Raises:
            KeyError: Set up has no widget for one of the settings.
        """
        default = RunConfig()
        source = settings.get("forget", default.forget)
        values = {
            "model": settings.get("model", default.model),
            "method": settings.get("method", default.method),
            "prompts": "\n".join(settings.get("prompts", ())),
            "forget-way": "paste" if text else "example",
            "forget-pasted": text,
            "retain-way": "auto",
        }
        updates = {self.by_id[name]: value for name, value in values.items()}
        updates[self.by_id["forget-example"]] = self._example(default.forget if text else source)
        fields = {**settings, "label": label}
        for item in RunConfig.declared():
            widget = self._field(item.name)
            if widget is not None:
                updates[widget] = shown(item, fields.get(item.name, item.default))
            elif item.name in settings and item.name not in ELSEWHERE:
                raise KeyError(f"Set up has no widget for {item.name}")
        chosen = dict(settings.get("hyperparameters", {}))
        for item in METHODS[values["method"]].declared():
            widget = self.by_id[f"method-{values['method']}-{item.name}"]
            updates[widget] = shown(item, chosen.get(item.name, item.default))
        return updates

    def filled(self, method: str) -> list[Any]:
        """All widgets that `fill` changes for a method."""
        return list(self.fill({"method": method}, "", ""))

    def _field(self, name: str) -> Any:
        return next(
            (self.by_id[f"{p}-{name}"] for p in PLACES if f"{p}-{name}" in self.by_id), None
        )

    def _example(self, source: str) -> dict[str, Any]:
        """The source among the examples; one that is not offered joins the list."""
        known = list(self.by_id["forget-example"].choices)
        if source not in [value for _, value in known]:
            known.append(
                (
                    _("Fictional world: {value}s to forget").format(
                        value=source.rpartition("/")[2]
                    ),
                    source,
                )
            )
        return gr.update(choices=known, value=source)


def shown(item: Hyperparameter, value: Any) -> Any:
    """A value as the field's widget holds it; `form.from_widget` is the way back."""
    if item.kind == "switch" and item.optional:
        return UNSET if value is None else (YES if value else NO)
    if item.kind == "text":
        return value or ""
    if item.optional:
        return "" if value is None else f"{value:g}"
    return value
