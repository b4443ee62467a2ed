"""The sidebar: what the run is doing, how healthy the model is, Stop, and the link to share."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from dashboard import pictures
from dashboard.language import _
from dashboard.memory_gauge import gauge
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.theme import LOGO
from unlearning.methods import METHODS
from unlearning.runs.view import LIVE, View


def build(page: Page) -> gr.Textbox:
    """Build the sidebar; returns the field that shows the run's link."""
    gr.HTML(BRAND % _("Make a language model forget"), apply_default_css=False, elem_id="brand")
    pill = gr.HTML(apply_default_css=False, elem_id="status")
    facts = gr.HTML(apply_default_css=False, elem_id="facts")
    progress = gr.HTML(apply_default_css=False, elem_id="progress")
    meter = gr.HTML(apply_default_css=False, elem_id="meter")
    memory = gr.HTML(apply_default_css=False, elem_id="memory")
    stop = gr.Button(_("Stop and keep"), variant="stop", interactive=False, elem_id="stop")
    link = gr.Textbox(
        label=_("Link to watch this run"),
        interactive=False,
        buttons=["copy"],
        visible="hidden",
        elem_id="link",
    )

    @page.shows(pill, facts, progress, meter, memory, stop, link)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        view, there = watched.view, bool(watched.run_id)
        now = time.time() if watched.playback is None else view.updated
        return {
            pill: pictures.status_pill(
                watched.status,
                view.phase,
                watched.place,
                paused=paused(view),
                recorded=watched.playback is not None,
            ),
            facts: run_facts(watched),
            progress: pictures.progress(view, watched.status, now) if there else "",
            meter: pictures.meter(view.health, "health" in view.series) if there else "",
            memory: gauge(view, watched.status in LIVE),
            stop: stop_button(watched),
            link: gr.update(visible=True if there else "hidden"),
        }

    def stop_run(run_id: str, key: str) -> None:
        with shown():
            page.scheduler.stop(run_id, key)

    page.acted(stop.click(stop_run, [page.run, page.key], None, queue=False, **QUIET))
    return link


BRAND = f'<div class="brand">{LOGO}<div><h1>Lethe</h1><p>%s</p></div></div>'


def paused(view: View) -> bool:
    """Whether the run was stopped only to go on later."""
    return view.stopped is not None and view.stopped.why == "paused"


def run_facts(watched: Watched) -> str:
    """Which run this is, in one line each: method, model, whose."""
    if not watched.run_id:
        return ""
    view = watched.view
    method = METHODS[view.method].title if view.method in METHODS else view.method
    lines = [_("Run {run_id}").format(run_id=watched.run_id)]
    if method:
        lines.append(_("{method} on {model}").format(method=method, model=view.model))
    if watched.playback is not None:
        lines.append(_("A recording is played: nothing is computed."))
    elif not watched.owned:
        lines.append(_("You are watching; somebody else started it."))
    return "".join(f'<p class="fact">{pictures.escaped(line)}</p>' for line in lines)


def stop_button(watched: Watched) -> dict[str, Any]:
    """Label and state follow the run, never the click."""
    if watched.playback is not None:
        return gr.update(value=_("Played back"), interactive=False)
    if not watched.owned and watched.live:
        return gr.update(value=_("Watching only"), interactive=False)
    if watched.status == "stopping":
        return gr.update(value=_("Stopping …"), interactive=False)
    if watched.status == "queued":
        return gr.update(value=_("Leave the queue"), interactive=True)
    return gr.update(value=_("Stop and keep"), interactive=watched.live)
