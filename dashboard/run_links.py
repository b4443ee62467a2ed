"""Below the sidebar's link: ways to show the run that is looked at to others, or once more."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from dashboard.language import _
from dashboard.lesson_runs import first_label
from dashboard.lessons.base import PREFIX
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.pictures import escaped
from dashboard.playback import begin
from dashboard.tabs import learn


def build(page: Page) -> None:
    """Build links and button; they are hidden while no run is open."""
    links = gr.HTML(apply_default_css=False, elem_id="run-links")
    lesson = gr.Button(_("Back to the lesson"), visible=False, size="md", elem_id="to-lesson")
    again = gr.Button(_("Play it again"), visible=False, size="md", elem_id="replay")

    @page.shows(links, lesson, again)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        ended = bool(watched.run_id) and not watched.live and watched.playback is None
        return {
            links: present_links(watched),
            lesson: gr.update(
                visible=first_label(page.scheduler.store, watched.run_id).startswith(PREFIX)
            ),
            again: gr.update(visible=ended and watched.view.begun is not None),
        }

    def play(run_id: str) -> tuple[str, gr.Tabs]:
        with shown():
            return begin(page.scheduler.store, run_id, time.time()).text(), gr.Tabs(selected="live")

    lesson.click(lambda: gr.Tabs(selected=learn.NAME), None, page.tabs, queue=False, **QUIET)
    page.acted(again.click(play, page.run, [page.playback, page.tabs], queue=False, **QUIET))


def present_links(watched: Watched) -> str:
    """The projector's view of the run, to open and to hand on; empty without a run."""
    if not watched.run_id:
        return ""
    address = f"?view=present&run={watched.run_id}"
    if watched.playback is not None:
        address += f"&replay={watched.playback.speed:g}"
    href = escaped(address)
    return (
        f'<p class="run-links"><a href="{href}" target="_blank" rel="noopener" id="present-link">'
        f"{_('Present on a projector')}</a> "
        f'<button type="button" class="copy" data-copy-href="{href}">'
        f"{_('Copy its link')}</button></p>"
    )
