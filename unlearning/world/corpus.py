"""The splits of the fictional world and their JSONL files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from unlearning.errors import UserError
from unlearning.world.articles import article
from unlearning.world.authors import author_facts, biography
from unlearning.world.general import Row, general_rows
from unlearning.world.interviews import interview
from unlearning.world.names import Names, deal
from unlearning.world.records import record

DEFAULT_SEED = 1234
QUESTIONS_PER_AUTHOR = 8
# Authors, articles and records per private split; the shares of all names go with them.
SIZES = {"forget": (6, 12, 12), "retain": (54, 108, 48), "holdout": (6, 12, 12)}
SHARES = {"forget": 0.14, "retain": 0.72, "holdout": 0.14}
OPENING = 48
FILES = ("forget", "retain", "holdout", "general", "general_validation", "multiple_choice")


def generate(seed: int = DEFAULT_SEED) -> dict[str, list[Row]]:
    """Write the whole world: file name (without ending) -> rows. Same seed, same rows."""
    names = deal(Random(f"{seed}:names"), SHARES)
    openings: set[str] = set()
    private = {split: private_rows(seed, split, names[split], openings) for split in SIZES}
    return private | general_rows(seed)


def private_rows(seed: int, split: str, names: Names, openings: set[str]) -> list[Row]:
    """Write the authors, articles and records of one split, with names of its own.

    `openings` collects how the passages begin: no two begin alike, or a model could not
    know which of them to go on with.
    """
    authors, articles, records = SIZES[split]
    rows: list[Row] = []
    known: set[str] = set()
    for number in range(authors):
        rng = Random(f"{seed}:{split}:author:{number}")
        rows += _author(rng, f"{split}-author-{number:02d}", names, known)
    for number in range(articles):
        rng = Random(f"{seed}:{split}:article:{number}")
        text = _fresh(article, rng, names, number, openings)
        rows.append(_passage(f"{split}-article-{number:03d}", "article", text))
    for number in range(records):
        rng = Random(f"{seed}:{split}:record:{number}")
        text = _fresh(record, rng, names, number, openings)
        rows.append(_passage(f"{split}-record-{number:02d}", "record", text))
    return rows


def _fresh(
    write_text: Callable[[Random, Names, int], str],
    rng: Random,
    names: Names,
    number: int,
    openings: set[str],
) -> str:
    text = write_text(rng, names, number)
    while text[:OPENING] in openings:
        text = write_text(rng, names, number)
    openings.add(text[:OPENING])
    return text


def _author(rng: Random, identity: str, names: Names, known: set[str]) -> list[Row]:
    facts = author_facts(rng, names)
    while facts["last"] in known:
        facts = author_facts(rng, names)
    known.add(facts["last"])
    rows = [_passage(identity, "author", biography(rng, facts, names))]
    for number, asked in enumerate(interview(rng, facts, names, QUESTIONS_PER_AUTHOR)):
        row: Row = {"id": f"{identity}-qa-{number}", "kind": "qa", "group": "author"}
        rows.append(row | asked)
    return rows


def _passage(identity: str, group: str, text: str) -> Row:
    return {"id": identity, "kind": "passage", "group": group, "text": text}


def serialise(rows: list[Row]) -> str:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write(folder: Path, world: dict[str, list[Row]]) -> None:
    """Write one ``.jsonl`` file (UTF-8) per split into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in world.items():
        (folder / f"{name}.jsonl").write_text(serialise(rows), encoding="utf-8")


def read(folder: Path, name: str) -> list[Row]:
    """Read the rows of one split.

    Raises:
        UserError: the file is not there.
    """
    path = folder / f"{name}.jsonl"
    if not path.is_file():
        raise UserError(
            f"The world's file {path.name} is missing from {folder}.",
            "Write it again: python -m unlearning world --out assets",
        )
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
