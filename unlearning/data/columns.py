"""From the rows of a table to examples: which columns are meant, and what is skipped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from unlearning.data.base import Example, Kind, Message
from unlearning.data.files import Upload
from unlearning.data.formats import Row, Table
from unlearning.data.pasted import check_enough, clean, split
from unlearning.errors import UserError

_PAIRS = (
    ("question", "answer"),
    ("prompt", "response"),
    ("prompt", "completion"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "answer"),
    ("input", "output"),
)
_MESSAGES = ("messages", "conversations", "conversation")
_TEXTS = ("text", "content", "passage", "document", "article")
_SPEAKERS = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns to read: a text, a question with its answer, or chat messages."""

    text: str | None = None
    question: str | None = None
    answer: str | None = None
    messages: str | None = None

    def names(self) -> tuple[str, ...]:
        """Those that are set."""
        chosen = (self.text, self.question, self.answer, self.messages)
        return tuple(name for name in chosen if name)


def guess(columns: Sequence[str]) -> Columns | None:
    """The columns that are probably meant, by their names; None where nothing fits."""
    by_name = {name.lower().strip(): name for name in reversed(columns)}
    for name in _MESSAGES:
        if name in by_name:
            return Columns(messages=by_name[name])
    for question, answer in _PAIRS:
        if question in by_name and answer in by_name:
            return Columns(question=by_name[question], answer=by_name[answer])
    for name in _TEXTS:
        if name in by_name:
            return Columns(text=by_name[name])
    return Columns(text=columns[0]) if len(columns) == 1 else None


def named(names: Sequence[str], rows: Sequence[Row]) -> Columns:
    """One column of texts or chats, or two of questions and answers, as a source names them."""
    if len(names) == 2:
        return Columns(question=names[0], answer=names[1])
    filled = (row[names[0]] for row in rows if row.get(names[0]))
    if isinstance(next(filled, None), list):
        return Columns(messages=names[0])
    return guess(names) or Columns(text=names[0])


def to_examples(
    upload: Upload,
    *,
    text: str | None = None,
    question: str | None = None,
    answer: str | None = None,
    messages: str | None = None,
    notices: list[str] | None = None,
) -> list[Example]:
    """Examples of an upload. Without chosen columns they are guessed from their names.

    What was left out (rows with an empty cell, rows beyond the limits) is added to `notices`.

    Raises:
        UserError: columns that are not there or cannot be guessed, cells that hold no text, or
            nothing or a single word left.
    """
    stem = upload.name.rsplit(".", 1)[0]
    notes = list(upload.notices)
    chosen = Columns(text, question, answer, messages)
    if upload.table is None:
        if chosen.names():
            raise UserError(f"{upload.name} is plain text and has no columns.", "Choose none.")
        examples = split(upload.text or "", stem)
    else:
        examples = _from_table(upload.table, chosen, upload.name, stem)
        if skipped := len(upload.table.rows) - len(examples):
            notes.append(f"{upload.name}: {skipped} row(s) with an empty cell were left out.")
    if not examples:
        raise UserError(
            f"{upload.name} leaves no text: every row has an empty cell in the chosen columns.",
            "Choose other columns, or fill the cells.",
        )
    if len(examples) == 1:
        check_enough(f"{examples[0].prompt} {examples[0].target}")
    if notices is not None:
        notices += notes
    return examples


def _from_table(table: Table, chosen: Columns, name: str, stem: str) -> list[Example]:
    if not chosen.names() and all(row.get("kind") in get_args(Kind) for row in table.rows):
        own = (_own(row, f"{name}, row {i}") for i, row in enumerate(table.rows, 1))
        return [example for example in own if example is not None]
    columns = chosen if chosen.names() else guess(table.columns)
    found = ", ".join(table.columns)
    if columns is None:
        raise UserError(
            f"{name}: none of its columns looks like a text or a question with an answer.",
            f"Choose the columns (in a source FILE:COLUMN or FILE:QUESTION+ANSWER). "
            f"It has: {found}.",
        )
    if missing := [column for column in columns.names() if column not in table.columns]:
        raise UserError(f"{name} has no column {missing[0]!r}.", f"It has: {found}.")
    read = _reader(columns)
    examples = (read(row, f"{stem}-{i}", f"{name}, row {i}") for i, row in enumerate(table.rows, 1))
    return [example for example in examples if example is not None]


