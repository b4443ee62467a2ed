"""The chosen run: what it is, and open, continue, rename, delete and bring back."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from dashboard import pictures
from dashboard.language import N_, _
from dashboard.page import QUIET, Page, shown
from dashboard.playback import begin
from dashboard.run_downloads import Downloads, clear_away
from dashboard.run_rows import command, rows, steps_in
from dashboard.run_sharing import Sharing
from unlearning.errors import UserError
from unlearning.runs.events import Failed
from unlearning.runs.scheduler import LONGEST_LABEL
from unlearning.runs.view import LIVE, View
from unlearning.runs.wastebasket import Discarded

SURE = """(id, key) => {
  const sure = window.confirm(letheSay("Delete run {id} with its texts and snapshots? \
You can bring it back for a minute; then it is erased.", { id }));
  return [sure ? id : "", key];
}"""
EMPTY = N_("Choose a run in the list to open it, name it, or take it away.")


class Details:
    """What is shown of the chosen run, and what can be done with it."""

    def __init__(self, public: bool = False) -> None:
        self.run = gr.Textbox(visible="hidden", elem_id="chosen-run")
        self.nothing = gr.HTML(
            f'<p class="empty">{_(EMPTY)}</p>', apply_default_css=False, elem_id="no-run-chosen"
        )
        with gr.Column(visible=False, elem_classes="panel", elem_id="run-details") as self.panel:
            self.about = gr.HTML(apply_default_css=False)
            with gr.Row(elem_classes="run-acts"):
                self.open = gr.Button(
                    _("Open"), variant="primary", size="md", scale=0, elem_id="open-run"
                )
                self.replay = gr.Button(
                    _("Replay"), size="md", scale=0, min_width=110, elem_id="replay-run"
                )
                self.add = gr.Button(
                    _("Add to comparison"), size="md", scale=0, min_width=190, elem_id="add-run"
                )
                self.delete = gr.Button(
                    _("Delete …"), variant="stop", size="md", scale=0, elem_id="delete-run"
                )
            self.downloads = Downloads()
            with gr.Row(elem_classes="run-acts"):
                self.name = gr.Textbox(
                    label=_("Name"), max_lines=1, max_length=LONGEST_LABEL, scale=2, min_width=180,
                    elem_id="run-name",
                )  # fmt: skip
                self.rename = gr.Button(
                    _("Rename"), size="md", scale=0, min_width=110, elem_id="rename-run"
                )
                self.steps = gr.Textbox(
                    label=_("Steps in all"), placeholder=_("as planned"), max_lines=1, scale=1,
                    min_width=120, elem_id="continue-steps",
                )  # fmt: skip
                self.go_on = gr.Button(
                    _("Continue"), size="md", scale=0, min_width=110, elem_id="continue-run"
                )
            self.sharing = Sharing(public)


class Undo:
    """The last deleted run, as long as it can be brought back."""

    def __init__(self) -> None:
        self.run = gr.Textbox(visible="hidden")
        with gr.Row(visible=False, elem_classes="run-undo", elem_id="run-undo") as self.row:
            self.words = gr.HTML(apply_default_css=False)
            self.back = gr.Button(
                _("Undo"), size="sm", scale=0, min_width=90, elem_id="undelete-run"
            )

    @property
    def outputs(self) -> list[Any]:
        """What `told` fills."""
        return [self.run, self.row, self.words]

    def told(self, page: Page, key: str) -> list[Any]:
        """As of now."""
        waiting = page.scheduler.deleted(key)
        if not waiting:
            return ["", gr.update(visible=False), ""]
        return [waiting[0].run_id, gr.update(visible=True), erased_soon(waiting[0])]


def erased_soon(one: Discarded) -> str:
    """The deleted run; the browser counts down to its end."""
    deleted = _("Run {run_id} is deleted.").format(run_id=pictures.escaped(one.run_id))
    soon = _("It can be brought back for a minute; then it is erased, with its texts.")
    until = f"{one.until * 1000:.0f}"
    return f'<p role="status">{deleted} <span data-erased-at="{until}">{soon}</span></p>'


def bind(page: Page, table: gr.Dataframe, details: Details, undo: Undo) -> None:
    """Wire the row, the buttons and the list."""
    page.scheduler.wastebasket.erased = clear_away
    _wire_choice(page, table, details)
    _wire_changes(page, table, details)
    _wire_deletion(page, table, details, undo)
    details.downloads.bind(page, details.run)
    details.sharing.bind(page, details.run)


def _wire_choice(page: Page, table: gr.Dataframe, details: Details) -> None:
    def pick(key: str, event: gr.SelectData) -> list[Any]:
        run_id = str(event.row_value[0])
        with shown():
            status = page.scheduler.status(run_id)
            owned = page.scheduler.owned(run_id, key)
        name, going, recorded = "", False, False
        try:
            view = page.scheduler.view(run_id)
            about = about_run(run_id, view, command(page, run_id))
            name = page.scheduler.store.config(run_id).label
            going = bool(page.scheduler.store.snapshots(run_id))
            recorded = view.begun is not None and status not in LIVE
        except UserError as error:  # a damaged run can still be deleted
            about = pictures.error_card(Failed(message=error.message, hint=error.hint))
            view = View()
        over = owned and status not in LIVE
        erasable = gr.update(interactive=over)
        steps = gr.update(value=str(view.steps or ""), interactive=over and going)
        return [
            run_id, gr.update(visible=True), about, erasable, gr.update(visible=False),
            gr.update(value=name, interactive=owned), gr.update(interactive=owned),
            steps, gr.update(interactive=over and going), gr.update(interactive=recorded),
        ]  # fmt: skip

    changed = [details.run, details.panel, details.about, details.delete, details.nothing,
               details.name, details.rename, details.steps, details.go_on,
               details.replay]  # fmt: skip
    table.select(pick, page.key, changed, queue=False, **QUIET)


def _wire_changes(page: Page, table: gr.Dataframe, details: Details) -> None:
    def open_run(run_id: str) -> tuple[str, str, gr.Tabs]:
        return run_id, "", gr.Tabs(selected="live")

    def replay(run_id: str) -> tuple[str, str, gr.Tabs]:
        with shown():
            played = begin(page.scheduler.store, run_id, time.time())
        return run_id, played.text(), gr.Tabs(selected="live")

    def rename(run_id: str, name: str, key: str) -> list[Any]:
        with shown():
            page.scheduler.relabel(run_id, name or "", key)
        gr.Info(
            _("The run has its new name.") if (name or "").strip() else _("The name is taken off.")
        )
        return [rows(page, key), page.scheduler.store.config(run_id).label]

    def go_on(run_id: str, steps: Any, key: str) -> tuple[str, str, gr.Tabs]:
        with shown():
            page.scheduler.resume(run_id, key, steps_in(steps))
        return run_id, "", gr.Tabs(selected="live")

    # What is opened is the run itself, unless its recording was asked for.
    opened = [page.run, page.playback, page.tabs]
    for press, act in ((details.open, open_run), (details.replay, replay)):
        page.acted(press.click(act, details.run, opened, queue=False, **QUIET))
    named = {"fn": rename, "inputs": [details.run, details.name, page.key],
             "outputs": [table, details.name], **QUIET}  # fmt: skip
    details.rename.click(**named)
    details.name.submit(**named)
    going = [details.run, details.steps, page.key]
    page.acted(details.go_on.click(go_on, going, opened, **QUIET))


def _wire_deletion(page: Page, table: gr.Dataframe, details: Details, undo: Undo) -> None:
    def erase(run_id: str, key: str) -> list[Any]:
        if run_id:
            with shown():
                page.scheduler.delete(run_id, key)
            clear_away(run_id)
        closed = gr.update(visible=False) if run_id else gr.skip()
        return [rows(page, key), closed, *undo.told(page, key)]

    def bring_back(run_id: str, key: str) -> list[Any]:
        try:
            with shown():
                page.scheduler.undelete(run_id, key)
        finally:
            told = undo.told(page, key)
        gr.Info(_("Run {run_id} is back.").format(run_id=pictures.escaped(run_id)))
        return [rows(page, key), *told]

    deleted = [table, details.panel, *undo.outputs]
    page.acted(details.delete.click(erase, [details.run, page.key], deleted, js=SURE, **QUIET))
    back = [undo.run, page.key]
    undo.back.click(bring_back, back, [table, *undo.outputs], **QUIET)


def about_run(run_id: str, view: View, command: str) -> str:
    """The run told, and the command line that repeats it."""
    name = _("Run {run_id}").format(run_id=run_id)
    return (
        f"<h3>{pictures.escaped(name)}</h3>{pictures.story(view)}"
        f'<details class="run-command"><summary>{_("The same run on the command line")}</summary>'
        f'<div class="command"><button type="button" class="copy" data-copy>{_("Copy")}</button>'
        f"<pre>{pictures.escaped(command)}</pre></div></details>"
    )
