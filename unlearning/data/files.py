"""Files and uploads: what may be read, how large, in which encoding."""

from __future__ import annotations

import codecs
import errno
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unlearning.data.formats import (
    Row,
    Table,
    parse_csv,
    parse_json,
    parse_json_lines,
    parse_parquet,
)
from unlearning.errors import UserError

EXTENSIONS = (".txt", ".md", ".jsonl", ".json", ".csv", ".tsv", ".parquet")

_PARSERS: dict[str, Callable[[str, str], Table]] = {
    ".json": parse_json,
    ".jsonl": parse_json_lines,
    ".csv": parse_csv,
    ".tsv": parse_csv,
}

_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\x1f\x8b": "a compressed file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"PAR1": "a Parquet file under another name",
}

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at most. Larger files are refused; more rows or characters are left out."""

    bytes: int = 10 * 2**20
    rows: int = 20_000
    characters: int = 2_000_000


UPLOAD = Limits()
"""For files that come over the network."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was read: either plain text or a table."""

    name: str
    text: str | None = None
    table: Table | None = None
    notices: tuple[str, ...] = ()
    """What was left out."""


def read(source: str | Path | bytes, name: str = "", *, limits: Limits | None = UPLOAD) -> Upload:
    """Read a file, or the bytes of one, by its extension. `limits=None` reads everything.

    Raises:
        UserError: missing, too large, empty, binary, in another encoding, or broken; with the
            place where that shows.
    """
    if isinstance(source, bytes):
        data, name = source, name or "The upload"
        _check_size(len(data), name, limits)
    else:
        path = Path(source)
        name = name or path.name
        data = _contents(path, name, limits)
    extension = Path(name).suffix.lower()
    if extension not in EXTENSIONS:
        kind = f"the extension {extension!r}" if extension else "no extension"
        raise UserError(f"{name} has {kind}.", f"Known are: {', '.join(EXTENSIONS)}.")
    if not data.strip():
        raise _empty(name)
    if extension == ".parquet":
        table = parse_parquet(data, name, limits.rows if limits else None)
        return _within(name, table, limits)
    text = decode(data, name)
    if not text.strip():
        raise _empty(name)
    if extension in _PARSERS:
        return _within(name, _PARSERS[extension](text, name), limits)
    if limits and len(text) > limits.characters:
        shortened = text[: limits.characters]
        notice = f"{name}: only the first {limits.characters:,} characters are used."
        return Upload(name, text=shortened, notices=(notice,))
    return Upload(name, text=text)


def decode(data: bytes, name: str) -> str:
    """Bytes to text: UTF-8, or UTF-16 and UTF-32 with their byte order mark.

    Raises:
        UserError: binary content, or the first byte that does not fit.
    """
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            raise UserError(f"{name} is {kind}, not text.", "Copy its text into a .txt file.")
    encoding = next((codec for mark, codec in _MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        raise UserError(
            f"{name} is binary: byte {data.index(0)} is zero.",
            "Choose a text file, saved as UTF-8.",
        )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        byte = f"0x{data[error.start]:02x}" if error.start < len(data) else "the end"
        raise UserError(
            f"{name} is not {encoding.upper()} text: {byte} at byte offset {error.start}.",
            "Save it as UTF-8 (in most editors: Save as, Encoding).",
        ) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def preview(upload: Upload, n: int = 5) -> Table:
    """The first `n` rows or paragraphs as short texts, to show before anything is used."""
    if upload.table is None:
        paragraphs = (part.strip() for part in (upload.text or "").split("\n\n"))
        kept = [part for part in paragraphs if part][:n]
        return Table(("text",), [{"text": _short(part)} for part in kept])
    columns = upload.table.columns
    rows = [{c: _short(row.get(c)) for c in columns} for row in upload.table.rows[:n]]
    return Table(columns, rows)


def _contents(path: Path, name: str, limits: Limits | None) -> bytes:
    try:
        if path.is_dir():
            raise UserError(
                f"{path} is a folder.",
                f"Name a file in it, or a folder of data files as hub:{path}:COLUMN.",
            )
        _check_size(path.stat().st_size, name, limits)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError | ValueError) -> UserError:
    if getattr(error, "errno", None) == errno.ENAMETOOLONG or "\n" in str(path):
        return UserError(
            f"{_short(str(path), 60)!r} is text, not a file.",
            "Pipe it in with --forget -, or put it into a file.",
        )
    if isinstance(error, FileNotFoundError):
        return UserError(
            f"There is no file {path}.",
            "Check the path; embedded texts are named like preset:world/forget.",
        )
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UserError(f"{path} cannot be read: {reason}.", "Check the path.")


def _check_size(size: int, name: str, limits: Limits | None) -> None:
    if limits and size > limits.bytes:
        raise UserError(
            f"{name} has {size / 2**20:.2f} MB; the limit is {limits.bytes / 2**20:g} MB.",
            "Take a part of it: a few hundred texts are enough.",
        )


def _empty(name: str) -> UserError:
    return UserError(f"{name} is empty.", "Choose a file with text in it.")


def _within(name: str, table: Table, limits: Limits | None) -> Upload:
    if not table.rows:
        raise UserError(f"{name} has columns but no rows.", "Add rows with text in them.")
    if limits is None:
        return Upload(name, table=table)
    kept: list[Row] = []
    characters = 0
    for row in table.rows[: limits.rows]:
        characters += sum(len(cell) for cell in row.values() if isinstance(cell, str))
        if characters > limits.characters and kept:
            break
        kept.append(row)
    if len(kept) == len(table.rows):
        return Upload(name, table=table)
    notice = f"{name}: only the first {len(kept):,} rows are used."
    return Upload(name, table=Table(table.columns, kept), notices=(notice,))


def _short(cell: object, most: int = 300) -> str:
    if cell is None:
        return ""
    text = cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, default=str)
    return text if len(text) <= most else text[: most - 1] + "…"
