"""Runs: all of them, newest first; the chosen one, several beside each other, and races."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard import tables
from dashboard.language import N_, _
from dashboard.page import QUIET, Page
from dashboard.race import Race
from dashboard.run_comparison import Comparison
from dashboard.run_details import Details, Undo, bind
from dashboard.run_rows import rows

NAME, TITLE = "runs", N_("5 Runs")


def build(page: Page) -> None:
    """Build the tab."""
    tab = page.tab
    undo = Undo()
    with gr.Tabs(elem_id="runs-parts", overflow_behavior="wrap") as parts:
        with gr.Tab(_("All runs"), id="all"):
            table = gr.Dataframe(
                headers=tables.run_columns(),
                interactive=False,
                label=_("Runs"),
                show_label=False,
                show_search="search",
                max_height=210,
                wrap=False,
                buttons=[],
                elem_id="runs",
            )
            details = Details(page.settings.public)
        with gr.Tab(_("Compare runs"), id="compared") as compared:
            comparison = Comparison()
        with gr.Tab(_("Method race"), id="race"):
            race = Race()

    def fill(key: str) -> list[Any]:
        return [rows(page, key), *undo.told(page, key)]

    tab.select(fill, page.key, [table, *undo.outputs], queue=False, **QUIET)
    bind(page, table, details, undo)
    comparison.bind(page, compared, details.add, details.run)
    race.bind(page, details.run, comparison, parts)
