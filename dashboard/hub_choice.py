"""Any data set of the Hugging Face hub: named, looked into, and its columns picked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd

from dashboard.language import N_, _, spoken
from dashboard.notes import note
from dashboard.page import QUIET
from unlearning.data.columns import guess
from unlearning.data.files import UPLOAD, Upload, preview
from unlearning.data.formats import table_of
from unlearning.data.hub import HubSource, download
from unlearning.errors import UserError
from unlearning.models.locate import HUB_ID

PREVIEWED = 5
"""Rows that are shown before anything is used."""
HINT = N_(
    "A name such as owner/name, and a configuration behind a further slash if it has several."
)


class HubChoice:
    """Name, button, split and columns; and the first rows below."""

    def __init__(self, role: str) -> None:
        """Build the widgets where it is called."""
        with gr.Row(elem_classes="hub-row"):
            self.name = gr.Textbox(
                label=_("Data set on the hub"),
                placeholder="owner/name",
                info=_(HINT),
                max_lines=1,
                elem_id=f"{role}-hub",
                scale=3,
            )
            look = gr.Button(_("Look into it"), elem_id=f"{role}-hub-look", scale=1, min_width=110)
        with gr.Row(elem_classes="hub-row"):
            free = {"allow_custom_value": True, "min_width": 90}
            self.split = gr.Dropdown([], value="train", label=_("Split"), **free)
            self.text = gr.Dropdown([], value="", label=_("Text column"), **free)
            self.question = gr.Dropdown([], value="", label=_("Question column"), **free)
            self.answer = gr.Dropdown([], value="", label=_("Answer column"), **free)
        told = gr.HTML(apply_default_css=False)
        table = gr.Dataframe(
            visible=False, interactive=False, wrap=True, max_height=180, show_label=False
        )
        shown = [self.split, self.text, self.question, self.answer, told, table]
        look.click(look_into, [self.name, self.split], shown, **QUIET)
        self.name.submit(look_into, [self.name, self.split], shown, **QUIET)
        self.split.input(look_into, [self.name, self.split], shown, **QUIET)

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """Everything `read` wants."""
        return {self.name, self.split, self.text, self.question, self.answer}

    def read(self, values: Mapping[gr.blocks.Block, Any]) -> str:
        """The source string.

        Raises:
            UserError: no data set or no column is named, or a name that cannot be meant.
        """
        name = _checked(values[self.name])
        text, question, answer, split = (
            (values[widget] or "").strip()
            for widget in (self.text, self.question, self.answer, self.split)
        )
        columns = [question, answer] if question and answer else [text]
        if not columns[0]:
            raise UserError(
                "It is not said which column to read.",
                "Press Look into it, then choose a text column, or a question and an answer.",
            )
        if any(mark in column for column in columns for mark in ":+"):
            raise UserError(
                "A column whose name holds : or + cannot be read from the hub.",
                "Download the data set and choose it as a file.",
            )
        source = f"hub:{name}:{'+'.join(columns)}:{split or 'train'}"
        HubSource.parse(source)
        return source

    def fill(self, source: str) -> dict[gr.blocks.Block, Any]:
        """Values of the widgets for a source string.

        Raises:
            UserError: it does not name a data set of the hub.
        """
        found = HubSource.parse(source)
        name = _checked("/".join(filter(None, (found.dataset, found.config))))
        pair = found.columns if len(found.columns) == 2 else ("", "")
        return {
            self.name: name,
            self.split: found.split,
            self.text: found.columns[0] if len(found.columns) == 1 else "",
            self.question: pair[0],
            self.answer: pair[1],
        }


def _checked(name: Any) -> str:
    """The name of a data set; a folder of this machine is none.

    Raises:
        UserError: it is neither owner/name nor owner/name/configuration.
    """
    name = str(name or "").strip().rstrip("/")
    parts = name.split("/")
    if not 1 <= len(parts) <= 3 or not all(HUB_ID.fullmatch(part) for part in parts):
        raise UserError(
            f"{name[:80]!r} is not the name of a data set on the hub." if name
            else "No data set is named.",
            HINT,
        )  # fmt: skip
    if any(Path("/".join(parts[:count])).is_dir() for count in (2, 3)):
        raise UserError(f"{name[:80]} is a folder here.", "Choose one of its files as a file.")
    return name


def look_into(name: Any, split: Any) -> list[Any]:
    """Splits and columns to choose from, a note, and the first rows."""
    try:
        return _found(_checked(name), str(split or "train"))
    except UserError as error:
        told = note(spoken(f"{error.message} {error.hint}"), bad=True)
        return [*[gr.skip()] * 4, told, gr.update(visible=False)]


def _found(name: str, split: str) -> list[Any]:
    parts = name.split("/")
    dataset, config = "/".join(parts[:2]), "/".join(parts[2:]) or None
    splits = download(dataset, config)
    split = split if split in splits else next(iter(splits))
    rows = splits[split]
    first = rows.select(range(min(len(rows), PREVIEWED))).to_list()
    shown = preview(Upload(name, table=table_of(first)), PREVIEWED)
    guessed = guess(rows.column_names)
    choices = [(_("(none)"), ""), *((column, column) for column in rows.column_names)]
    columns = [
        gr.update(choices=choices, value=(guessed and getattr(guessed, kind)) or "")
        for kind in ("text", "question", "answer")
    ]
    counted = _("{count:,} rows in {split}.").format(count=len(rows), split=split)
    if len(rows) > UPLOAD.rows:
        counted += _(" The first {rows:,} are used.").format(rows=UPLOAD.rows)
    frame = pd.DataFrame(shown.rows, columns=list(shown.columns))
    return [
        gr.update(choices=list(splits), value=split),
        *columns,
        note(counted),
        gr.update(value=frame, visible=True),
    ]
