"""Where texts come from: a file, a preset, the hub, or standard input, named by one string."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TextIO

from unlearning.data.base import Example
from unlearning.data.columns import Columns, to_examples
from unlearning.data.files import Upload, read
from unlearning.data.formats import parse_json_lines
from unlearning.data.hub import load_hub
from unlearning.data.preset import Preset
from unlearning.data.world import WORLD
from unlearning.errors import UserError

PRESETS: dict[str, Preset] = {preset.name: preset for preset in (WORLD,)}
"""Name to preset, in the order they are offered."""


def load(
    source: str,
    *,
    stdin: TextIO | None = None,
    columns: Columns | None = None,
    notices: list[str] | None = None,
) -> list[Example]:
    """The examples that a source string names.

    A file path, `preset:NAME[/SPLIT]`, `hub:DATASET[/CONFIG]:COLUMN[:SPLIT]`, or `-` for
    standard input. `columns` choose what is read of a file. What was left out is added to
    `notices`. Files of this machine have no size limit; uploads go through `files.read`.

    Raises:
        UserError: the source does not exist or cannot be read; says what there is.
    """
    if source.startswith("preset:"):
        return _preset(source)
    if source.startswith("hub:"):
        return load_hub(source, notices)
    if not source.strip():
        raise UserError(
            "No text is named.", "Name a file, or a preset such as preset:world/forget."
        )
    upload = _standard_input(stdin or sys.stdin) if source == "-" else read(source, limits=None)
    chosen = columns or Columns()
    return to_examples(
        upload,
        text=chosen.text,
        question=chosen.question,
        answer=chosen.answer,
        messages=chosen.messages,
        notices=notices,
    )


def pinned_prompts(examples: Sequence[Example], n: int) -> list[str]:
    """Up to `n` prompts to ask live, one group after the other: the questions as they are,
    passages by their first words (about 12, about 20 tokens; half of a short one)."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.group, []).append(example)
    mixed = chain.from_iterable(zip_longest(*groups.values()))
    prompts = dict.fromkeys(_prompt(example) for example in mixed if example is not None)
    return [prompt for prompt in prompts if prompt][:n]


def _prompt(example: Example) -> str:
    if example.kind == "qa":
        return example.question
    if example.kind == "chat":
        return next((m.content for m in reversed(example.messages) if m.role == "user"), "")
    words = example.text.split()
    return " ".join(words[: max(1, min(12, len(words) // 2))])


def _preset(source: str) -> list[Example]:
    name, _, split = source.removeprefix("preset:").partition("/")
    if name not in PRESETS:
        raise UserError(
            f"There is no preset named {name!r}.", f"Choose from: {', '.join(PRESETS)}."
        )
    return PRESETS[name].load(split)


def _standard_input(stream: TextIO) -> Upload:
    text = stream.read().removeprefix("\ufeff")
    if text.lstrip().startswith('{"'):
        return Upload("standard input", table=parse_json_lines(text, "standard input"))
    return Upload("standard input", text=text)
