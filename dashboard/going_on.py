"""Pause, resume, go on from an earlier step, or keep that step as the result."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard import pictures
from dashboard.language import _
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.sidebar import paused
from dashboard.travel import kept_before

CUT_SHORT = ("interrupted", "stopped", "failed", "collapsed")
"""States from which a run may go on."""


def build(page: Page) -> None:
    """The row below the slider."""
    with gr.Row(visible=False, elem_id="go-on", elem_classes="go-on") as row:
        pause = gr.Button(_("Pause"), size="md", scale=0, min_width=110, elem_id="pause")
        more = gr.Button(
            _("Continue"), variant="primary", size="md", scale=0, min_width=200, elem_id="continue"
        )
        steps = gr.Number(
            label=_("Steps in all"),
            precision=0,
            minimum=1,
            scale=0,
            min_width=130,
            elem_id="to-step",
        )
        keep = gr.Button(
            _("Keep this step"), size="md", scale=0, min_width=230, elem_id="keep-step"
        )
        note = gr.HTML(apply_default_css=False, elem_id="go-on-note")

    @page.shows(row, pause, more, steps, keep, note)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        on, back, hold = can_go_on(watched), can_keep(watched), can_pause(watched)
        step = kept_before(watched)
        return {
            row: gr.update(visible=on or back or hold),
            pause: gr.update(visible=hold),
            more: gr.update(visible=on, value=resume_label(watched)),
            steps: gr.update(visible=on, value=watched.view.steps or 1),
            keep: gr.update(
                visible=back, value=_("Keep step {step} as the result").format(step=step)
            ),
            note: f'<p class="note">{pictures.escaped(explained(watched))}</p>',
        }

    def resume(run_id: str, key: str, at: str, wanted: float | None) -> None:
        watched = page.watched(run_id, key, at)
        step = None if watched.at is None else kept_before(watched)
        with shown():
            page.scheduler.resume(run_id, key, int(wanted) if wanted else None, step)

    def roll_back(run_id: str, key: str, at: str) -> None:
        step = kept_before(page.watched(run_id, key, at))
        with shown():
            page.scheduler.roll_back(run_id, -1 if step is None else step, key)

    def hold(run_id: str, key: str) -> None:
        with shown():
            page.scheduler.stop(run_id, key, pause=True)

    looked = [page.run, page.key, page.at]
    page.acted(more.click(resume, [*looked, steps], None, **QUIET))
    page.acted(keep.click(roll_back, looked, None, **QUIET))
    page.acted(pause.click(hold, [page.run, page.key], None, queue=False, **QUIET))


def can_pause(watched: Watched) -> bool:
    """Whether Pause is offered: own, and taking steps."""
    return watched.owned and watched.status == "running" and watched.view.phase == "training"


def can_go_on(watched: Watched) -> bool:
    """Whether Continue is offered: own, with a snapshot, and cut short or looked back at."""
    ended = watched.status in CUT_SHORT or (watched.status == "finished" and _is_back(watched))
    return bool(watched.owned and ended and kept_before(watched) is not None)


def can_keep(watched: Watched) -> bool:
    """Whether an earlier step may become the result: own, ended, and another step is looked at."""
    ended = watched.status in CUT_SHORT or watched.status == "finished"
    step = kept_before(watched)
    return bool(watched.owned and ended and watched.at is not None and step is not None) and (
        step != watched.view.step
    )


def resume_label(watched: Watched) -> str:
    """What Continue does, with its step."""
    step = kept_before(watched)
    if watched.at is None and paused(watched.view) and watched.status == "stopped":
        return _("Resume at step {step}").format(step=step)
    return _("Continue from step {step}").format(step=step)


def explained(watched: Watched) -> str:
    """What the buttons will do, in a sentence or two; empty where there is none."""
    step, view = kept_before(watched), watched.view
    if can_pause(watched):
        return _(
            "Pause keeps the step it stops at: resumed later, the run ends as without a pause."
        )
    if not (can_go_on(watched) or can_keep(watched)):
        return ""
    said = []
    if watched.at is not None and step != watched.at:
        said.append(
            _("Step {at} was looked at but not kept; step {step} before it was.").format(
                at=watched.at, step=step
            )
        )
    if watched.at is not None and step is not None and max(watched.snapshots) > step:
        said.append(
            _(
                "Continuing drops what came after step {step}; keeping it as the result measures "
                "it anew and drops nothing."
            ).format(step=step)
        )
    elif paused(view) and watched.at is None and watched.status == "stopped":
        said.append(
            _(
                "Paused, with a snapshot of step {step} itself: it goes on as if it had never "
                "stopped."
            ).format(step=step)
        )
    return " ".join(said)


def _is_back(watched: Watched) -> bool:
    return watched.at is not None and watched.at < watched.view.step
