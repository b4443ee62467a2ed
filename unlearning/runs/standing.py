"""Where every run stands: entering, waiting, executed or ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.merging import MergeJob
from unlearning.runs.events import Status
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import (
    INTERRUPTED,
    AttackJob,
    job_folder,
    name_of,
    read,
    run_of,
)
from unlearning.runs.view import View
from unlearning.workers.base import Worker
from unlearning.workers.presence import claimed


@dataclass(frozen=True)
class Line:
    """The worker and the line before it at one moment."""

    waiting: tuple[str, ...]
    current: str | None


class Standing:
    """Derives the state of runs from worker and log; keeps nothing but who is entering."""

    def __init__(self, store: RunStore, worker: Worker) -> None:
        self._store, self._worker = store, worker
        self._entering: dict[str, None] = {}
        self.door = threading.RLock()
        """Held while a run is made and enters, never while one is watched or executed."""

    def enter(self, run_id: str) -> AbstractContextManager[None]:
        """The run is on its way into the queue, from this call to the end of the context."""
        self._entering[run_id] = None
        return self._entry(run_id)

    @contextmanager
    def _entry(self, run_id: str) -> Iterator[None]:
        try:
            yield
        finally:
            self._entering.pop(run_id, None)

    def line(self) -> Line:
        """As of now. Read in the order in which a run passes, so that none slips through."""
        entering = list(self._entering)
        queue = self._worker.queue()
        waiting = [*queue, *(run_id for run_id in entering if run_id not in queue)]
        current = self._worker.current()
        return Line(tuple(run_id for run_id in waiting if run_id != current), current)

    def status(self, run_id: str, line: Line | None = None) -> Status:
        """What the run is doing. `line` may be a little old."""
        status = self._judge(run_id, line or self.line())
        if status != "interrupted":
            return status
        with self.door:  # it may have entered since the line was read
            return self._judge(run_id, self.line())

    def _judge(self, run_id: str, line: Line) -> Status:
        """The log is read last: a run that left the line has said so there."""
        executed = run_id == line.current or claimed(self._store.folder(run_id))
        try:
            view = self._store.view(run_id)
        except UserError:  # unreadable, unless it is gone
            self._store.folder(run_id)
            view = View(status="failed")
        if executed:
            asked = view.stopped is not None and view.ended is None
            return "stopping" if asked or self._store.stop_asked(run_id) else "running"
        if run_id in line.waiting:
            return "queued"
        return "interrupted" if view.live else view.status

    def place(self, run_id: str) -> int | None:
        """1 comes next; None if the run does not wait."""
        waiting = self.line().waiting
        return waiting.index(run_id) + 1 if run_id in waiting else None

    def live(self, key: str) -> list[str]:
        """Runs started with this key that may still say something, oldest first."""
        line = self.line()
        ids = [*([line.current] if line.current else []), *line.waiting]
        return [run_id for run_id in ids if self._started_with(run_id, key)]

    def attacked(self, key: str) -> list[str]:
        """Runs started with this key whose attack waits or is under way."""
        line = self.line()
        names = [*([line.current] if line.current else []), *line.waiting]
        runs = [run_id for run_id in map(run_of, names) if run_id is not None]
        return [run_id for run_id in runs if self._started_with(run_id, key)]

    def merged(self, key: str) -> list[str]:
        """Runs started with this key whose merged model waits or is being written."""
        line = self.line()
        names = [*([line.current] if line.current else []), *line.waiting]
        runs = [n.removesuffix(merging.SUFFIX) for n in names if n.endswith(merging.SUFFIX)]
        return [run_id for run_id in runs if self._started_with(run_id, key)]

    def attack(self, run_id: str) -> AttackJob | None:
        """The last attack on the run as it stands; one that nobody carries out any more failed."""
        line, name = self.line(), name_of(run_id)
        in_line = name == line.current or name in line.waiting
        # The job is read last: one that left the line has said so there.
        job = read(self._store, run_id)
        if job is None or not job.live or in_line or claimed(job_folder(self._store, run_id)):
            return job
        with self.door:  # it may have entered since the line was read
            line = self.line()
            job = read(self._store, run_id)
        if job is None or not job.live or name == line.current or name in line.waiting:
            return job
        return job.ended("failed", INTERRUPTED)

    def merge(self, run_id: str) -> MergeJob | None:
        """The merged model asked for last; one that nobody writes any more failed."""
        with self.door:  # or it may enter between the two looks
            line, name = self.line(), merging.name_of(run_id)
            job = merging.read(self._store, run_id)
        if job is None or not job.live or name == line.current or name in line.waiting:
            return job
        if claimed(merging.exports_folder(self._store, run_id)):
            return job
        return job.model_copy(update={"state": "failed", "failed": merging.INTERRUPTED})

    def _started_with(self, run_id: str, key: str) -> bool:
        """Stricter than being allowed to: ownerless runs are the local command line's alone."""
        try:
            ownerless = self._store.owned_by(run_id, "")
            return ownerless if key == "" else not ownerless and self._store.owned_by(run_id, key)
        except UserError:  # its folder was removed by hand
            return False
