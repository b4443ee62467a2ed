"""What can be taken away of a run.

Texts are handed to the browser, which makes the file: no copy of them stays on the server's
disk. Weights are too large for that: they are packed into a private folder with a random name
below Gradio's own, which is cleared away soon after, and at once when the run is erased.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from dashboard.language import N_, _
from dashboard.page import QUIET, Page, shown
from dashboard.pictures import error_card
from dashboard.run_rows import check_readable, command
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.adapter import pack_adapter, pack_folder
from unlearning.exports.papers import bibtex
from unlearning.exports.report import report_html
from unlearning.exports.settings import settings_json
from unlearning.exports.tables import curves_csv, metrics_csv, votes_csv
from unlearning.runs.events import Failed
from unlearning.runs.votes import votes_of

PREFIX = "lethe-download-"
KEPT_SECONDS = 900.0
"""How long a packed file waits to be fetched."""
SAVE = """(made) => {
  const { name, type, text } = JSON.parse(made);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""
FETCH = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name || "";
  link.click();
}"""
FETCH_ONCE = """(file) => {
  const merged = file && /merged\\.zip$/.test(file.orig_name || file.path);
  if (!merged || window.letheFetched === file.url) return;
  window.letheFetched = file.url;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name || "";
  link.click();
}"""
"""While the model is being written the clock comes by with nothing, or with an older file."""
MERGING = N_("The worker merges base and adapter …")
HTML, JSON, CSV, TEXT = "text/html", "application/json", "text/csv", "text/plain"

Write = Callable[[Page, str], str]
TEXTS: dict[str, tuple[str, str, str, Write]] = {
    "report": (
        N_("Report (HTML)"), "report.html", HTML,
        lambda page, run_id: report_html(page.scheduler.store, run_id, command(page, run_id)),
    ),
    "run": (
        N_("Settings (JSON)"), "settings.json", JSON,
        lambda page, run_id: settings_json(page.scheduler.store, run_id, command(page, run_id)),
    ),
    "curves": (
        N_("Curves (CSV)"), "curves.csv", CSV,
        lambda page, run_id: curves_csv(page.scheduler.store.view(run_id)),
    ),
    "metrics": (
        N_("Metrics (CSV)"), "metrics.csv", CSV,
        lambda page, run_id: metrics_csv(page.scheduler.store.view(run_id)),
    ),
    "votes": (
        N_("Votes (CSV)"), "votes.csv", CSV,
        lambda page, run_id: votes_csv(votes_of(page.scheduler.store, run_id)),
    ),
    "bibtex": (
        "BibTeX", "methods.bib", TEXT,
        lambda page, run_id: bibtex([page.scheduler.store.config(run_id).method]),
    ),
}  # fmt: skip
"""Key to button, end of the file's name, its kind, and what writes it."""


class Downloads:
    """The buttons, and the hidden fields through which files go."""

    def __init__(self) -> None:
        self.made = gr.Textbox(visible="hidden")
        self.packed = gr.File(visible="hidden")
        self.buttons: dict[str, gr.Button] = {}
        with gr.Row(elem_classes="run-downloads"):
            for key, (title, *_rest) in TEXTS.items():
                self.buttons[key] = gr.Button(
                    _(title), size="sm", scale=0, min_width=100, elem_id=f"download-{key}"
                )
            self.adapter = gr.Button(
                _("Adapter (zip)"), size="sm", scale=0, min_width=100, elem_id="download-adapter"
            )
            self.merged = gr.Button(
                _("Merged model (zip)"),
                size="sm",
                scale=0,
                min_width=140,
                elem_id="download-merged",
            )
        self.merging = gr.Textbox(visible="hidden")
        self.told = gr.HTML(apply_default_css=False, elem_id="merging")
        self.clock = gr.Timer(1.0, active=False)

    def bind(self, page: Page, run: gr.Textbox) -> None:
        """Wire the buttons to the chosen run."""
        for key, button in self.buttons.items():
            made = button.click(_writer(page, key), [run, page.key], self.made, **QUIET)
            made.success(None, self.made, None, js=SAVE, **QUIET)

        def pack(run_id: str, key: str) -> str:
            with shown():
                check_readable(page, run_id, key)
                return packed(run_id, "adapter.zip", lambda target: pack_adapter(
                    page.scheduler.store, run_id, target
                ))  # fmt: skip

        done = self.adapter.click(pack, [run, page.key], self.packed, **QUIET)
        done.success(None, self.packed, None, js=FETCH, **QUIET)
        self._bind_merged(page, run)

    def _bind_merged(self, page: Page, run: gr.Textbox) -> None:
        """The worker writes the model; a clock looks whether it is there."""

        def merge(run_id: str, key: str) -> list[Any]:
            with shown():
                check_readable(page, run_id, key)
                page.scheduler.merge(run_id, key)
            return [run_id, gr.Timer(active=True), merging_note()]

        def look_for_merged(run_id: str, key: str) -> list[Any]:
            try:
                check_readable(page, run_id, key)
                job = page.scheduler.merge_job(run_id)
                if job is not None and job.live:
                    return [gr.skip(), gr.skip(), merging_note()]
                if job is None or job.failed is not None:
                    failed = job.failed if job else merging.INTERRUPTED
                    return [gr.Timer(active=False), None, error_card(failed)]
                folder = merging.merged_folder(page.scheduler.store, run_id)
                path = packed(run_id, "merged.zip", lambda target: pack_folder(folder, target))
            except UserError as error:  # deleted meanwhile
                failed = Failed(message=error.message, hint=error.hint)
                return [gr.Timer(active=False), None, error_card(failed)]
            return [gr.Timer(active=False), path, ""]

        begun = [self.merging, self.clock, self.told]
        self.merged.click(merge, [run, page.key], begun, **QUIET)
        looked = [self.clock, self.packed, self.told]
        found = self.clock.tick(look_for_merged, [self.merging, page.key], looked, **QUIET)
        found.success(None, [self.packed, self.clock], None, js=FETCH_ONCE, **QUIET)


def merging_note() -> str:
    """While the worker is at it."""
    return f'<p class="note" role="status">{_(MERGING)}</p>'


def _writer(page: Page, key: str) -> Callable[[str, str], str]:
    end, kind, write = TEXTS[key][1:]

    def write_text(run_id: str, owner: str) -> str:
        with shown():
            check_readable(page, run_id, owner)
            text = write(page, run_id)
        return json.dumps({"name": f"run-{run_id}-{end}", "type": kind, "text": text})

    write_text.__name__ = f"write_{key}"
    return write_text


def packed(run_id: str, end: str, write: Callable[[Path], Any]) -> str:
    """Path of a new file that `write` fills; `run_id` is that of a run that there is."""
    clear_away()
    folder = Path(get_upload_folder()) / f"{PREFIX}{run_id}-{secrets.token_hex(16)}"
    folder.mkdir(parents=True, mode=0o700)
    target = folder / f"run-{run_id}-{end}"
    try:
        write(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return str(target)


def clear_away(run_id: str = "", seconds: float = KEPT_SECONDS) -> None:
    """Remove packed files that are old, or all of one run."""
    for folder in Path(get_upload_folder()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            old = time.time() - folder.stat().st_mtime > seconds
            if (run_id and folder.name.startswith(f"{PREFIX}{run_id}-")) or (not run_id and old):
                shutil.rmtree(folder)
