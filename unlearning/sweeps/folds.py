"""A forget text in equal parts, for requests that come one after the other or grow."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.store import write_atomically

FOLDS = 4
"""As in the sustainability and scalability tests of MUSE (arXiv:2407.06460)."""


def folds(examples: Sequence[Example], count: int = FOLDS) -> list[list[Example]]:
    """`count` parts with the same mixture of groups; what belongs together stays together.

    Raises:
        UserError: fewer units than parts.
    """
    groups: dict[tuple[str, str], list[list[Example]]] = defaultdict(list)
    for unit in _units(examples):
        groups[unit[0].group, unit[0].kind].append(unit)
    parts: list[list[Example]] = [[] for _ in range(count)]
    for units in groups.values():
        for place, unit in enumerate(units):
            parts[place * count // len(units)] += unit
    if not all(parts):
        raise UserError(
            f"The forget text has too few passages for {count} parts.", "Give it more passages."
        )
    return parts


def written(examples: Sequence[Example], folder: Path) -> str:
    """Path of a file that holds the examples, named after what stands in it."""
    lines = "".join(
        json.dumps(example.model_dump(mode="json", exclude_defaults=True) | {"kind": example.kind})
        + "\n"
        for example in examples
    )
    path = folder / f"{sha256(lines.encode()).hexdigest()[:16]}.jsonl"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lines)
    return str(path)


def _units(examples: Sequence[Example]) -> list[list[Example]]:
    """A passage with the questions about it: their ids begin with its own."""
    units: list[list[Example]] = []
    for example in examples:
        if units and example.id.startswith(f"{units[-1][0].id}-"):
            units[-1].append(example)
        else:
            units.append([example])
    return units
