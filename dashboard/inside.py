"""Inside the method: a few more charts, of what the run's method tells of itself."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard.live_figure import Chart
from dashboard.own_curves import SLOTS, own_charts, own_payload
from dashboard.page import Page, Watched
from dashboard.pictures import escaped
from unlearning.methods import METHODS
from unlearning.runs.view import View

HEIGHT = 100
A_ROW = 3


def build(page: Page) -> list[gr.blocks.Block]:
    """The heading, then one place after the other; hidden until there is something to draw."""
    head = gr.HTML(apply_default_css=False, elem_id="inside-head")
    places: list[gr.blocks.Block] = []
    for row in range(SLOTS // A_ROW):
        with gr.Row(elem_classes="figures inside"):
            for place in range(row * A_ROW, (row + 1) * A_ROW):
                with gr.Column(visible=False, min_width=220) as column:
                    figure = page.figure(Chart(f"own-{place}", "", ()), HEIGHT)
                    page.drawn(figure, _drawer(place))
                places.append(column)
    return [head, *places]


def shown(blocks: list[gr.blocks.Block], view: View) -> dict[gr.blocks.Block, Any]:
    """What is to be seen of it for a run."""
    head, *places = blocks
    count = len(own_charts(view))
    name = METHODS[view.method].title if view.method in METHODS else view.method
    words = f'<h3 class="inside-head">Inside {escaped(name)}</h3>' if count else ""
    columns = {column: gr.update(visible=i < count) for i, column in enumerate(places)}
    return {head: words, **columns}


def _drawer(place: int) -> Any:
    def draw(watched: Watched, held: Any) -> dict[str, Any] | None:
        return own_payload(watched.view, place, held, watched.run_id, watched.live)

    return draw
