"""One live figure fed 200 times: `python -m tests.browser.figure_stage --port N`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any

import gradio as gr

from dashboard import theme
from dashboard.live_figure import Chart, Trace, live_figure, payload
from unlearning.runs.events import Levels
from unlearning.runs.view import Series, View

UPDATES = 200
BROKEN = 120
"""Step at which the loss is not a number."""
RUN = "run/1.0/0"
AHEAD = {"forget_nll": [UPDATES - 1, UPDATES - 1]}
"""What the last payload wrongly takes for drawn: the browser must notice and say so."""
CHART = Chart(
    "loss",
    "Surprise",
    (
        Trace("forget_nll", "text to forget", theme.FORGET),
        Trace("kept", "text to keep", theme.UNLEARNED),
    ),
    direction="↑ should rise",
    level="memorization_accuracy",
)


PLAIN = Chart("plain", "Without a level", CHART.traces[:1])
"""Nothing but its curve changes from tick to tick."""


def advance(view: View) -> None:
    """One step more."""
    view.step += 1
    loss = math.nan if view.step == BROKEN else math.log1p(view.step)
    view.series.setdefault("forget_nll", Series()).add(view.step, loss)
    if view.step % 5 == 0:
        view.series.setdefault("kept", Series()).add(view.step, 1.0)


def page() -> gr.Blocks:
    """A page whose clock makes a step a tick; every seventh answer is lost on the way."""
    view = View(steps=UPDATES, begun=1.0)
    view.levels = Levels(source="holdout", scores={"memorization_accuracy": 0.5})

    def tick(held: Any, plain: Any) -> Any:
        if view.step < UPDATES:
            advance(view)
            if view.step % 7 == 0 or view.step == UPDATES - 1:
                return gr.skip(), gr.skip()
            if view.step == UPDATES:
                held = {"drawn": {"run": RUN, "tag": "", "traces": AHEAD}}
        news = payload(view, CHART, held, "run"), payload(view, PLAIN, plain, "run")
        return [gr.skip() if part is None else part for part in news]

    with gr.Blocks(analytics_enabled=False) as demo:
        figures = [live_figure(CHART, 220), live_figure(PLAIN, 120)]
        gr.Timer(0.04).tick(tick, figures, figures, queue=False, show_progress="hidden")
    return demo


def main(words: Sequence[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args(words)
    page().launch(
        server_name="127.0.0.1",
        server_port=chosen.port,
        theme=theme.theme(),
        css=theme.CSS,
        head=theme.HEAD,
        run_history=False,
        ssr_mode=False,
        _frontend=False,
    )


if __name__ == "__main__":
    main()
