"""Choosing a text: an example, pasted, from a file, or what goes with the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import pandas as pd

from dashboard.hub_choice import HubChoice
from dashboard.language import N_, _, spoken
from dashboard.notes import note
from dashboard.page import QUIET
from dashboard.text_cards import (
    amount_of,
    count_card,
    example_card,
    offered,
    passages_card,
    pasted,
    uploaded,
)
from unlearning.data.base import Example
from unlearning.data.columns import guess, to_examples
from unlearning.data.files import EXTENSIONS, Upload, preview
from unlearning.errors import UserError

PRESET = "preset:"
"""Begins the sources of examples and benchmarks; whatever else would name a file of the server."""
PREVIEWED = 5
"""Rows of an upload that are shown before anything is used."""


Way = Literal["example", "paste", "file", "benchmark", "hub", "auto", "none"]
COLUMNS = {
    "text": N_("Text column"),
    "question": N_("Question column"),
    "answer": N_("Answer column"),
}
WAYS: dict[Way, str] = {
    "example": N_("An example"),
    "paste": N_("Paste"),
    "file": N_("A file"),
    "benchmark": N_("Benchmark"),
    "hub": N_("Hub"),
    "auto": N_("Automatic"),
    "none": N_("Nothing"),
}


class TextChoice:
    """Widgets for one text of a run, and what they say."""

    def __init__(self, role: str, ways: tuple[Way, ...], placeholder: str) -> None:
        """Build the widgets where it is called; the first of `ways` is the default."""
        self.role, self._ways = role, ways
        self.way = gr.Radio(
            [(_(WAYS[way]), way) for way in ways],
            value=ways[0],
            label=_("Where the text comes from"),
            show_label=False,
            elem_id=f"{role}-way",
            elem_classes="chips",
        )
        groups: dict[str, gr.Column] = {}
        for way, build in (
            ("example", self._example),
            ("paste", lambda: self._paste(placeholder)),
            ("file", self._file),
            ("benchmark", self._benchmark),
            ("hub", self._hub),
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
        choices = offered(benchmarks=False)
        first = choices[0][1]
        self.example = gr.Dropdown(
            choices,
            value=first,
            label=_("Example"),
            show_label=False,
            elem_id=f"{self.role}-example",
        )
        shown = gr.HTML(example_card(first), apply_default_css=False)
        self.example.change(example_card, self.example, shown, queue=False, **QUIET)

    def _benchmark(self) -> None:
        choices = offered(benchmarks=True)
        first = choices[0][1]
        self.benchmark = gr.Dropdown(
            choices,
            value=first,
            label=_("Benchmark"),
            show_label=False,
            elem_id=f"{self.role}-benchmark",
        )
        shown = gr.HTML(example_card(first), apply_default_css=False)
        look = gr.Button(_("Show passages"), size="sm", elem_id=f"{self.role}-benchmark-look")
        self.benchmark.change(example_card, self.benchmark, shown, queue=False, **QUIET)
        look.click(passages_card, self.benchmark, shown, **QUIET)

    def _hub(self) -> None:
        self.hub = HubChoice(self.role)

    def _paste(self, placeholder: str) -> None:
        self.pasted = gr.Textbox(
            label=_("Text"),
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
            label=_("File"),
            show_label=False,
            height=140,
            elem_id=f"{self.role}-file",
        )
        with gr.Row(visible=False, elem_classes="hub-row") as columns:
            self.columns = {
                name: gr.Dropdown([], value=None, label=_(COLUMNS[name]), min_width=90)
                for name in COLUMNS
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
        own = {self.way, self.example, self.benchmark, self.pasted, self.file}
        return own | set(self.columns.values()) | self.hub.inputs

    def read(
        self, values: Mapping[gr.blocks.Block, Any], notices: list[str]
    ) -> tuple[str, list[Example] | None]:
        """The source to write into the configuration, and the texts where they are given here.

        Raises:
            UserError: nothing or too much pasted, or a file that cannot be used.
        """
        way = values[self.way]
        if way not in self._ways:
            raise UserError("No source is chosen for the text.", "Choose one of those offered.")
        if way in ("example", "benchmark"):
            source = values[getattr(self, way)]
            if not isinstance(source, str) or not source.startswith(PRESET):
                raise UserError("That text is not offered here.", "Choose one of the list.")
            return source, None
        if way == "hub":
            return self.hub.read(values), None
        if way == "paste":
            name = f"pasted-{self.role}"
            return f"{name}.txt", pasted(values[self.pasted] or "", name)
        if way == "file":
            if not values[self.file]:
                raise UserError("No file is chosen.", "Drop one into the field, or paste the text.")
            upload = uploaded(values[self.file])
            chosen = {name: values[column] or None for name, column in self.columns.items()}
            if upload.table is None:
                chosen = {}
            return upload.name, to_examples(upload, **chosen, notices=notices)
        return way, None

    def named(self, values: Mapping[gr.blocks.Block, Any]) -> str:
        """The source as a command line names it, with the columns of a file; reads nothing.

        Raises:
            UserError: as `read`, as far as it can be told without the text.
        """
        way = values[self.way]
        if way == "paste":
            return f"pasted-{self.role}.txt"
        if way != "file":
            return self.read(values, [])[0]
        if not values[self.file]:
            raise UserError("No file is chosen.", "Drop one into the field, or paste the text.")
        names = {name: values[column] for name, column in self.columns.items()}
        pair = [names["question"], names["answer"]]
        columns = pair if all(pair) else [names["text"]]
        file = Path(values[self.file]).name
        return f"{file}:{'+'.join(columns)}" if all(columns) else file

    def fill(
        self, source: str, pasted: str | None, notices: list[str]
    ) -> dict[gr.blocks.Block, Any]:
        """Values of the widgets for a source; what the page cannot offer is told in `notices`."""
        way = self._way_of(source, pasted)
        if way is None or way not in self._ways:
            told = "was not kept" if source.startswith("pasted-") else "is not offered here"
            notices.append(f"{source[:80]} ({self.role} text) {told}. Choose the text again.")
            return {}
        changes: dict[gr.blocks.Block, Any] = {self.way: way}
        if way in ("example", "benchmark"):
            changes[getattr(self, way)] = source
        elif way == "paste":
            changes[self.pasted] = pasted
        elif way == "hub":
            changes |= self.hub.fill(source)
        return changes

    def _way_of(self, source: str, pasted: str | None) -> Way | None:
        if source in ("auto", "none"):
            return source
        if source in dict(map(reversed, offered(benchmarks=False))):
            return "example"
        if source in dict(map(reversed, offered(benchmarks=True))):
            return "benchmark"
        if source.startswith("hub:"):
            return "hub"
        return "paste" if pasted else None

    def _look_into(self, path: str | None) -> list[Any]:
        """After an upload: columns to choose from, a note, and the first rows."""
        nothing = [gr.update(value=None) for _ in self.columns]
        if not path:
            return [gr.update(visible=False), *nothing, "", gr.update(visible=False)]
        try:
            upload = uploaded(path)
        except UserError as error:
            card = note(spoken(f"{error.message} {error.hint}"), bad=True)
            return [gr.update(visible=False), *nothing, card, gr.update(visible=False)]
        return self._preview(upload)

    def _preview(self, upload: Upload) -> list[Any]:
        rows = preview(upload, PREVIEWED)
        frame = pd.DataFrame(rows.rows, columns=list(rows.columns))
        told = note(" ".join([amount_of(upload), *map(spoken, upload.notices)]))
        shown = [told, gr.update(value=frame, visible=True)]
        if upload.table is None:
            nothing = [gr.update(value=None) for _ in self.columns]
            return [gr.update(visible=False), *nothing, *shown]
        guessed = guess(upload.table.columns)
        choices = [(_("(none)"), ""), *((name, name) for name in upload.table.columns)]
        dropdowns = [
            gr.update(choices=choices, value=(guessed and getattr(guessed, name)) or "")
            for name in self.columns
        ]
        needs_none = {"id", "kind"} <= set(upload.table.columns) or bool(
            guessed and guessed.messages
        )
        return [gr.update(visible=not needs_none), *dropdowns, *shown]
