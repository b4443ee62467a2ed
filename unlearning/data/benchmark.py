"""Rows of a benchmark: from a folder, the hub or its cache, with the columns checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from unlearning.data.base import Example
from unlearning.data.columns import text_of
from unlearning.data.files import decode, read
from unlearning.data.formats import Row, Table, parse_json, parse_json_lines, table_of
from unlearning.data.hub import download, mirrored
from unlearning.errors import UserError

TABLES = (".jsonl", ".json", ".parquet", ".csv")
"""Kinds of files that are looked for, in this order."""
LETTERS = "ABCD"
Make = Callable[[Row, str], dict[str, Any]]


def table(dataset: str, config: str, split: str, columns: Sequence[str]) -> Table:
    """One split of one configuration, all rows.

    A folder below LETHE_DATASETS is read directly where its files are called like configuration
    and split (CONFIG/SPLIT, CONFIG, SPLIT); otherwise by its card, as `datasets` does, which also
    fetches from the hub and falls back on its cache.

    Raises:
        UserError: it cannot be had, or lacks a split or column; lists what there is.
    """
    name = "/".join(filter(None, (dataset, config, split)))
    folder = mirrored(dataset)
    files = _files(folder, config, split) if folder else []
    if files:
        found = table_of([row for file in files for row in _rows(file)])
    else:
        found = _fetched(dataset, config, split)
    if missing := [column for column in columns if column not in found.columns]:
        raise UserError(
            f"{name} has no column {missing[0]!r}.", f"It has: {', '.join(found.columns)}."
        )
    return found


def examples(name: str, rows: Iterable[Row], make: Make) -> list[Example]:
    """Every row as an Example; `make` gives its fields from the row and its place in words.

    Rows without a text are left out.

    Raises:
        UserError: a cell is not what the benchmark says it is; names row and column.
    """
    made: list[Example] = []
    for number, row in enumerate(rows, 1):
        place = f"{name}, row {number}"
        try:
            example = Example(**{"id": f"{name}-{number}", **make(row, place)})
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise UserError(
                f"{place}: no {field.replace('_', ' ')} can be read from it.",
                "The data set has changed; use an earlier revision of it.",
            ) from None
        if example.target.strip() and (example.kind == "passage" or example.question):
            made.append(example)
    if not made:
        raise UserError(f"{name} leaves no text: every row is empty.", "Get its files again.")
    return made


def passage(row: Row, place: str, column: str = "text") -> dict[str, Any]:
    """Fields of a passage."""
    return {"text": text_of(row.get(column), f"{place}, column {column!r}")}


def question(
    row: Row, place: str, asked: str = "question", answered: str = "answer", **more: Any
) -> dict[str, Any]:
    """Fields of a question with its answer; cells named like an alternative answer are taken."""
    wrong = row.get("perturbed_answer") or ()
    right = row.get("paraphrased_answer")
    return {
        "kind": "qa",
        "question": text_of(row.get(asked), f"{place}, column {asked!r}"),
        "answer": text_of(row.get(answered), f"{place}, column {answered!r}"),
        "paraphrased_answer": right if isinstance(right, str) and right.strip() else None,
        "perturbed_answers": (wrong,) if isinstance(wrong, str) else tuple(wrong),
        **more,
    }


def multiple_choice(row: Row, place: str, subject: str) -> dict[str, Any]:
    """Fields of a question with four lettered choices, in the words of lm-eval (zero-shot).

    The answer is the right letter, the wrong answers are the others: the choice of a model is the
    letter that it finds likeliest after the prompt and one space.

    Raises:
        UserError: not four choices, or the answer is no index among them.
    """
    choices, answer = row.get("choices"), row.get("answer")
    whole = isinstance(answer, int) and not isinstance(answer, bool)
    if not isinstance(choices, list) or len(choices) != len(LETTERS):
        raise UserError(
            f"{place} has no list of {len(LETTERS)} choices, but {str(choices)[:60]!r}.",
            "The data set has changed; use an earlier revision of it.",
        )
    if not whole or not 0 <= answer < len(LETTERS):
        raise UserError(
            f"{place} has the answer {str(answer)[:60]!r}, not an index from 0 to 3.",
            "The data set has changed; use an earlier revision of it.",
        )
    asked = text_of(row.get("question"), f"{place}, column 'question'")
    lines = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=True)]
    head = f"The following are multiple choice questions (with answers) about {subject}."
    return {
        "kind": "qa",
        "bare": True,
        "question": "\n".join([f"{head}\n", asked, *lines, "Answer:"]) if asked else "",
        "answer": LETTERS[answer],
        "perturbed_answers": tuple(letter for letter in LETTERS if letter != LETTERS[answer]),
    }


def _files(folder: Path, config: str, split: str) -> list[Path]:
    """Files called like configuration and split, in one of the usual places."""
    stems = [f"{config}/{split}", config, f"data/{config}"] if config else [split, f"data/{split}"]
    for stem in stems:
        for ending in TABLES:
            whole = folder / f"{stem}{ending}"
            shards = sorted(whole.parent.glob(f"{whole.stem}-[0-9]*{ending}"))
            if whole.is_file() or shards:
                return [whole] if whole.is_file() else shards
    return []


def _rows(file: Path) -> list[Row]:
    if file.suffix == ".json":
        # Benchmarks write JSON Lines under this name too, be it a single line.
        text = decode(file.read_bytes(), file.name)
        parse = parse_json_lines if text.lstrip().startswith("{") else parse_json
        return parse(text, file.name).rows
    upload = read(file, limits=None)
    return upload.table.rows if upload.table else []


def _fetched(dataset: str, config: str, split: str) -> Table:
    splits = download(dataset, config or None)
    if split not in splits:
        where = "/".join(filter(None, (dataset, config)))
        raise UserError(f"{where} has no split {split!r}.", f"It has: {', '.join(splits)}.")
    rows = splits[split]
    return Table(tuple(rows.column_names), rows.to_list())
