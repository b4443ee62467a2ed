"""Draws docs/requests.svg from docs/sequential.json and docs/growing.json:
python -m tests.browser.requests_figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tests.browser.claims_figure import COLOURS, DOCS, EDGE, SYMBOLS, draw
from unlearning.cli.requests import by_method

PAGES = {"sequential": "request", "growing": "quarters of the text"}
"""File to the words below its plots."""
TITLES = {
    "kept": "memorization accuracy on the retain text",
    "perplexity": "general perplexity, times",
}
HEADS = (
    "Requests in a row: kept text",
    "Requests in a row: price",
    "Growing requests: kept text",
    "Growing requests: price",
)


def figure(found: Mapping[str, Mapping[str, Any]]) -> go.Figure:
    """Four plots: for each page what is kept of the retain text, and the price on general text.

    A run that collapsed and was rolled back is drawn hollow.
    """
    prices = [
        row["figures"]["perplexity"]["mean"] for page in found.values() for row in page["rows"]
    ]
    top = min(EDGE, max(price for price in prices if price is not None))
    made = make_subplots(cols=4, horizontal_spacing=0.06, subplot_titles=HEADS)
    for place, page in enumerate(PAGES):
        for offset, name in enumerate(TITLES, 1):
            col = 2 * place + offset
            for method, rows in by_method(found[page]).items():
                _curve(made, method, rows, name, col)
            made.update_xaxes(title_text=PAGES[page], dtick=1, range=[0.8, 4.2], col=col)
            made.update_yaxes(title_text=TITLES[name], title_standoff=4, col=col)
            made.update_yaxes(
                range=[-0.03, 1.03] if name == "kept" else [0.98, top + 0.02], col=col
            )
    made.update_layout(
        template="plotly_white",
        font={"family": "DejaVu Sans, Verdana, sans-serif", "size": 12},
        legend={"orientation": "h", "y": -0.22},
        margin={"l": 60, "r": 20, "t": 40, "b": 90},
    )
    made.update_annotations(font_size=13)
    return made


def _curve(
    made: go.Figure, method: str, rows: Sequence[Mapping[str, Any]], name: str, col: int
) -> None:
    """One method; what was not reached is not drawn."""
    reached = [
        (x, row) for x, row in enumerate(rows, 1) if row["figures"][name]["mean"] is not None
    ]
    made.add_scatter(
        x=[x for x, _ in reached],
        y=[min(row["figures"][name]["mean"], EDGE) for _, row in reached],
        mode="lines+markers",
        name=method,
        legendgroup=method,
        showlegend=col == 1,
        line={"color": COLOURS[method]},
        marker={
            "color": COLOURS[method],
            "symbol": [_symbol(method, row) for _, row in reached],
            "size": 10,
        },
        row=1,
        col=col,
    )


def _symbol(method: str, row: Mapping[str, Any]) -> str:
    return SYMBOLS[method] + ("-open" if "collapsed" in row["ends"] else "")


if __name__ == "__main__":
    pages = {p: json.loads((DOCS / f"{p}.json").read_text(encoding="utf-8")) for p in PAGES}
    (DOCS / "requests.svg").write_bytes(draw(figure(pages)))
    print(DOCS / "requests.svg")
