"""Draws docs/claims.svg from docs/claims.json: python -m tests.browser.claims_figure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from tests.browser.conftest import CHROMIUM, QUIET_FLAGS

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH, HEIGHT = 1100, 460
COLOURS = {
    "undial": "#0072B2",
    "icu": "#009E73",
    "ngdiff": "#56B4E9",
    "grad_diff": "#E69F00",
    "npo": "#CC79A7",
    "gradient_ascent": "#D55E00",
    "mean_teacher": "#7A6A00",
}
"""Okabe and Ito's, so that no two are alike for anybody."""
SYMBOLS = dict(
    zip(
        COLOURS,
        ("circle", "square", "diamond", "cross", "triangle-up", "x", "star"),
        strict=True,
    )
)
EDGE = 3.0
"""Times the original's perplexity from which it no longer matters how much: drawn at the edge."""
TITLES = {
    "MA": "memorization accuracy on the forget text",
    "PPL": f"general perplexity, times ({EDGE:g}: or more)",
}


def figure(found: Mapping[str, Any]) -> go.Figure:
    """Left: every single run as forgetting against its price. Right: requests in a row."""
    singles = [row for row in found["rows"] if "/request-" not in row["cell"]]
    chained = [row for row in found["rows"] if "/request-" in row["cell"]]
    titles = ("Forgetting and its price", "Four requests in a row")[: 2 if chained else 1]
    made = make_subplots(
        cols=len(titles),
        column_widths=[0.6, 0.4][: len(titles)],
        horizontal_spacing=0.1,
        subplot_titles=titles,
    )
    for method in COLOURS:
        _points(made, method, [row for row in singles if method_of(row) == method])
        _requests(made, method, [row for row in chained if method_of(row) == method])
    line = found.get("retrained")
    if line:
        made.add_vline(
            x=line["recited"],
            line={"dash": "dash", "color": "#555"},
            annotation_text="never saw the text",
            annotation_position="top left",
            col=1,
        )
        made.add_hline(y=line["perplexity"], line={"dash": "dash", "color": "#555"}, col=1)
    made.update_xaxes(title_text=TITLES["MA"], range=[1.03, -0.03], col=1)
    made.update_yaxes(title_text=TITLES["PPL"], range=[0.9, 1.03 * EDGE])
    if chained:
        made.update_xaxes(title_text="request", dtick=1, col=2)
    made.update_layout(
        template="plotly_white",
        font={"family": "DejaVu Sans, Verdana, sans-serif", "size": 13},
        legend={"orientation": "h", "y": -0.2},
        margin={"l": 60, "r": 20, "t": 40, "b": 90},
    )
    return made


def method_of(row: Mapping[str, Any]) -> str:
    """The method of a cell such as 'a/icu'; in 'd/npo/0.3' it is the loss within a mean teacher."""
    claim, name = row["cell"].split("/")[:2]
    return "mean_teacher" if claim == "d" else name


def _points(made: go.Figure, method: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    recited, dearer = ([row["figures"][name] for row in rows] for name in ("recited", "perplexity"))
    made.add_scatter(
        x=[one["mean"] for one in recited],
        y=[min(one["mean"], EDGE) for one in dearer],
        error_x={"array": [one["deviation"] or 0 for one in recited], "thickness": 1},
        error_y={"array": [_within(one) for one in dearer], "thickness": 1},
        mode="markers",
        name=method,
        legendgroup=method,
        marker={"color": COLOURS[method], "symbol": SYMBOLS[method], "size": 10},
        row=1,
        col=1,
    )


def _requests(made: go.Figure, method: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    made.add_scatter(
        x=list(range(1, len(rows) + 1)),
        y=[min(row["figures"]["perplexity"]["mean"], EDGE) for row in rows],
        error_y={"array": [_within(row["figures"]["perplexity"]) for row in rows]},
        mode="lines+markers",
        name=method,
        legendgroup=method,
        showlegend=False,
        marker={"color": COLOURS[method], "symbol": SYMBOLS[method], "size": 9},
        row=1,
        col=2,
    )


def _within(figure: Mapping[str, Any]) -> float:
    """The deviation, where the mean is not at the edge."""
    return (figure["deviation"] or 0) if figure["mean"] < EDGE else 0


def draw(made: go.Figure) -> bytes:
    """The figure as SVG, drawn by Plotly itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET_FLAGS))
        page = browser.new_page()
        page.set_content(f"<script>{get_plotlyjs()}</script>")
        address = page.evaluate(
            "([figure, width, height]) =>"
            " Plotly.toImage(JSON.parse(figure), {format: 'svg', width, height})",
            [made.to_json(), WIDTH, HEIGHT],
        )
        browser.close()
    head, _, body = address.partition(",")
    if head.endswith("base64"):
        return base64.b64decode(body)
    return unquote(body).encode()


if __name__ == "__main__":
    found = json.loads((DOCS / "claims.json").read_text(encoding="utf-8"))
    (DOCS / "claims.svg").write_bytes(draw(figure(found)))
    print(DOCS / "claims.svg")
