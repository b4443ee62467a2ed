"""Inside the method: a few more charts, of what the run's method tells of itself.

Their places are always there and hidden by style until something is drawn in them.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard.language import _
from dashboard.live_figure import Chart
from dashboard.own_curves import SLOTS, own_charts, own_payload
from dashboard.page import Page, Watched
from dashboard.pictures import escaped
from unlearning.methods import METHODS
from unlearning.runs.view import View

HEIGHT = 100
A_ROW = 3


def build(page: Page) -> None:
    """The heading, then one place after the other."""
    head = gr.HTML(apply_default_css=False, elem_id="inside-head")
    for row in range(SLOTS // A_ROW):
        with gr.Row(elem_classes="figures inside"):
            for place in range(row * A_ROW, (row + 1) * A_ROW):
                with gr.Column(min_width=220, elem_classes="until-drawn"):
                    figure = page.figure(Chart(f"own-{place}", "", ()), HEIGHT)
                    page.drawn(figure, _drawer(place))

    @page.shows(head)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        return {head: heading(watched.view)}


def heading(view: View) -> str:
    """The method's name above its charts; empty while there are none."""
    if not own_charts(view):
        return ""
    name = METHODS[view.method].title if view.method in METHODS else view.method
    return f'<h3 class="inside-head">{escaped(_("Inside {method}").format(method=name))}</h3>'


def _drawer(place: int) -> Any:
    def draw(watched: Watched, held: Any) -> dict[str, Any] | None:
        return own_payload(watched.view, place, held, watched.run_id, watched.live)

    return draw