def _reader(columns: Columns) -> Callable[[Row, str, str], Example | None]:
    if columns.messages:
        return lambda row, id, place: _chat(row, id, place, columns.messages or "")
    if columns.question and columns.answer:
        return lambda row, id, place: _qa(row, id, place, columns)
    if columns.text and not (columns.question or columns.answer):
        return lambda row, id, place: _passage(row, id, place, columns.text or "")
    raise UserError(
        "A question needs an answer, and the other way round.",
        "Choose a text column, or both a question and an answer column.",
    )


def _own(row: Row, place: str) -> Example | None:
    """A row that is an Example already, as the embedded texts are."""
    known = {k: v for k, v in row.items() if k in Example.model_fields and v is not None}
    try:
        example = Example.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UserError(
            f"{place}: {field} is not as it should be: {first['msg'].lower()}.",
            "Correct it, or remove the column 'kind' to have the columns guessed.",
        ) from None
    if example.kind == "chat" and not example.messages:
        return None
    return example if example.target.strip() else None


def _passage(row: Row, id: str, place: str, column: str) -> Example | None:
    text = text_of(row.get(column), f"{place}, column {column!r}")
    return Example(id=id, group=_group(row), text=text) if text else None


def _qa(row: Row, id: str, place: str, columns: Columns) -> Example | None:
    question = text_of(row.get(columns.question), f"{place}, column {columns.question!r}")
    answer = text_of(row.get(columns.answer), f"{place}, column {columns.answer!r}")
    if not question or not answer:
        return None
    perturbed = row.get("perturbed_answers", row.get("perturbed_answer"))
    wrong = perturbed if isinstance(perturbed, list) else []
    paraphrased = row.get("paraphrased_answer")
    return Example(
        id=id,
        kind="qa",
        group=_group(row),
        question=question,
        answer=answer,
        paraphrased_answer=paraphrased if isinstance(paraphrased, str) else None,
        perturbed_answers=tuple(w for w in wrong if isinstance(w, str) and w.strip()),
    )


def _chat(row: Row, id: str, place: str, column: str) -> Example | None:
    turns = _turns(row.get(column), f"{place}, column {column!r}")
    while turns and turns[-1].role != "assistant":
        turns.pop()
    if len(turns) < 2 or not all(turn.content for turn in turns):
        return None
    return Example(id=id, kind="chat", group=_group(row), messages=tuple(turns))


def _turns(cell: Any, place: str) -> list[Message]:
    if isinstance(cell, str) and cell.strip().startswith("["):
        try:
            cell = json.loads(cell)
        except ValueError:
            raise UserError(
                f"{place} is not valid JSON.", "Chats in a cell are JSON lists of messages."
            ) from None
    if cell is None or cell == "":
        return []
    turns: list[Message] = []
    for turn in cell if isinstance(cell, list) else [cell]:
        role = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
        role = _SPEAKERS.get(str(role), role)
        if role not in ("system", "user", "assistant"):
            raise UserError(
                f"{place} holds something that is not a message by system, user or assistant.",
                'Write messages as {"role": "user", "content": "..."}.',
            )
        content = text_of(turn.get("content", turn.get("value")), place)
        turns.append(Message(role=role, content=content))
    return turns


def _group(row: Row) -> str:
    group = row.get("group")
    return group if isinstance(group, str) else ""


def text_of(cell: Any, place: str) -> str:
    """A cell as clean text; empty where there is nothing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, (list, dict, bytes)):
        kind = {list: "a list", dict: "an object", bytes: "bytes"}[type(cell)]
        raise UserError(f"{place} holds {kind}, not text.", "Choose a column of texts.")
    return clean(str(cell)).strip()
