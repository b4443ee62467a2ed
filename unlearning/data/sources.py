"""Where texts come from: a file, a preset, the hub, or standard input, named by one string."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TextIO

from unlearning.data.base import Example
from unlearning.data.columns import Columns, named, to_examples
from unlearning.data.files import Upload, decode, read
from unlearning.data.formats import parse_json, parse_json_lines
from unlearning.data.hub import load_hub
from unlearning.data.lume import LUME
from unlearning.data.muse import MUSE_BOOKS, MUSE_NEWS
from unlearning.data.preset import Preset, parts
from unlearning.data.rwku import RWKU
from unlearning.data.tofu import TOFU
from unlearning.data.wmdp import WMDP
from unlearning.data.world import WORLD
from unlearning.errors import UserError

PRESETS: dict[str, Preset] = {
    preset.name: preset for preset in (WORLD, TOFU, MUSE_NEWS, MUSE_BOOKS, RWKU, WMDP, LUME)
}
"""Name to preset, in the order they are offered."""

_JSON = re.compile(r'\s*(\{"|\[\s*[{"])')
"""How objects or a list of them begin; prose may begin with a bracket, too."""


def load(
    source: str,
    *,
    stdin: TextIO | None = None,
    columns: Columns | None = None,
    notices: list[str] | None = None,
) -> list[Example]:
    """The examples that a source string names.

    `FILE[:COLUMN]`, `preset:NAME[/SPLIT[/GROUP]]`, `hub:DATASET[/CONFIG]:COLUMN[:SPLIT]`, or `-`
    for standard input; COLUMN may be `QUESTION+ANSWER`. `columns` choose what is read of a file
    where the source does not. What was left out is added to `notices`. Files of this machine
    have no size limit; uploads go through `files.read`.

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
    if source == "-":
        upload, names = _standard_input(stdin or sys.stdin), ()
    else:
        path, names = _path_and_columns(source)
        upload = read(path, limits=None)
    if names:
        columns = named(names, upload.table.rows if upload.table else ())
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
    name, split, group = parts(source)
    if name not in PRESETS:
        raise UserError(
            f"There is no preset named {name!r}.", f"Choose from: {', '.join(PRESETS)}."
        )
    return PRESETS[name].load(split, group)


def _path_and_columns(source: str) -> tuple[str, tuple[str, ...]]:
    """A file with the columns named behind it; a file that is called like that wins."""
    if os.path.exists(source):
        return source, ()
    # From the left: a drive letter is no file, and a column may hold a colon.
    ends = (match.start() for match in re.finditer(":", source))
    end = next((end for end in ends if os.path.isfile(source[:end])), None)
    if end is None:
        return source, ()
    names = tuple(name.strip() for name in source[end + 1 :].split("+"))
    if not all(names) or len(names) > 2:
        raise UserError(
            f"{source} does not say what to read.",
            "The form is FILE:COLUMN or FILE:QUESTION+ANSWER.",
        )
    return source[:end], names


def _standard_input(stream: TextIO) -> Upload:
    name = "standard input"
    # The bytes, since the stream's own encoding follows the locale and may drop letters.
    text = decode(stream.buffer.read(), name) if hasattr(stream, "buffer") else stream.read()
    if start := _JSON.match(text):
        parse = parse_json if "[" in start[0] else parse_json_lines
        return Upload(name, table=parse(text, name))
    return Upload(name, text=text)
