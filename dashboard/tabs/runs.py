"""Runs: all of them, newest first; open, repeat, download, delete."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
import pandas as pd

from dashboard import pictures, tables
from dashboard.page import QUIET, Page, shown
from unlearning.errors import UserError
from unlearning.runs.events import Failed
from unlearning.runs.store import RunStore
from unlearning.runs.view import LIVE, View

NAME, TITLE = "runs", "5 Runs"

SURE = """(id, key) => {
  const sure = window.confirm("Delete run " + id + " with its texts and snapshots? "
    + "This cannot be undone.");
  return [sure ? id : "", key];
}"""
SAVE = """(id, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "run-" + id + ".json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""
"""Made in the browser: a file on the server would have to be hidden and cleared away."""


class _Details:
    """What is shown of the chosen run, and what can be done with it."""

    def __init__(self) -> None:
        self.run = gr.Textbox(visible="hidden", elem_id="chosen-run")
        self.exported = gr.Textbox(visible="hidden")
        with gr.Column(visible=False, elem_classes="panel", elem_id="run-details") as self.panel:
            self.about = gr.HTML(apply_default_css=False)
            with gr.Row():
                self.open = gr.Button("Open", variant="primary", scale=0, elem_id="open-run")
                self.download = gr.Button(
                    "Download settings and results", scale=0, min_width=300, elem_id="download-run"
                )
                self.delete = gr.Button("Delete …", variant="stop", scale=0, elem_id="delete-run")


def build(page: Page) -> None:
    """Build the tab."""
    table = gr.Dataframe(
        headers=list(tables.RUN_COLUMNS),
        interactive=False,
        label="Runs",
        show_label=False,
        show_search="search",
        max_height=420,
        wrap=False,
        buttons=[],
        elem_id="runs",
    )
    details = _Details()
    page.tab.select(lambda key: rows(page, key), page.key, table, queue=False, **QUIET)
    _wire_choice(page, table, details)
    _wire_actions(page, table, details)


def _wire_choice(page: Page, table: gr.Dataframe, details: _Details) -> None:
    def pick(key: str, event: gr.SelectData) -> list[Any]:
        run_id = str(event.row_value[0])
        with shown():
            status = page.scheduler.status(run_id)
            owned = page.scheduler.owned(run_id, key)
        try:
            about = about_run(run_id, page.scheduler.view(run_id), command(page, run_id))
        except UserError as error:  # a damaged run can still be deleted
            about = pictures.error_card(Failed(message=error.message, hint=error.hint))
        erasable = gr.update(interactive=owned and status not in LIVE)
        return [run_id, gr.update(visible=True), about, erasable]

    changed = [details.run, details.panel, details.about, details.delete]
    table.select(pick, page.key, changed, queue=False, **QUIET)


def _wire_actions(page: Page, table: gr.Dataframe, details: _Details) -> None:
    def open_run(run_id: str) -> tuple[str, gr.Tabs]:
        return run_id, gr.Tabs(selected="live")

    def write(run_id: str) -> str:
        with shown():
            return export(page.scheduler.store, run_id, command(page, run_id))

    def erase(run_id: str, key: str) -> tuple[pd.DataFrame, Any]:
        if run_id:
            with shown():
                page.scheduler.delete(run_id, key)
            gr.Info(f"Run {run_id} is erased, with its texts.")
        return rows(page, key), gr.update(visible=not run_id)

    opened = [page.run, page.tabs]
    page.acted(details.open.click(open_run, details.run, opened, queue=False, **QUIET))
    written = details.download.click(write, details.run, details.exported, queue=False, **QUIET)
    written.success(None, [details.run, details.exported], None, js=SAVE, **QUIET)
    page.acted(
        details.delete.click(
            erase, [details.run, page.key], [table, details.panel], js=SURE, **QUIET
        )
    )


def about_run(run_id: str, view: View, command: str) -> str:
    """The run told, and the command line that repeats it."""
    return (
        f"<h3>Run {pictures.escaped(run_id)}</h3>{pictures.story(view)}"
        '<p class="note">The same run on the command line:</p>'
        '<div class="command"><button type="button" class="copy" data-copy>Copy</button>'
        f"<pre>{pictures.escaped(command)}</pre></div>"
    )


def rows(page: Page, key: str) -> pd.DataFrame:
    """The list of runs as a table; where strangers meet, everybody sees their own."""
    found = [
        tables.run_row(run)
        for run in page.scheduler.summaries(key)
        if run.mine or not page.settings.public
    ]
    return pd.DataFrame(found, columns=list(tables.RUN_COLUMNS))


def command(page: Page, run_id: str) -> str:
    """The command line that repeats the run; strangers are not told where runs are kept."""
    return page.scheduler.store.command(run_id, "RUNS" if page.settings.public else "")


def export(store: RunStore, run_id: str, command: str) -> str:
    """Settings and figures of a run as JSON; of its texts only the pinned prompts are in it."""
    view = store.view(run_id)
    content = {
        "run": store.head(run_id),
        "results": store.results(run_id),
        "scores": {
            stage: {
                metric: {role: score.model_dump(mode="json") for role, score in by_role.items()}
                for metric, by_role in scores.items()
            }
            for stage, scores in view.scores.items()
        },
        "series": {
            name: {"steps": series.steps, "values": [_plain(v) for v in series.values]}
            for name, series in view.series.items()
        },
        "command": command,
    }
    return json.dumps(content, indent=1, allow_nan=False)


def _plain(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if value - value == 0 else str(value)
