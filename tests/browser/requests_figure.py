"""Draws docs/requests.svg from docs/sequential.json and docs/growing.json:
python -m tests.browser.requests_figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tests.browser.claims_figure import COLOURS, DOCS, EDGE, SYMBOLS, draw
from unlearning.cli.requests import curves

PAGES = {"sequential": "request", "growing": "quarters of the text"}
"""File to the words below its plots."""
TITLES = {
    "kept": "memorization accuracy on the retain text",
    "perplexity": f"general perplexity, times ({EDGE:g}: or more)",
}
HEADS = (
    "Requests in a row: kept text",
    "Requests in a row: price",
    "Growing requests: kept text",
    "Growing requests: price",
)


def figure(found: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Four plots: for each page what is kept of the retain text, and the price on general text."""
    made = make_subplots(cols=4, horizontal_spacing=0.06, subplot_titles=HEADS)
    for place, page in enumerate(PAGES):
        for offset, name in enumerate(TITLES, 1):
            col = 2 * place + offset
            for method, points in curves(found[page], name).items():
                _curve(made, method, points, col)
            made.update_xaxes(title_text=PAGES[page], dtick=1, range=[0.8, 4.2], col=col)
            made.update_yaxes(title_text=TITLES[name], title_standoff=4, col=col)
            made.update_yaxes(range=[-0.03, 1.03] if name == "kept" else [0.9, 3.07], col=col)
    made.update_layout(
        template="plotly_white",
        font={"family": "DejaVu Sans, Verdana, sans-serif", "size": 12},
        legend={"orientation": "h", "y": -0.22},
        margin={"l": 60, "r": 20, "t": 40, "b": 90},
    )
    made.update_annotations(font_size=13)
    return made


def _curve(made: go.Figure, method: str, points: Sequence[Mapping[str, Any]], col: int) -> None:
    """One method; what was not reached is not drawn."""
    reached = [(x, p) for x, p in enumerate(points, 1) if p["mean"] is not None]
    made.add_scatter(
        x=[x for x, _ in reached],
        y=[min(point["mean"], EDGE) for _, point in reached],
        mode="lines+markers",
        name=method,
        legendgroup=method,
        showlegend=col == 1,
        line={"color": COLOURS[method]},
        marker={"color": COLOURS[method], "symbol": SYMBOLS[method], "size": 9},
        row=1,
        col=col,
    )


if __name__ == "__main__":
    pages = {p: json.loads((DOCS / f"{p}.json").read_text(encoding="utf-8")) for p in PAGES}
    (DOCS / "requests.svg").write_bytes(draw(figure(pages)))
    print(DOCS / "requests.svg")
