"""Handlers of a page without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from dashboard.gathered import GATHER


@dataclass(frozen=True)
class Handler:
    """What an event of the page calls, and of which components it gets the values."""

    fn: Callable[..., Any]
    inputs: list[Any]


def handler_of(blocks: gr.Blocks, name: str) -> Handler:
    """A handler by the name of its function.

    One whose values the browser gathers is called with the values of all widgets all the same.
    """
    function = next(f for f in blocks.fns.values() if getattr(f.fn, "__name__", "") == name)
    before = blocks.fns.get(function.trigger_after)
    if before is None or before.js != GATHER:
        return Handler(function.fn, function.inputs)
    (field,) = before.outputs

    def call(values: dict[Any, Any], *more: Any) -> Any:
        sent = {c: value for c, value in values.items() if c not in before.inputs}
        sent[field] = json.dumps([values[component] for component in before.inputs])
        return function.fn(sent, *more)

    return Handler(call, [c for c in function.inputs if c is not field] + before.inputs)
