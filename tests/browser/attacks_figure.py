"""Draws docs/attacks.svg from docs/attacks.json: python -m tests.browser.attacks_figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from tests.browser.claims_figure import DOCS, draw

SIDES = {
    "original": ("original", "#6E6E6E", "dash", "circle"),
    "unlearned": ("unlearned", "#0072B2", "solid", "square"),
    "control": ("never saw the text", "#009E73", "dot", "diamond"),
}
"""Side to name, colour, line and symbol: none of them is told by its colour alone."""


def figure(found: Mapping[str, Any]) -> go.Figure:
    """Relearning: what each model knows of the share that none of them is shown."""
    attacked = [
        (one["cell"], report)
        for one in found["attacks"]
        for report in one["reports"]
        if report["attack"] == "relearn"
    ]
    made = make_subplots(
        cols=max(len(attacked), 1),
        shared_yaxes=True,
        horizontal_spacing=0.03,
        subplot_titles=[cell for cell, _ in attacked],
    )
    for place, (_, report) in enumerate(attacked, 1):
        last = max(look["step"] for c in report["curves"].values() for look in c["looks"])
        for side in SIDES:
            if side in report["curves"]:
                _curve(made, side, report["curves"][side]["looks"], last, place)
    made.update_xaxes(title_text="steps of relearning")
    made.update_yaxes(range=[0, 1.02])
    made.update_yaxes(title_text="memorization accuracy", col=1)
    made.update_layout(
        template="plotly_white",
        font={"family": "DejaVu Sans, Verdana, sans-serif", "size": 13},
        legend={"orientation": "h", "y": -0.22},
        margin={"l": 60, "r": 20, "t": 40, "b": 90},
    )
    return made


def _curve(
    made: go.Figure, side: str, looks: Sequence[Mapping[str, Any]], last: int, place: int
) -> None:
    """One model; what is not trained stays where it is."""
    name, colour, dash, symbol = SIDES[side]
    steps = [look["step"] for look in looks]
    known = [look["unseen"]["value"] for look in looks]
    if len(looks) == 1:
        steps, known = [0, last], known * 2
    made.add_scatter(
        x=steps,
        y=known,
        mode="lines+markers",
        name=name,
        legendgroup=side,
        showlegend=place == 1,
        line={"color": colour, "dash": dash},
        marker={"symbol": symbol, "size": 8},
        row=1,
        col=place,
    )


if __name__ == "__main__":
    found = json.loads((DOCS / "attacks.json").read_text(encoding="utf-8"))
    (DOCS / "attacks.svg").write_bytes(draw(figure(found)))
    print(DOCS / "attacks.svg")
