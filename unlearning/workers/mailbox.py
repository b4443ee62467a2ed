"""A folder between page and worker: commands in as files, replies out as lines.

    RUNS/.worker/process.json      who the worker is and what it does; touched while it lives
    RUNS/.worker/lock              held by the worker for life, by a page while it buries one
    RUNS/.worker/log.txt           standard output and error of the worker
    RUNS/.worker/pages/            marks of the pages that may still ask for something
    RUNS/.worker/queue/            one file a waiting run; the names sort first come first
    RUNS/.worker/requests/         one file a generate request; gone = withdrawn
    RUNS/.worker/replies/          the answers, one delta a line

Files outlive page and worker: whoever comes back finds everything as it was.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict

from unlearning.exports import merging
from unlearning.runs.store import write_atomically
from unlearning.runs.stress.job import name_of
from unlearning.workers.base import State
from unlearning.workers.channel import Channel
from unlearning.workers.presence import Mark, leave_mark, marked_alive, own_mark

FOLDER = ".worker"


class Process(BaseModel):
    """`process.json`: a worker as others see it."""

    model_config = ConfigDict(frozen=True)

    mark: Mark
    device: str
    state: State
    current: str | None = None
    """The run or attack being executed."""
    since: float
    """When this state began, seconds since the epoch."""
    code: float
    """Newest change of the code it runs, seconds since the epoch."""


class Command(BaseModel):
    """A waiting run, an attack on it, or its merged model."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    resume: bool = False
    attack: bool = False
    merge: bool = False

    @property
    def name(self) -> str:
        """What the queue calls it."""
        if self.merge:
            return merging.name_of(self.run_id)
        return name_of(self.run_id) if self.attack else self.run_id


class Mailbox:
    """Both ends of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.channel = Channel(folder / "requests", folder / "replies")
        self._queue, self._pages = folder / "queue", folder / "pages"
        self._process = folder / "process.json"
        for path in (self._queue, self._pages):
            path.mkdir(parents=True, exist_ok=True)

    def lock(self, timeout: float) -> FileLock:
        """The lock of the one worker; entering raises filelock.Timeout after `timeout` seconds."""
        return FileLock(self.folder / "lock", timeout=timeout)

    # the worker

    @property
    def process_path(self) -> Path:
        """The file to touch while the worker lives."""
        return self._process

    def process(self) -> tuple[Process, float] | None:
        """The worker's description and its last heartbeat (seconds since the epoch), if any."""
        try:
            text = self._process.read_text(encoding="utf-8")
            return Process.model_validate_json(text), self._process.stat().st_mtime
        except FileNotFoundError:
            return None

    def describe(self, process: Process) -> None:
        """Replace the worker's description."""
        write_atomically(self._process, process.model_dump_json())

    def clear_process(self) -> None:
        """The worker is gone."""
        self._process.unlink(missing_ok=True)

    # the pages

    def enter_page(self) -> Path:
        """Leave this page's mark; whoever left it removes it."""
        path = self._pages / f"{own_mark().pid}-{secrets.token_hex(4)}.json"
        leave_mark(path)
        return path

    def any_page(self) -> bool:
        """Whether a page lives; marks of dead ones are removed."""
        found = False
        for path in self._pages.glob("*.json"):
            if marked_alive(path):
                found = True
            else:
                path.unlink(missing_ok=True)
        return found

    # the queue

    def enqueue(self, command: Command) -> None:
        """Put a run or attack at the end of the queue."""
        path = self._queue / f"{time.time_ns():020d}-{command.name}.json"
        write_atomically(path, command.model_dump_json())

    def queue(self) -> list[str]:
        """Names of waiting runs and attacks, first come first."""
        return [path.stem.partition("-")[2] for path in sorted(self._queue.glob("*.json"))]

    def first(self) -> Command | None:
        """Whose turn it is; `withdraw` takes it."""
        for path in sorted(self._queue.glob("*.json")):
            try:
                return Command.model_validate_json(path.read_text(encoding="utf-8"))
            except FileNotFoundError:
                continue
        return None

    def withdraw(self, name: str) -> bool:
        """Take a run or attack out of the queue; of several callers one gets True."""
        taken = False
        for path in self._queue.glob(f"*-{name}.json"):
            try:
                path.unlink()
                taken = True
            except FileNotFoundError:
                continue
        return taken
