"""Parsers of table formats: text or bytes to rows, every mistake with its place in the file."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from typing import Any

from unlearning.errors import UserError

Row = dict[str, Any]

csv.field_size_limit(2**31 - 1)  # Whole chapters stand in one cell; the default ends at 128 KiB.

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""How JSON writes one half of a character."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by column name; a cell is whatever the format holds (text, number, list, None)."""

    columns: tuple[str, ...]
    rows: list[Row]


def table_of(rows: list[Row]) -> Table:
    """A table whose columns are all keys of the rows, in order of appearance."""
    return Table(tuple(dict.fromkeys(key for row in rows for key in row)), rows)


def parse_json(text: str, name: str) -> Table:
    """A JSON list of objects, or of strings (one column, `text`). JSON Lines are recognised.

    Raises:
        UserError: broken JSON, with line and column; or another shape.
    """
    try:
        content = _loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text.lstrip().startswith("{"):
            return parse_json_lines(text, name)
        raise _broken_json(name, error, error.lineno) from None
    if not isinstance(content, list) or not content:
        what = "an empty list" if content == [] else _kind(content)
        raise UserError(
            f"{name} holds {what}, not a list of objects or texts.",
            'Write it as [{"text": "..."}, ...] or ["...", ...].',
        )
    return table_of([_row(item, f"{name}, item {i}") for i, item in enumerate(content, 1)])


def parse_json_lines(text: str, name: str) -> Table:
    """One JSON object or string a line; empty lines are skipped.

    Raises:
        UserError: broken JSON, with line and column; or another shape.
    """
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = _loads(line)
        except json.JSONDecodeError as error:
            raise _broken_json(name, error, number) from None
        rows.append(_row(item, f"{name}, line {number}"))
    return table_of(rows)


def parse_csv(text: str, name: str) -> Table:
    """Comma, semicolon, tab or bar separated values; the first line names the columns.

    Raises:
        UserError: cells that do not fit the header or an open quotation mark, with the line.
    """
    header_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t|", key=header_line.count)
    lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    number = 0
    try:
        for cells in lines:
            first, number = number + 1, lines.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _header(cells, name)
            elif len(cells) == len(columns):
                rows.append(dict(zip(columns, cells, strict=True)))
            else:
                raise UserError(
                    f"{name}, line {first}: {len(cells)} cell(s), but the header has "
                    f"{len(columns)}.",
                    f"Put quotation marks around cells that hold {delimiter!r} or line ends.",
                )
    except csv.Error as error:
        raise UserError(
            f"{name} is broken in the row that begins at line {number + 1}: {error}.",
            "Close the quotation mark that opens there, and double those inside a cell.",
        ) from None
    return Table(columns, rows)


def parse_parquet(data: bytes, name: str, most_rows: int | None) -> Table:
    """A Parquet file; reads no further than one row beyond `most_rows`.

    Raises:
        UserError: not a Parquet file, or its texts are not UTF-8.
    """
    import pyarrow as pa  # noqa: PLC0415 (slow to import, and needed for this format alone)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        rows = (row for batch in file.iter_batches(batch_size=1024) for row in batch.to_pylist())
        kept = list(islice(rows, None if most_rows is None else most_rows + 1))
        return Table(tuple(file.schema_arrow.names), kept)
    except UnicodeDecodeError as error:  # Parquet promises UTF-8, but not every writer keeps to it.
        raise UserError(
            f"{name} holds text that is not UTF-8: 0x{error.object[error.start]:02x} in a cell.",
            "Write it again with all texts as UTF-8.",
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{name} is not a readable Parquet file: {str(error).splitlines()[0]}",
            "Write it again, or save it as CSV or JSON Lines.",
        ) from None


def _loads(text: str) -> Any:
    try:
        content = json.loads(text)
        if _HALF.search(text):  # A half without its other one could not be written into a run.
            whole = json.dumps(content, ensure_ascii=False).encode("utf-8", "ignore")
            content = json.loads(whole)
        return content
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise json.JSONDecodeError("Nested too deeply", text, 0) from None
    except ValueError as error:  # numbers of thousands of digits
        raise json.JSONDecodeError(str(error), text, 0) from None


def _broken_json(name: str, error: json.JSONDecodeError, line: int) -> UserError:
    return UserError(
        f"{name} is not valid JSON at line {line}, column {error.colno}: {error.msg}.",
        "Correct that place. Plain text belongs into a .txt file.",
    )


def _row(item: Any, place: str) -> Row:
    if isinstance(item, str):
        return {"text": item}
    if isinstance(item, dict):
        return item
    raise UserError(
        f"{place} is {_kind(item)}, not an object or a text.",
        'Write every item as {"text": "..."} or "...".',
    )


def _kind(content: Any) -> str:
    names = {dict: "one object", list: "a list", str: "one text", bool: "a truth value"}
    return "nothing" if content is None else names.get(type(content), "a number")


def _header(cells: list[str], name: str) -> tuple[str, ...]:
    columns = tuple(c.strip() or f"column {i}" for i, c in enumerate(cells, 1))
    if repeated := _first_repeated(iter(columns)):
        raise UserError(
            f"{name} has two columns named {repeated!r}.", "Give every column its own name."
        )
    return columns


def _first_repeated(names: Iterator[str]) -> str | None:
    seen: set[str] = set()
    return next((n for n in names if n in seen or seen.add(n)), None)
