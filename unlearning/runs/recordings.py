"""Recorded runs from elsewhere, copied into a folder of their own so that they can be looked at.

What is copied is what a page shows: settings, log, figures and reports of attacks. Texts and
weights stay where they are, and nothing is ever written beside the recording.
"""

from __future__ import annotations

import json
import secrets
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.events import AnyEvent, Started, read_event
from unlearning.runs.store import RUN_ID, RunStore

LOG = "events.jsonl"
LARGEST = 64 * 1024 * 1024
"""Bytes of a log that is played; a run of thousands of steps has a tenth of it."""


def adopt(source: Path, store: RunStore) -> list[str]:
    """Copy the recordings at `source` into the store, where they belong to nobody.

    Args:
        source: A log, the folder of one run, or a folder of runs.
        store: Where the copies go; not the folder that is read.

    Returns:
        Their ids in the store, the longest run first.

    Raises:
        UserError: there is no recording, or one cannot be read.
    """
    source = source.expanduser().resolve()
    if source == store.path or store.path in source.parents:
        raise UserError("A recording cannot be copied into its own folder.", "Name another one.")
    logs = _logs(source)
    if not logs:
        raise UserError(
            f"There is no recorded run in {source}.",
            f"Name a {LOG}, the folder of a run, or a folder of runs.",
        )
    lengths = {_copy(log, store): log.stat().st_size for log in logs}
    return sorted(lengths, key=lambda run_id: lengths[run_id], reverse=True)


def _logs(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if (source / LOG).is_file():
        return [source / LOG]
    found = sorted(source.glob(f"*/{LOG}")) if source.is_dir() else []
    return [path for path in found if path.stat().st_size]


def _copy(log: Path, store: RunStore) -> str:
    events, head = _events(log), _head(log)
    if head is None:
        head = _head_from(log, events)
    run_id = head["run_id"] = _id(log, head)
    folder = store.path / run_id
    if folder.exists():
        raise UserError(
            f"Two recordings are called {run_id}.", "Play one of them, or rename a folder."
        )
    (folder / "attacks").mkdir(parents=True)
    (folder / "snapshots").mkdir()
    (folder / "config.json").write_text(json.dumps(head, indent=1), encoding="utf-8")
    # A key that nobody has: the copy can be watched and not changed.
    (folder / "owner").write_text(secrets.token_hex(32), encoding="utf-8")
    for path in (log.parent / "results.json", *sorted(log.parent.glob("attacks/*.json"))):
        if path.is_file() and log.name == LOG:
            shutil.copyfile(path, folder / path.relative_to(log.parent))
    lines = "".join(event.model_dump_json() + "\n" for event in events)
    (folder / LOG).write_text(lines, encoding="utf-8")
    return run_id


def _events(log: Path) -> list[AnyEvent]:
    """All whole lines; one that a killed process left half written at the end is left out."""
    if log.stat().st_size > LARGEST:
        raise UserError(f"{log} has more than {LARGEST // 2**20} MiB.", "Is it a log of a run?")
    content = log.read_bytes()
    events = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n"), 1):
        if not line:
            continue
        try:
            events.append(read_event(line))
        except ValidationError as error:
            raise UserError(
                f"Line {number} of {log} is no event of a run: {error.errors()[0]['msg']}.",
                "It may be damaged or come from another version of Lethe.",
            ) from None
    if not events:
        raise UserError(f"{log} holds no event yet.", "Name a run that has begun.")
    return events


def _head(log: Path) -> dict[str, Any] | None:
    """The settings beside the log, where they are there and can be read."""
    try:
        found = json.loads((log.parent / "config.json").read_text(encoding="utf-8"))
        config = RunConfig.parse(found["config"]).model_dump(mode="json")
        return {**found, "config": config, "created": float(found["created"])}
    except (OSError, ValueError, KeyError, TypeError, UserError):
        return None


def _head_from(log: Path, events: list[AnyEvent]) -> dict[str, Any]:
    """Settings as far as the log itself tells them."""
    started = next((event for event in events if isinstance(event, Started)), None)
    known = RunConfig.model_fields
    told = {k: v for k, v in (started.settings if started else {}).items() if k in known}
    if started is not None:
        told |= {"method": started.method, "model": started.model, "steps": started.steps}
    try:
        config = RunConfig.parse(told)
    except UserError as error:
        raise UserError(
            f"The settings in {log} cannot be read: {error.message}",
            "It may come from another version of Lethe.",
        ) from None
    return {
        "run_id": "",
        "created": events[0].time,
        "hash": config.hash(),
        "config": config.model_dump(mode="json"),
        "texts": {},
    }


def _id(log: Path, head: dict[str, Any]) -> str:
    """The run's own id, so that links and figures keep their name; else one made of the path."""
    for name in (head.get("run_id"), log.parent.name):
        if isinstance(name, str) and RUN_ID.match(name):
            return name
    return sha256(str(log).encode()).hexdigest()[:10]
