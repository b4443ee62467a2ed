"""Live run: curves, the path of the run, the pinned answers at any step, and the story in words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from dashboard import going_on, inside, pictures, tables, trajectory, travel
from dashboard.collapse import collapse_card
from dashboard.earlier import earlier_runs
from dashboard.language import N_, _
from dashboard.live_figure import Chart, Trace
from dashboard.page import QUIET, Page, Watched
from dashboard.theme import FIFTH, FORGET, HEALTHY, UNLEARNED
from unlearning.runs.events import Answer
from unlearning.runs.view import View

NAME, TITLE = "live", N_("2 Live run")

RECITED = "memorization_accuracy"
FIGURE_HEIGHT = 104
CHARTS = (
    Chart(
        "recited",
        N_("Words recited"),
        (
            Trace(f"score/{RECITED}/forget", N_("text to forget"), FORGET),
            Trace(f"score/{RECITED}/retain", N_("text to keep"), UNLEARNED),
        ),
        direction=N_("↓ to the never-saw-it level"),
        level=RECITED,
    ),
    Chart(
        "forget-loss",
        N_("Loss on the text to forget"),
        (
            Trace("forget_nll", N_("loss"), FORGET),
            Trace("term/forget", N_("the method's term"), FORGET, "dot"),
        ),
        direction=N_("↑ should rise"),
    ),
    Chart(
        "health",
        N_("Collapse meter"),
        (Trace("health", N_("meter"), HEALTHY),),
        direction=N_("↓ 1: language lost"),
        y_range=(0.0, 1.0),
    ),
    Chart(
        "kept",
        N_("Perplexity of kept text"),
        (
            Trace("score/perplexity/retain", N_("text to keep"), UNLEARNED),
            Trace("score/perplexity/generic", N_("general text"), FIFTH),
        ),
        direction=N_("→ stay flat"),
    ),
)
TEACHING = Chart(
    "teaching",
    N_("Learning the text first"),
    (Trace("teach/memorized", N_("words recited"), FORGET),),
    direction=N_("↑ to 1, so that there is something to forget"),
    y_range=(0.0, 1.0),
    along_run=False,
)


def build(page: Page) -> None:
    """Build the tab."""
    told = gr.HTML(apply_default_css=False, elem_id="story")
    trouble = gr.HTML(apply_default_css=False, elem_id="trouble")
    with gr.Row(elem_classes="figures until-drawn"):
        page.figure(TEACHING, FIGURE_HEIGHT)
    with gr.Row(elem_classes="figures live-figures"):
        with gr.Column(elem_classes="curves-grid", min_width=300):
            for left, right in (CHARTS[:2], CHARTS[2:]):
                with gr.Row(elem_classes="figures"):
                    page.figure(left, FIGURE_HEIGHT)
                    page.figure(right, FIGURE_HEIGHT)
        with gr.Column(elem_classes="trajectory-place", min_width=260):
            way = trajectory.trajectory()
    page.drawn(way, lambda watched, held: draw_way(page, watched, held))
    back = travel.slider()
    page.drawn(back, lambda watched, held: travel.payload(watched.view, held, watched.run_id))
    # Keys come faster than answers: the last one counts.
    chosen = back.input(None, back, page.at, js=travel.CHOSEN, trigger_mode="always_last", **QUIET)
    page.acted(chosen)
    going_on.build(page)
    answers = gr.HTML(apply_default_css=False, elem_id="answers")
    inside.build(page)
    notices = gr.HTML(apply_default_css=False, elem_id="notices")

    @page.shows(told, trouble, answers, notices)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        view = watched.view
        return {
            told: headline(watched),
            trouble: trouble_cards(view),
            answers: answer_table(view, watched.at),
            notices: pictures.notices(view.notices),
        }


def draw_way(page: Page, watched: Watched, held: Any) -> dict[str, Any] | None:
    """The trajectory; where strangers meet, everybody sees only their own earlier runs."""
    owner = watched.key if page.settings.public else None
    earlier = earlier_runs(page.scheduler.store, watched.run_id, owner) if watched.run_id else ()
    return trajectory.payload(watched.view, earlier, held, watched.run_id, watched.at)


def headline(watched: Watched) -> str:
    """The run in a sentence or two; without a run, where to begin."""
    if not watched.run_id:
        return (
            '<p class="story">'
            + _("No run is open. Start one in <b>Set up</b>, or pick one in <b>Runs</b>.")
            + "</p>"
        )
    return pictures.story(watched.view)


def trouble_cards(view: View) -> str:
    """Collapse and error, each with what to do; empty when all is well."""
    failed = pictures.error_card(view.failed) if view.failed else ""
    return collapse_card(view) + failed


def answer_table(view: View, at: int | None = None) -> str:
    """The pinned answers at a step, by default of the weights as they are, beside the original's.

    After a roll-back that is not the latest look, which the collapse card keeps.
    """
    step = travel.shown_step(view) if at is None else at
    if step is None:
        return tables.answers((), None)
    return _drawn(view.answers[step], step)


@lru_cache(maxsize=64)
def _drawn(answers: tuple[Answer, ...], step: int) -> str:
    """Comparing words takes a while; every viewer of a run asks for the same table each tick."""
    return tables.answers(answers, step)
