"""What a text holds: how much, how it will be cut, and how some of it begins."""

from __future__ import annotations

import html
from pathlib import Path

from dashboard.language import _, spoken
from dashboard.notes import counted, note
from unlearning.data.base import Example
from unlearning.data.columns import to_examples
from unlearning.data.files import Upload, read
from unlearning.data.pasted import split
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS, load
from unlearning.errors import UserError

MOST_CHARACTERS = 200_000
"""Of pasted text; more comes as a file."""
PASSAGES = 3
"""Texts that are shown."""


def offered(*, benchmarks: bool) -> list[tuple[str, str]]:
    """Titles and sources of the presets that come with Lethe, or of the benchmarks."""
    return [
        (f"{_(preset.title)}: {name.replace('_', ' ')}", f"preset:{preset.name}/{name}")
        for preset in PRESETS.values()
        for name in preset.splits
        if bool(preset.dataset) == benchmarks
    ]


def example_card(source: str) -> str:
    """What an example holds: how much, and how it begins."""
    name, part, *_found = parts(source)
    preset = PRESETS[name]
    if preset.dataset:
        # Looking must not fetch: a click in a list would load a data set into the page.
        read = _("It is read when the run starts, from {dataset}.").format(dataset=preset.dataset)
        about = f"{_(preset.splits[part])} {read}"
        return f'<div class="text-card"><p>{html.escape(about)}</p></div>'
    return passages_card(source)


def passages_card(source: str) -> str:
    """The same with how much there is and how some of it begins; reads the text."""
    name, part, *_found = parts(source)
    try:
        examples = load(source)
    except UserError as error:
        return note(spoken(f"{error.message} {error.hint}"), bad=True)
    return _card(_(PRESETS[name].splits[part]), examples)


def _card(about: str, examples: list[Example]) -> str:
    lines = "".join(f"<li>{html.escape(_begin(example))}</li>" for example in _spread(examples))
    told = html.escape(f"{about} {amount(examples)}".strip())
    return f'<div class="text-card"><p>{told}</p><ul>{lines}</ul></div>'


def amount(examples: list[Example]) -> str:
    """Passages, questions and words."""
    asked = sum(example.kind != "passage" for example in examples)
    found = [
        counted(len(examples) - asked, "passage", "passages"),
        counted(asked, "question with its answer", "questions with answers"),
    ]
    words = sum(len(f"{example.prompt} {example.target}".split()) for example in examples)
    return f"{_(' and ').join(filter(None, found))}, {counted(words, 'word', 'words')}."


def count_card(text: str) -> str:
    """How pasted text will be cut."""
    if not (text or "").strip():
        return ""
    try:
        examples = pasted(text, "pasted")
    except UserError as error:
        return note(spoken(f"{error.message} {error.hint}"), bad=True)
    return _card("", examples)


def pasted(text: str, name: str) -> list[Example]:
    """The examples of pasted text.

    Raises:
        UserError: too much, or too little.
    """
    if len(text) > MOST_CHARACTERS:
        raise UserError(
            f"The text has {len(text):,} characters; at most {MOST_CHARACTERS:,} can be pasted.",
            "Use a file.",
        )
    return split(text, name)


def _spread(examples: list[Example]) -> list[Example]:
    """One of each kind of text first, so that three lines say what there is."""
    groups: dict[tuple[str, str], Example] = {}
    for example in examples:
        groups.setdefault((example.group, example.kind), example)
    first = list(groups.values())
    more = [example for example in examples[: 2 * PASSAGES] if example not in first]
    return [*first, *more][:PASSAGES]


def _begin(example: Example) -> str:
    text = f"{example.question} {example.answer}" if example.kind == "qa" else example.target
    return text if len(text) <= 110 else text[:109].rsplit(" ", 1)[0] + " …"


def amount_of(found: Upload) -> str:
    """How much the file holds, where its columns can be guessed."""
    try:
        return amount(to_examples(found))
    except UserError:
        return ""


def uploaded(path: str) -> Upload:
    """The uploaded file.

    Raises:
        UserError: it cannot be read.
    """
    return read(Path(path), Path(path).name)
