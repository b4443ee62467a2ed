"""What was measured of an untouched model: dear, and the same for every run on the same texts.

Beside the runs lie only figures; their file is named by a hash of all they rest on, the code that
measured included. No text is kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from unlearning.data.base import digest
from unlearning.runs.events import Measured
from unlearning.runs.ground import LIBRARIES, Ground
from unlearning.runs.measure import PANEL_ROLES
from unlearning.runs.store import RunStore, write_atomically

FOLDER = "originals"
MOST = 200
"""Files that are kept; the one not used for longest goes first."""
ROOMS = ("metrics", "models", "data")
"""Packages that a figure rests on, besides `measure` itself."""


def place(
    store: RunStore, ground: Ground, asked: Mapping[str, Collection[str]] | None
) -> Path | None:
    """File for the figures of this original; None where it is no model as it was loaded."""
    config = ground.config
    if config.teach_first or config.model.startswith("run:"):
        return None
    texts = {
        role: [digest(found.examples), [(*e.ids, e.scored_from, e.ends) for e in found.encoded]]
        for role, found in ground.looked_at.items()
        if role in PANEL_ROLES
    }
    rests_on = [
        ground.loaded.sha256,
        *(str(ground.loaded.dtype), ground.loaded.device.type, config.full, ground.length),
        ground.original,
        texts,
        {role: sorted(names) for role, names in sorted((asked or {}).items())},
        asked is None,
        _code(),
    ]
    key = sha256(json.dumps(rests_on).encode()).hexdigest()[:32]
    return store.path / FOLDER / f"{key}.json"


def recall(where: Path | None) -> Measured | None:
    """The figures, where they are known."""
    if where is None or not where.is_file():
        return None
    with suppress(OSError, ValidationError):  # of a broken disk: measured again
        found = Measured.model_validate_json(where.read_text(encoding="utf-8"))
        where.touch()
        return found
    return None


def keep(where: Path | None, measured: Measured) -> None:
    """For the next run."""
    if where is not None:
        where.parent.mkdir(exist_ok=True)
        write_atomically(where, measured.model_dump_json(exclude={"time"}))
        _clear(where.parent)


def _clear(folder: Path) -> None:
    """Down to MOST; other processes may clear at the same time."""
    used: list[tuple[float, Path]] = []
    for path in folder.glob("*.json"):
        with suppress(FileNotFoundError):
            used.append((path.stat().st_mtime, path))
    for _, path in sorted(used, reverse=True)[MOST:]:
        path.unlink(missing_ok=True)


@cache
def _code() -> str:
    """A hash of the code that measures and of the libraries it stands on."""
    package = Path(__file__).resolve().parents[1]
    files = [package / "runs" / "measure.py"]
    files += [path for room in ROOMS for path in sorted((package / room).rglob("*.py"))]
    found = sha256(" ".join(version(name) for name in LIBRARIES).encode())
    for path in files:
        found.update(path.read_bytes())
    return found.hexdigest()
