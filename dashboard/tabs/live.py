"""Live run: four curves, the pinned answers beside the original's, and what it means in words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from dashboard import pictures, tables
from dashboard.live_figure import Chart, Trace
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.theme import FIFTH, FORGET, HEALTHY, UNLEARNED
from unlearning.runs.events import Answer
from unlearning.runs.view import View

NAME, TITLE = "live", "2 Live run"

RECITED = "memorization_accuracy"
FIGURE_HEIGHT = 118
CUT_SHORT = ("interrupted", "stopped", "failed", "collapsed")
"""States from which a run may go on."""

CHARTS = (
    Chart(
        "recited",
        "Words recited",
        (
            Trace(f"score/{RECITED}/forget", "text to forget", FORGET),
            Trace(f"score/{RECITED}/retain", "text to keep", UNLEARNED),
        ),
        direction="↓ to the never-saw-it level",
        level=RECITED,
    ),
    Chart(
        "forget-loss",
        "Loss on the text to forget",
        (
            Trace("forget_nll", "loss", FORGET),
            Trace("term/forget", "the method's term", FORGET, "dot"),
        ),
        direction="↑ should rise",
    ),
    Chart(
        "health",
        "Collapse meter",
        (Trace("health", "meter", HEALTHY),),
        direction="↓ 1 is the loss of language",
        y_range=(0.0, 1.0),
    ),
    Chart(
        "kept",
        "Perplexity of what must stay",
        (
            Trace("score/perplexity/retain", "text to keep", UNLEARNED),
            Trace("score/perplexity/generic", "general text", FIFTH),
        ),
        direction="→ should stay flat",
    ),
)
TEACHING = Chart(
    "teaching",
    "Learning the text first",
    (Trace("teach/memorized", "words recited", FORGET),),
    direction="↑ to 1, so that there is something to forget",
    y_range=(0.0, 1.0),
    along_run=False,
)


def build(page: Page) -> None:
    """Build the tab."""
    told = gr.HTML(apply_default_css=False, elem_id="story")
    trouble = gr.HTML(apply_default_css=False, elem_id="trouble")
    with gr.Row(visible=False, elem_id="go-on") as go_on:
        more = gr.Button("Continue", variant="primary", scale=0, min_width=230, elem_id="continue")
        steps = gr.Number(
            label="Steps in all", precision=0, minimum=1, scale=0, min_width=140, elem_id="to-step"
        )
    with gr.Row(visible=False, elem_classes="figures") as taught:
        page.figure(TEACHING, FIGURE_HEIGHT)
    for left, right in (CHARTS[:2], CHARTS[2:]):
        with gr.Row(elem_classes="figures"):
            page.figure(left, FIGURE_HEIGHT)
            page.figure(right, FIGURE_HEIGHT)
    answers = gr.HTML(apply_default_css=False, elem_id="answers")
    notices = gr.HTML(apply_default_css=False, elem_id="notices")

    @page.shows(told, trouble, go_on, more, steps, taught, answers, notices)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        view = watched.view
        return {
            told: headline(watched),
            trouble: trouble_cards(view),
            go_on: gr.update(visible=can_go_on(watched)),
            more: gr.update(value=f"Continue from step {last_snapshot(watched)}"),
            steps: gr.update(value=view.steps or 1),
            taught: gr.update(visible="teach/memorized" in view.series),
            answers: answer_table(view),
            notices: pictures.notices(view.notices),
        }

    def resume(run_id: str, key: str, wanted: float | None) -> None:
        with shown():
            page.scheduler.resume(run_id, key, int(wanted) if wanted else None)

    page.acted(more.click(resume, [page.run, page.key, steps], None, **QUIET))


def headline(watched: Watched) -> str:
    """The run in a sentence or two; without a run, where to begin."""
    if not watched.run_id:
        return (
            '<p class="story">No run is open. Start one in <b>Set up</b>, '
            "or pick one in <b>Runs</b>.</p>"
        )
    return pictures.story(watched.view)


def trouble_cards(view: View) -> str:
    """Collapse and error, each with what to do; empty when all is well."""
    failed = pictures.error_card(view.failed) if view.failed else ""
    return pictures.collapse_card(view) + failed


def answer_table(view: View) -> str:
    """The pinned answers of the weights as they are beside the original's.

    After a roll-back that is not the latest look, which the collapse card keeps.
    """
    steps = [step for step in view.answers if step <= view.step]
    if not steps:
        return tables.answers((), None)
    return _drawn(view.answers[max(steps)], max(steps))


@lru_cache(maxsize=64)
def _drawn(answers: tuple[Answer, ...], step: int) -> str:
    """Comparing words takes a while; every viewer of a run asks for the same table each tick."""
    return tables.answers(answers, step)


def last_snapshot(watched: Watched) -> int:
    """The step from which a run goes on."""
    return max((step for step in watched.snapshots if step <= watched.view.step), default=0)


def can_go_on(watched: Watched) -> bool:
    """Whether Continue is offered: own, cut short, and with a snapshot to go on from."""
    return bool(watched.owned and watched.status in CUT_SHORT and watched.snapshots)
