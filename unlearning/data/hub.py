"""Data sets from the Hugging Face hub, or from a folder in the same layout."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from unlearning.data.base import Example
from unlearning.data.columns import Columns, to_examples
from unlearning.data.files import UPLOAD, Upload
from unlearning.data.formats import Table
from unlearning.errors import UserError

if TYPE_CHECKING:
    from datasets import DatasetDict

MIRROR = "LETHE_DATASETS"
"""Variable that names a folder of data sets, each at OWNER/NAME in the hub's layout."""
FORM = "hub:DATASET[/CONFIG]:COLUMN[:SPLIT]"
_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")


@dataclass(frozen=True, slots=True)
class HubSource:
    """What `hub:DATASET[/CONFIG]:COLUMN[:SPLIT]` says. COLUMN may be `question+answer`."""

    dataset: str
    """Owner and name, or a folder."""
    config: str | None
    columns: tuple[str, ...]
    split: str

    @classmethod
    def parse(cls, source: str) -> HubSource:
        """Take a source string apart.

        Raises:
            UserError: it does not have this form.
        """
        path, _, rest = source.removeprefix("hub:").partition(":")
        column, _, split = rest.partition(":")
        columns = tuple(part.strip() for part in column.split("+"))
        if not path or not all(columns) or len(columns) > 2:
            raise UserError(
                f"{source} does not say what to read.",
                f"The form is {FORM}, with COLUMN like text or question+answer.",
            )
        dataset, config = _dataset_and_config(path, source)
        return cls(dataset, config, columns, split or "train")


def load_hub(source: str, notices: list[str] | None = None) -> list[Example]:
    """Download (or take from the cache) and read one split, at most its first 20 000 rows.

    Raises:
        UserError: not found, gated, no network, or no such configuration, split or column.
    """
    wanted = HubSource.parse(source)
    splits = download(wanted.dataset, wanted.config)
    if wanted.split not in splits:
        raise UserError(
            f"{wanted.dataset} has no split {wanted.split!r}.", f"It has: {', '.join(splits)}."
        )
    rows = splits[wanted.split]
    if missing := [column for column in wanted.columns if column not in rows.column_names]:
        raise UserError(
            f"{wanted.dataset} has no column {missing[0]!r}.",
            f"It has: {', '.join(rows.column_names)}.",
        )
    kept = rows.select(range(min(len(rows), UPLOAD.rows))).to_list()
    name = "/".join(filter(None, (Path(wanted.dataset).name, wanted.config, wanted.split)))
    if len(kept) < len(rows) and notices is not None:
        notices.append(f"{name}: only the first {len(kept):,} of {len(rows):,} rows are used.")
    upload = Upload(name, table=Table(tuple(rows.column_names), kept))
    chosen = _columns(wanted.columns, kept)
    return to_examples(
        upload,
        text=chosen.text,
        question=chosen.question,
        answer=chosen.answer,
        messages=chosen.messages,
        notices=notices,
    )


def _dataset_and_config(path: str, source: str) -> tuple[str, str | None]:
    # os.path, since pathlib raises for what is too long to be a name, and for an unknown ~user.
    folder = Path(os.path.expanduser(path))
    if os.path.isdir(folder):
        return str(folder), None
    local = folder.is_absolute() or path.startswith((".", "~"))
    if os.path.isdir(folder.parent) and (local or path.count("/") > 1):
        return str(folder.parent), folder.name
    if local:
        raise UserError(f"There is no folder {path}.", "Check the path.")
    owner, _, rest = path.partition("/")
    name, _, config = rest.partition("/")
    dataset = f"{owner}/{name}" if name else owner
    if not _ID.fullmatch(dataset):
        raise UserError(f"{source} names no data set.", f"The form is {FORM}.")
    return dataset, config or None


def _columns(names: tuple[str, ...], rows: list[dict]) -> Columns:
    if len(names) == 2:
        return Columns(question=names[0], answer=names[1])
    holds_messages = any(isinstance(row[names[0]], list) for row in rows[:1])
    return Columns(messages=names[0]) if holds_messages else Columns(text=names[0])


def mirrored(dataset: str) -> Path | None:
    """Folder of a data set below the one that LETHE_DATASETS names; None where it is not there."""
    root = os.environ.get(MIRROR, "")
    if {".", ".."} & set(dataset.split("/")):  # names may come from a page's visitor
        return None
    folder = os.path.join(os.path.expanduser(root), dataset)
    return Path(folder) if root and os.path.isdir(folder) else None


def download(dataset: str, config: str | None = None) -> DatasetDict:
    """All splits of a configuration: from LETHE_DATASETS, else the hub, else its cache.

    Raises:
        UserError: not found, gated, no network, or no such configuration.
    """
    import datasets  # noqa: PLC0415 (slow to import, and needed for this source alone)

    place = str(mirrored(dataset) or dataset)
    try:
        return datasets.load_dataset(place, name=config)
    except (datasets.exceptions.DatasetsError, OSError, ValueError, RuntimeError) as error:
        _explain(dataset, config, error)


def _explain(name: str, config: str | None, error: Exception) -> NoReturn:
    """Say which of the usual reasons it is; their order matters, since classes overlap."""
    cause = error.__cause__ or error
    chain, reason = f"{error} {cause}", str(cause).strip().split("\n")[0]
    if "gated" in chain:
        message = f"{name} is gated: its authors give access one by one."
        hint = "Ask for access on its page, then log in with: hf auth login"
    elif isinstance(error, ConnectionError) or "offline" in chain.lower():
        message = f"{name} cannot be fetched: the hub cannot be reached."
        hint = (
            f"Check the network, or put its files at {name} in a folder and name that folder in "
            f"{MIRROR}; preset:world/forget needs neither."
        )
    elif isinstance(error, FileNotFoundError):
        message = f"There is no data set {name} on the hub, or it is private, or it is empty."
        hint = "Check the name (owner/name), or log in with: hf auth login"
    elif "config" in chain.lower():
        names = re.search(r"\[.*?\]", chain)
        listed = re.findall(r"'([^']+)'", names[0]) if names else []
        wrong = f"no configuration {config!r}" if config else "several configurations"
        message = f"{name} has {wrong}."
        hint = f"Choose from: {', '.join(listed)}." if listed else reason
    elif "scripts are no longer supported" in chain:
        message = f"{name} is built by a program, which is never run."
        hint = "Take a data set of plain files (JSON, CSV, Parquet), or download its texts."
    else:
        message, hint = f"{name} cannot be read: {reason}", "Check its files, or use another one."
    raise UserError(message, hint) from None
