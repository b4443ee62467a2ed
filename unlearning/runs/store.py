"""Runs on disk: one folder a run, written atomically, readable while it is written.

    RUNS/ID/config.json        what was chosen, when, for which texts
    RUNS/ID/inputs/ROLE.jsonl  the examples as used
    RUNS/ID/preferred.json     other answers to the forget prompts, for methods that read them
    RUNS/ID/events.jsonl       the log
    RUNS/ID/snapshots/step-N/  weights, optimizer, state
    RUNS/ID/results.json       the final figures
    RUNS/ID/attacks/NAME-….json  what attacks on it found; job/ is the one under way
    RUNS/ID/votes.jsonl        blind votes on its answers
    RUNS/ID/owner              hash of the owner's key
    RUNS/ID/stop               present while a stop is asked for
    RUNS/ID/turn.json          the step that the run shall go on from, where it is not the last

One process writes a run's log at a time; any number read it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import ValidationError

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role, digest
from unlearning.errors import UserError
from unlearning.runs.events import AnyEvent, read_event
from unlearning.runs.view import View

RUN_ID = re.compile(r"[0-9a-z]{8,32}\Z")
PAUSE = b"pause"


LEFTOVER_SECONDS = 3600.0
"""Drafts older than this belong to a process that was killed."""


@dataclass
class _Cached:
    offset: int = 0
    view: View = field(default_factory=View)
    shown: View = field(default_factory=View)
    lock: Lock = field(default_factory=Lock)


class RunStore:
    """All runs below one folder."""

    def __init__(self, folder: str | Path) -> None:
        """Open or make the folder.

        Raises:
            UserError: it cannot be made or written.
        """
        self.path = Path(folder).expanduser().resolve()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / f".write-{secrets.token_hex(4)}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise _unwritable(f"The folder for runs, {self.path},", error) from None
        self._cache: dict[str, _Cached] = {}
        self.sweep()

    def create(
        self, config: RunConfig, texts: Mapping[Role, Sequence[Example]], owner: str = ""
    ) -> str:
        """Make the folder of a new run; returns its id. `owner` is the owner's secret key.

        Raises:
            UserError: the disk is full, or the folder for runs can no longer be written.
        """
        run_id = secrets.token_hex(5)
        draft = self.path / f".new-{run_id}"
        try:
            self._write(draft, run_id, config, texts, owner)
            draft.rename(self.path / run_id)
        except OSError as error:
            # Without the path: visitors of a page read this.
            raise _unwritable("The folder for runs", error) from None
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return run_id

    def _write(
        self,
        draft: Path,
        run_id: str,
        config: RunConfig,
        texts: Mapping[Role, Sequence[Example]],
        owner: str,
    ) -> None:
        (draft / "inputs").mkdir(parents=True)
        (draft / "snapshots").mkdir()
        described = {}
        for role, examples in texts.items():
            lines = "".join(example.model_dump_json() + "\n" for example in examples)
            (draft / "inputs" / f"{role}.jsonl").write_text(lines, encoding="utf-8")
            described[role] = {"count": len(examples), "sha256": digest(examples)}
        head = {
            "run_id": run_id,
            "created": time.time(),
            "hash": config.hash(),
            "config": config.model_dump(mode="json"),
            "texts": described,
        }
        (draft / "config.json").write_text(json.dumps(head, indent=1), encoding="utf-8")
        (draft / "owner").write_text(_fingerprint(owner), encoding="utf-8")
        (draft / "events.jsonl").touch()

    def folder(self, run_id: str) -> Path:
        """The folder of an existing run.

        Raises:
            UserError: no such run, or not the form of an id.
        """
        folder = self.path / run_id
        if not RUN_ID.match(run_id) or not (folder / "config.json").is_file():
            raise UserError(
                f"There is no run {run_id[:40]!r}.",
                "List the runs with: python -m unlearning runs.",
            )
        return folder

    def head(self, run_id: str) -> dict[str, Any]:
        """`config.json` as it stands: run_id, created, hash, config, texts.

        Raises:
            UserError: no such run, or the file is damaged.
        """
        content = (self.folder(run_id) / "config.json").read_text(encoding="utf-8")
        try:
            found = json.loads(content)
            if not isinstance(found["config"], dict) or {"run_id", "created"} - found.keys():
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"The config.json of run {run_id} cannot be read.",
                "It may be damaged or come from another version of Lethe. You can delete the run.",
            ) from None
        return found

    def config(self, run_id: str) -> RunConfig:
        """What was chosen for the run."""
        return RunConfig.parse(self.head(run_id)["config"])

    def command(self, run_id: str, runs: str = "") -> str:
        """The command line that repeats the run, on the texts that the run keeps where they were
        pasted, uploaded or read from a file. `runs` stands for the folder for runs where its
        path must not be told."""
        config, head = self.config(run_id), self.head(run_id)
        folder = Path(runs or self.path) / run_id / "inputs"
        kept = {
            role: str(folder / f"{role}.jsonl")
            for role in head.get("texts", {})
            if not getattr(config, role, "auto").startswith(("preset:", "hub:", "auto"))
        }
        return config.model_copy(update=kept).command()

    def root_model(self, model: str) -> str:
        """The name below `run:ID[@STEP]`: what that run, or the one before it, started from."""
        while model.startswith("run:"):
            model = self.config(model.removeprefix("run:").partition("@")[0]).model
        return model

    def change_config(self, run_id: str, **changes: Any) -> RunConfig:
        """Replace settings of a run that is not live (steps when it continues, its label)."""
        head = self.head(run_id)
        config = RunConfig.parse({**head["config"], **changes})
        head["config"] = config.model_dump(mode="json")
        write_atomically(self.folder(run_id) / "config.json", json.dumps(head, indent=1))
        return config

    def join_race(self, run_id: str, racers: Sequence[str]) -> None:
        """Note the runs that race against each other, this one among them."""
        head = {**self.head(run_id), "race": list(racers)}
        write_atomically(self.folder(run_id) / "config.json", json.dumps(head, indent=1))

    def racers(self, run_id: str) -> list[str]:
        """The runs of the race that this run belongs to, in their order; those that are left."""
        race = self.head(run_id).get("race", [])
        return [one for one in race if RUN_ID.match(one) and (self.path / one).is_dir()]

    def texts(self, run_id: str) -> dict[Role, list[Example]]:
        """The examples of the run by role."""
        found: dict[Role, list[Example]] = {}
        for path in sorted((self.folder(run_id) / "inputs").glob("*.jsonl")):
            lines = path.read_text(encoding="utf-8").split("\n")
            found[path.stem] = [Example.model_validate_json(line) for line in lines if line]
        return found

    def append(self, run_id: str, event: AnyEvent) -> AnyEvent:
        """Write one event, stamped with the time; returns the stamped event."""
        stamped = event.model_copy(update={"time": time.time()})
        with (self.folder(run_id) / "events.jsonl").open("ab") as log:
            log.write(stamped.model_dump_json().encode() + b"\n")
        return stamped

    def mend(self, run_id: str) -> None:
        """Cut off a last line that a killed process left half written."""
        path = self.folder(run_id) / "events.jsonl"
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) != len(content):
            os.truncate(path, len(whole))

    def read(self, run_id: str, offset: int = 0) -> tuple[list[AnyEvent], int]:
        """Complete events from a byte offset on, and the offset after them."""
        with (self.folder(run_id) / "events.jsonl").open("rb") as log:
            log.seek(offset)
            content = log.read()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            events = [read_event(line) for line in whole.split(b"\n") if line]
        except ValidationError as error:
            raise UserError(
                f"The log of run {run_id} cannot be read: {error.errors()[0]['msg']}.",
                "It may be damaged or come from another version of Lethe. You can delete the run.",
            ) from None
        return events, offset + len(whole)

    def view(self, run_id: str) -> View:
        """The run folded so far; only what is new is read. From any thread.

        What it returns stays as it is: later events make a new view. Do not change it.

        Raises:
            UserError: no such run, or its log cannot be read.
        """
        self.folder(run_id)
        cached = self._cache.setdefault(run_id, _Cached())
        with cached.lock:
            events, cached.offset = self.read(run_id, cached.offset)
            for event in events:
                cached.view.fold(event)
            if events:
                cached.shown = cached.view.copy()
            return cached.shown

    def ids(self) -> list[str]:
        """All runs, newest first."""
        created: dict[str, float] = {}
        for path in self.path.iterdir():
            if RUN_ID.match(path.name):
                # A run may be deleted while this looks.
                with suppress(UserError, FileNotFoundError):
                    created[path.name] = self.head(path.name)["created"]
        return sorted(created, key=lambda run_id: created[run_id], reverse=True)

    def owned_by(self, run_id: str, key: str) -> bool:
        """Whether the key is the owner's. A run without owner belongs to everybody."""
        return is_owner(self.folder(run_id), key)

    def ask_stop(self, run_id: str, *, pause: bool = False) -> None:
        """Raise the stop flag; `pause` leaves the last measurement out."""
        (self.folder(run_id) / "stop").write_bytes(PAUSE if pause else b"")

    def stop_asked(self, run_id: str) -> bool:
        """Whether the stop flag is up. Cheap: looked at every micro-batch and token."""
        return (self.path / run_id / "stop").exists()

    def pause_asked(self, run_id: str) -> bool:
        """Whether the stop flag that is up asks for no more than a pause."""
        try:
            return (self.path / run_id / "stop").read_bytes() == PAUSE
        except FileNotFoundError:
            return False

    def clear_stop(self, run_id: str) -> None:
        """Take the stop flag down."""
        (self.folder(run_id) / "stop").unlink(missing_ok=True)

    def snapshots(self, run_id: str) -> list[int]:
        """Steps with a complete snapshot, rising."""
        steps = (self.folder(run_id) / "snapshots").glob("step-*")
        return sorted(int(path.name[5:]) for path in steps if path.name[5:].isdigit())

    def write_results(self, run_id: str, results: Mapping[str, Any]) -> None:
        """Keep the final figures."""
        write_atomically(self.folder(run_id) / "results.json", json.dumps(results, indent=1))

    def results(self, run_id: str) -> dict[str, Any] | None:
        """The final figures, None while there are none."""
        path = self.folder(run_id) / "results.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def write_attack(self, run_id: str, name: str, report: Mapping[str, Any]) -> None:
        """Keep the report of an attack; the same attack again takes the place of the old one."""
        asked = {key: report.get(key) for key in ("settings", "models", "texts")}
        key = sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
        folder = self.folder(run_id) / "attacks"
        folder.mkdir(exist_ok=True)
        write_atomically(folder / f"{name}-{key}.json", json.dumps(report, indent=1))

    def attacks(self, run_id: str) -> list[dict[str, Any]]:
        """The reports of all attacks on the run, newest first."""
        paths = (self.folder(run_id) / "attacks").glob("*.json")
        newest = sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [json.loads(path.read_text(encoding="utf-8")) for path in newest]

    def delete(self, run_id: str) -> None:
        """Erase a run with its texts and weights. The caller checks that it is not live."""
        self.erase(self.folder(run_id), run_id)

    def erase(self, folder: Path, run_id: str) -> bool:
        """Erase a run's folder, wherever it was moved to; False if somebody else was first."""
        doomed = self.path / f".deleted-{run_id}"
        try:
            folder.rename(doomed)
        except FileNotFoundError:
            return False
        self.forget(run_id)
        shutil.rmtree(doomed)
        return True

    def forget(self, run_id: str) -> None:
        """Hold nothing of the run in memory."""
        self._cache.pop(run_id, None)

    def sweep(self) -> None:
        """Erase what a killed process left of runs that it was making or deleting, and deleted
        runs whose time to be brought back is over (see `wastebasket`)."""
        for path in self.path.glob(".undo-*"):
            until = path.name.rpartition("-")[2]
            if until.isdigit() and int(until) / 1000 <= time.time():
                self.erase(path, path.name.split("-")[1])
        for path in [*self.path.glob(".deleted-*"), *self.path.glob(".new-*")]:
            with suppress(FileNotFoundError):
                age = time.time() - path.stat().st_mtime
                if path.name.startswith(".deleted-") or age > LEFTOVER_SECONDS:
                    shutil.rmtree(path)


def is_owner(folder: Path, key: str) -> bool:
    """Whether the key is that of the owner of the run in the folder; False where that is gone."""
    try:
        kept = (folder / "owner").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return kept in (_fingerprint(""), _fingerprint(key))


def _unwritable(what: str, error: OSError) -> UserError:
    return UserError(
        f"{what} cannot be written: {error.strerror}.",
        "Free some space, change its permissions, or name another one with --runs.",
    )


def write_atomically(path: Path, text: str) -> None:
    """Write beside, then rename: a reader sees the old file or the new one, never half."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    draft.write_text(text, encoding="utf-8")
    for _ in range(20):
        try:
            os.replace(draft, path)
            return
        except PermissionError:  # Windows, while somebody reads the old file
            time.sleep(0.02)
    os.replace(draft, path)


def _fingerprint(key: str) -> str:
    return sha256(b"lethe owner\0" + key.encode()).hexdigest()
