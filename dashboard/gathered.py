"""Many widgets as one input: the browser gathers their values before it asks the server.

Gradio 6.31 keeps, in the browser, a state of progress for every input of every event. At each event
of the page, whichever, it brings all of them up to date, several times, and seeks each in the tree
of the page. A form of a hundred widgets that eight events want costs more than drawing the charts.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from dashboard.page import QUIET

GATHER = "(...values) => JSON.stringify(values)"
CHECKED = (gr.File, gr.Dropdown)

Values = Mapping[gr.blocks.Block, Any]


class Gathered:
    """Widgets whose values come together in one hidden field."""

    def __init__(self, widgets: Collection[Component], apart: Collection[Component] = ()) -> None:
        """To be made where the widgets were built.

        Args:
            widgets: Those to gather. Of them files and dropdowns stay inputs of their own: which
                path and which choice is good, Gradio knows of each visitor.
            apart: Further ones that stay: text that may be long.
        """
        self._apart = {w for w in widgets if w in apart or isinstance(w, CHECKED)}
        self._widgets = sorted(set(widgets) - self._apart, key=lambda widget: widget._id)
        self._field = gr.Textbox(visible="hidden")

    def on(
        self,
        events: Sequence[Callable[..., Dependency]],
        handler: Callable[..., Any],
        outputs: Any,
        also: Collection[Component] = (),
        **how: Any,
    ) -> Dependency:
        """Have `handler` called at each of the events with the values of all widgets.

        Args:
            events: Listeners of components, such as `button.click`.
            handler: Takes the values by component; may be a generator, and may take the request.
            outputs: As a listener takes them.
            also: Further components whose values it wants.
            how: What else a listener takes.
        """
        gathered = gr.on(events, None, self._widgets, self._field, js=GATHER, **QUIET)
        inputs = {self._field, *self._apart, *also}
        return gathered.then(self._opened(handler), inputs, outputs, **how)

    def _opened(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def steps(values: Values, *more: Any) -> Any:
                yield from handler(self.values(values), *more)

            return steps

        @wraps(handler)
        def once(values: Values, *more: Any) -> Any:
            return handler(self.values(values), *more)

        return once

    def values(self, given: Values) -> dict[gr.blocks.Block, Any]:
        """What was gathered, by widget, and the rest as it was given.

        Raises:
            ValueError: it was not gathered by this page.
            gr.Error: a value that its widget does not take.
        """
        found = json.loads(given[self._field] or "null")
        if not isinstance(found, list) or len(found) != len(self._widgets):
            raise ValueError("These are not the values of the form")
        own = {w: w.preprocess(value) for w, value in zip(self._widgets, found, strict=True)}
        return {**{w: value for w, value in given.items() if w is not self._field}, **own}
