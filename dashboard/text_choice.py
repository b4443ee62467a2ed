"""Choosing a text: an example, pasted, from a file, or what goes with the rest."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import pandas as pd

from dashboard.page import QUIET
from unlearning.data.base import Example
from unlearning.data.columns import guess, to_examples
from unlearning.data.files import EXTENSIONS, Upload, preview, read
from unlearning.data.pasted import split
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS, load
from unlearning.errors import UserError

MOST_CHARACTERS = 200_000
"""Of pasted text; more comes as a file."""
PREVIEWED = 5
"""Rows of an upload that are shown before anything is used."""

Way = Literal["example", "paste", "file", "auto", "none"]
WAYS: dict[Way, str] = {
    "example": "An example",
    "paste": "Paste",
    "file": "A file",
    "auto": "Automatic",
    "none": "Nothing",
}


class TextChoice:
    """Widgets for one text of a run, and what they say."""

    def __init__(self, role: str, ways: tuple[Way, ...], placeholder: str) -> None:
        """Build the widgets where it is called; the first of `ways` is the default."""
        self.role = role
        self.way = gr.Radio(
            [(WAYS[way], way) for way in ways],
            value=ways[0],
            label="Where the text comes from",
            show_label=False,
            elem_id=f"{role}-way",
        )
        groups: dict[str, gr.Column] = {}
        for way, build in (
            ("example", self._example),
            ("paste", lambda: self._paste(placeholder)),
            ("file", self._file),
        ):
            with gr.Column(visible=way == ways[0], elem_classes="way") as groups[way]:
                build()
        self.way.change(
            lambda chosen: [gr.Column(visible=chosen == way) for way in groups],
            self.way,
            list(groups.values()),
            queue=False,
            **QUIET,
        )

    def _example(self) -> None:
        choices = [
            (f"{preset.title}: {name.replace('_', ' ')}", f"preset:{preset.name}/{name}")
            for preset in PRESETS.values()
            for name in preset.splits
        ]
        first = choices[0][1]
        self.example = gr.Dropdown(
            choices, value=first, label="Example", show_label=False, elem_id=f"{self.role}-example"
        )
        shown = gr.HTML(example_card(first), apply_default_css=False)
        self.example.change(example_card, self.example, shown, queue=False, **QUIET)

    def _paste(self, placeholder: str) -> None:
        self.pasted = gr.Textbox(
            label="Text",
            show_label=False,
            lines=6,
            max_lines=12,
            placeholder=placeholder,
            elem_id=f"{self.role}-pasted",
        )
        counted = gr.HTML(apply_default_css=False)
        self.pasted.change(
            count_card, self.pasted, counted, queue=False, trigger_mode="always_last", **QUIET
        )

    def _file(self) -> None:
        self.file = gr.File(
            file_types=list(EXTENSIONS),
            label="File",
            show_label=False,
            height=140,
            elem_id=f"{self.role}-file",
        )
        with gr.Row(visible=False) as columns:
            self.columns = {
                name: gr.Dropdown([], value=None, label=f"{name.capitalize()} column", min_width=90)
                for name in ("text", "question", "answer")
            }
        note = gr.HTML(apply_default_css=False)
        table = gr.Dataframe(
            visible=False, interactive=False, wrap=True, max_height=180, show_label=False
        )
        self.file.change(
            self._look_into,
            self.file,
            [columns, *self.columns.values(), note, table],
            queue=False,
            **QUIET,
        )

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """Everything `read` wants."""
        return {self.way, self.example, self.pasted, self.file, *self.columns.values()}

    def read(
        self, values: Mapping[gr.blocks.Block, Any], notices: list[str]
    ) -> tuple[str, list[Example] | None]:
        """The source to write into the configuration, and the texts where they are given here.

        Raises:
            UserError: nothing or too much pasted, or a file that cannot be used.
        """
        way = values[self.way]
        if way == "example":
            return values[self.example], None
        if way == "paste":
            name = f"pasted-{self.role}"
            return f"{name}.txt", _pasted(values[self.pasted] or "", name)
        if way == "file":
            if not values[self.file]:
                raise UserError("No file is chosen.", "Drop one into the field, or paste the text.")
            upload = _upload(values[self.file])
            chosen = {name: values[column] or None for name, column in self.columns.items()}
            if upload.table is None:
                chosen = {}
            return upload.name, to_examples(upload, **chosen, notices=notices)
        return way, None

    def _look_into(self, path: str | None) -> list[Any]:
        """After an upload: columns to choose from, a note, and the first rows."""
        nothing = [gr.update(value=None) for _ in self.columns]
        if not path:
            return [gr.update(visible=False), *nothing, "", gr.update(visible=False)]
        try:
            upload = _upload(path)
        except UserError as error:
            card = _note(f"{error.message} {error.hint}", bad=True)
            return [gr.update(visible=False), *nothing, card, gr.update(visible=False)]
        return self._preview(upload)

    def _preview(self, upload: Upload) -> list[Any]:
        rows = preview(upload, PREVIEWED)
        frame = pd.DataFrame(rows.rows, columns=list(rows.columns))
        shown = [_note(" ".join(upload.notices)), gr.update(value=frame, visible=True)]
        if upload.table is None:
            nothing = [gr.update(value=None) for _ in self.columns]
            return [gr.update(visible=False), *nothing, *shown]
        guessed = guess(upload.table.columns)
        choices = [("(none)", ""), *((name, name) for name in upload.table.columns)]
        dropdowns = [
            gr.update(choices=choices, value=(guessed and getattr(guessed, name)) or "")
            for name in self.columns
        ]
        needs_none = {"id", "kind"} <= set(upload.table.columns) or bool(
            guessed and guessed.messages
        )
        return [gr.update(visible=not needs_none), *dropdowns, *shown]


def example_card(source: str) -> str:
    """What an example holds: how much, and how it begins."""
    name, part, _ = parts(source)
    preset = PRESETS[name]
    if preset.dataset:
        # Looking must not fetch: a click in a list would load a data set into the page.
        about = f"{preset.splits[part]} It is read when the run starts, from {preset.dataset}."
        return f'<div class="text-card"><p>{html.escape(about)}</p></div>'
    try:
        examples = load(source)
    except UserError as error:
        return _note(f"{error.message} {error.hint}", bad=True)
    lines = "".join(f"<li>{html.escape(_begin(example))}</li>" for example in _spread(examples))
    about = html.escape(preset.splits[part])
    return f'<div class="text-card"><p>{about} {len(examples)} texts.</p><ul>{lines}</ul></div>'


def count_card(text: str) -> str:
    """How pasted text will be cut."""
    if not (text or "").strip():
        return ""
    try:
        examples = _pasted(text, "pasted")
    except UserError as error:
        return _note(f"{error.message} {error.hint}", bad=True)
    questions = sum(example.kind == "qa" for example in examples)
    parts = [
        _counted(len(examples) - questions, "passage", "passages"),
        _counted(questions, "question with its answer", "questions with answers"),
    ]
    found = " and ".join(part for part in parts if part)
    return _note(f"{found}, {_counted(len(text.split()), 'word', 'words')}.")


def _pasted(text: str, name: str) -> list[Example]:
    if len(text) > MOST_CHARACTERS:
        raise UserError(
            f"The text has {len(text):,} characters; at most {MOST_CHARACTERS:,} can be pasted.",
            "Use a file.",
        )
    return split(text, name)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}" if count else ""


def _spread(examples: list[Example]) -> list[Example]:
    """One of each kind of text, so that three lines say what there is."""
    groups: dict[tuple[str, str], Example] = {}
    for example in examples:
        groups.setdefault((example.group, example.kind), example)
    return list(groups.values())[:3]


def _begin(example: Example) -> str:
    text = f"{example.question} {example.answer}" if example.kind == "qa" else example.target
    return text if len(text) <= 110 else text[:109].rsplit(" ", 1)[0] + " …"


def _upload(path: str) -> Upload:
    return read(Path(path), Path(path).name)


def _note(text: str, *, bad: bool = False) -> str:
    kind = ' class="note bad" role="alert"' if bad else ' class="note"'
    return f"<p{kind}>{html.escape(text.strip())}</p>" if text.strip() else ""
