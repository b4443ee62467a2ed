"""Set up: which model, what to forget, how; check, and Start."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import gradio as gr

from dashboard import settings_bar
from dashboard.check_panel import CheckPanel
from dashboard.language import N_, _, spoken
from dashboard.model_choice import problem_card
from dashboard.page import QUIET, Page, Watched, toast
from dashboard.setup_form import SetupForm, Values
from unlearning.errors import UserError

NAME, TITLE = "setup", N_("1 Set up")


def build(page: Page) -> None:
    """Build the tab."""
    bar = settings_bar.SettingsBar()
    form = SetupForm(page)
    problem = gr.HTML(apply_default_css=False, elem_id="problem")
    with gr.Column(elem_classes="start-bar"):
        check = CheckPanel()
        with gr.Row(elem_classes="start-row"):
            start = gr.Button(_("Start unlearning"), variant="primary", elem_id="start", scale=0)
            check.build_buttons()
            gr.HTML(
                '<p class="hint">'
                + _("The run goes on without this page: close it, come back, share it.")
                + "</p>",
                apply_default_css=False,
            )
    settings_bar.wire(page, bar, form)
    check.wire(page, form)

    @page.shows(start)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        label = _("Go to your run") if watched.active else _("Start unlearning")
        return {start: gr.update(value=label)}

    def begin(values: Values) -> Iterator[dict[gr.blocks.Block, Any]]:
        key = values[page.key]
        try:
            run_id = page.scheduler.active(key) or _submit(page, form, values, key)
        except UserError as error:
            yield {problem: problem_card(error)}
            raise toast(error) from None
        yield {problem: "", page.run: run_id, page.tabs: gr.Tabs(selected="live")}

    def begin_several(values: Values) -> Iterator[dict[gr.blocks.Block, Any]]:
        try:
            ids = _submit_several(page, form, values)
        except UserError as error:
            yield {problem: problem_card(error)}
            raise toast(error) from None
        words = _("{count} runs go one after another. Runs, Method race shows them together.")
        gr.Info(words.format(count=len(ids)))
        yield {problem: "", page.run: ids[0], page.tabs: gr.Tabs(selected="live")}

    opened, on = [problem, page.run, page.tabs], form.gathered.on
    page.acted(on([start.click], begin, opened, {page.key}, **QUIET))
    asked = {page.key, *form.several.inputs}
    page.acted(on([form.several.start.click], begin_several, opened, asked, **QUIET))


def _submit_several(page: Page, form: SetupForm, values: Values) -> list[str]:
    config, texts, notices = form.run(values)
    runs = form.several.read(values, config)
    ids = page.scheduler.race(runs, texts, values[page.key], what=_("values"))
    for notice in notices:
        gr.Info(html.escape(spoken(notice)))
    return ids


def _submit(page: Page, form: SetupForm, values: Values, key: str) -> str:
    config, texts, notices = form.run(values)
    run_id = page.scheduler.submit(config, texts, key)
    for notice in notices:
        gr.Info(html.escape(spoken(notice)))
    return run_id
