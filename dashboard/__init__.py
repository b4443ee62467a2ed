"""The page: Gradio around a scheduler. Never loads a model, never imports torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from dashboard import api, language, present, replay_bar, run_links, sidebar, theme
from dashboard.language import _
from dashboard.page import Page, Settings
from dashboard.tabs import TABS
from unlearning.runs.scheduler import Scheduler

__all__ = ["Settings", "build", "launch_options"]

LAYOUT = Path(__file__).resolve().parents[1] / "assets" / "page" / "tabs.css"
CLEARED_SECONDS = (3600, 24 * 3600)
"""How often uploads and downloads are looked through, and how old they may get."""
QUEUE_SECONDS = 0.02
"""Between two looks into the queue of events, at least. Gradio 6.31 looks every millisecond but on
Windows, which takes a twelfth of a core whether or not anybody has the page open."""


def build(scheduler: Scheduler, *, settings: Settings) -> gr.Blocks:
    """The whole page, not yet launched."""
    with gr.Blocks(
        title="Lethe",
        analytics_enabled=False,
        fill_width=True,
        delete_cache=CLEARED_SECONDS,
    ) as demo:
        page = Page(scheduler, settings)
        api.build(page)  # first: handlers of the page would take its names
        with gr.Sidebar(width=300, open=True) as side:
            link = sidebar.build(page)
        present.build(page)
        replay_bar.build(page)
        with gr.Tabs(selected=TABS[0].NAME, elem_id="tabs") as page.tabs:
            for tab in TABS:
                side_of_bar = getattr(tab, "ALIGNMENT", "left")
                with gr.Tab(
                    _(tab.TITLE), id=tab.NAME, elem_id=f"tab-{tab.NAME}", alignment=side_of_bar
                ) as page.tab:
                    tab.build(page)
        with side:  # after the tabs, to which its buttons lead
            run_links.build(page)
        page.bind(demo, link)
    demo.queue(api_open=False, max_size=64, default_concurrency_limit=16)
    demo._queue.sleep_when_free = max(demo._queue.sleep_when_free, QUEUE_SECONDS)
    return demo


def launch_options(scheduler: Scheduler) -> dict[str, Any]:
    """How the page is served: nothing leaves the machine that the user did not ask for."""
    return {
        "theme": theme.theme(),
        "css": theme.CSS + LAYOUT.read_text(encoding="utf-8"),
        "head": language.head() + theme.HEAD,
        "run_history": False,
        "footer_links": ["settings"],
        "show_error": True,
        "max_file_size": "10mb",
        "allowed_paths": [],
        "blocked_paths": [str(scheduler.store.path)],
        "state_session_capacity": 200,
        "enable_monitoring": False,
        "ssr_mode": False,
        "strict_cors": True,
        "share": False,
        # Gradio gives up on a page that does not answer itself in three seconds; a busy machine
        # takes longer.
        "_frontend": False,
    }
