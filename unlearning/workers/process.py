"""A worker in a process of its own, seen from the page. Never imports torch.

The process outlives the page and is found again by the next one; its death is noticed at the
next look at it and written into the log of the run that it was executing.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import psutil
from filelock import Timeout

from unlearning.errors import UserError
from unlearning.runs.events import Failed
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.workers.base import State
from unlearning.workers.launch import launch, newest_change, tail
from unlearning.workers.mailbox import FOLDER, Command, Mailbox, Process
from unlearning.workers.obituary import obituary, obituary_of_attack
from unlearning.workers.presence import Mark, alive, mark_of

SILENT_SECONDS = 120.0
"""A worker whose heart has not beaten for so long, while it was looked at, is ended."""
MOST_FALSE_STARTS = 3
"""Workers that die before they are ready, one after the other, before we give up."""
KILL_SECONDS = 5.0


class ProcessWorker:
    """The page's end of the worker that serves a folder of runs."""

    def __init__(
        self,
        store: RunStore,
        device: str = "auto",
        *,
        idle_seconds: float = 900.0,
        backend: str = "",
    ) -> None:
        """`backend` is MODULE:NAME of another backend than the engine, for tests."""
        self._store, self._mailbox = store, Mailbox(store.path / FOLDER)
        self._options = ["--runs", str(store.path), "--device", device]
        self._options += ["--idle-seconds", str(idle_seconds)]
        self._options += ["--backend", backend] if backend else []
        self._lock = threading.RLock()
        self._child: Popen[bytes] | None = None
        self._page: Path | None = None
        self._wanted = False
        self._false_starts = 0
        self._child_mark: Mark | None = None
        self._known: Mark | None = None
        """The worker that this page knows to have lived."""
        self._ended_because = ""
        self._beat, self._silent, self._looked = 0.0, 0.0, time.monotonic()

    def start(self) -> None:
        """Make sure of a worker; returns at once, the worker loads meanwhile."""
        with self._lock:
            self._wanted = True
            if self._page is None:
                self._page = self._mailbox.enter_page()
                self._replace_outdated()
            if self._look() is None:
                self._launch()

    def submit(self, run_id: str, resume: bool = False) -> None:
        """Put a run at the end of the queue."""
        self._mailbox.enqueue(Command(run_id=run_id, resume=resume))
        self.start()

    def attack(self, run_id: str) -> None:
        """Put the attack that the run keeps as its job at the end of the queue."""
        self._mailbox.enqueue(Command(run_id=run_id, attack=True))
        self.start()

    def merge(self, run_id: str) -> None:
        """Put the merged model that the run keeps as its job at the end of the queue."""
        self._mailbox.enqueue(Command(run_id=run_id, merge=True))
        self.start()

    def generate(self, request: Request) -> Iterator[Delta]:
        """Stream answers; closing the iterator withdraws the request.

        Raises:
            UserError: too many requests wait.
        """
        name = self._mailbox.channel.ask(request)
        try:
            self.start()
            yield from self._mailbox.channel.listen(name, lambda: self.state() != "down")
        finally:
            self._mailbox.channel.drop(name)

    def state(self) -> State:
        """What the worker is doing. Buries a dead one and starts the next if something waits."""
        with self._lock:
            found = self._look()
            if found is not None:
                return found.state
            if self._wanted and (self._mailbox.queue() or self._mailbox.channel.names()):
                self._launch()
            return "starting" if self._child is not None else "down"

    def current(self) -> str | None:
        """The run or attack being executed."""
        with self._lock:
            found = self._look()
            return found.current if found is not None else None

    def queue(self) -> list[str]:
        """Waiting runs and attacks, first come first."""
        return self._mailbox.queue()

    def withdraw(self, run_id: str) -> bool:
        """Take a run out of the queue; False if it no longer waits."""
        return self._mailbox.withdraw(run_id)

    def kill(self) -> None:
        """End the worker now; the run it executes fails, what waits goes on with the next one."""
        with self._lock:
            found = self._look()
            if found is not None:
                self._end(found.mark, "was ended on request")
                self._await_end(found.mark)
            elif self._child is not None:
                self._child.kill()
                self._child.wait()
                self._child = None

    def close(self) -> None:
        """This page goes away. The worker lives on and ends by itself when it idles."""
        with self._lock:
            self._wanted = False
            if self._page is not None:
                self._page.unlink(missing_ok=True)
                self._page = None

    # all below: under the lock

    def _look(self) -> Process | None:
        """The living worker. One that died since it was last seen is buried."""
        found = self._mailbox.process()
        if found is None or not alive(found[0].mark, found[1]):
            return self._notice_death(found[0] if found is not None else None)
        serving = found[0].mark.same(self._child_mark)
        if self._child is not None and not serving and self._child.poll() is not None:
            self._child = None  # it left at once, because the other one serves
        self._watch(*found)
        return found[0]

    def _notice_death(self, process: Process | None) -> Process | None:
        """Bury the worker that this page knew; it counts as living until it is quite gone."""
        status = self._child.poll() if self._child is not None else None
        if process is not None and process.mark.same(self._known):
            is_child = process.mark.same(self._child_mark)
            dying = is_child and self._child is not None and status is None
            if dying or not self._bury(process, status if is_child else None):
                return process
            self._known = None
        elif status:  # died before it could say who it was
            self._false_start()
        if status is not None:
            self._child = None
        return None

    def _watch(self, process: Process, beat: float) -> None:
        now = time.monotonic()
        # Time in which nobody looked does not count: the machine may have slept.
        self._silent = self._silent + min(now - self._looked, 5.0) if beat == self._beat else 0.0
        self._beat, self._looked, self._known = beat, now, process.mark
        if process.state != "starting":
            self._false_starts = 0
        if self._silent > SILENT_SECONDS:
            self._end(process.mark, "no longer answered and was ended")

    def _end(self, mark: Mark, because: str) -> None:
        self._ended_because, self._silent = because, 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(mark.pid).kill()

    def _await_end(self, mark: Mark) -> None:
        limit = time.monotonic() + KILL_SECONDS
        while (found := self._look()) is not None and found.mark == mark:
            if time.monotonic() > limit:
                return
            time.sleep(0.01)

    def _replace_outdated(self) -> None:
        """End an idle worker that still runs the code of before the last change."""
        found = self._look()
        waits = self._mailbox.queue() or self._mailbox.channel.names()
        idle = found is not None and found.state == "ready" and not waits
        if idle and found.code != newest_change():
            self._end(found.mark, "ran outdated code and was ended")
            self._await_end(found.mark)

    def _launch(self) -> None:
        if self._child is None:
            self._ended_because = ""
            self._child = launch(self._options, self._mailbox.folder)
            with contextlib.suppress(psutil.NoSuchProcess):  # gone already
                self._known = self._child_mark = mark_of(self._child.pid)

    def _bury(self, process: Process, status: int | None) -> bool:
        """Write a death down once, whoever notices it; False while somebody else is at it."""
        try:
            with self._mailbox.lock(0):
                found = self._mailbox.process()
                if found is not None and found[0].mark == process.mark:
                    if process.current is not None:
                        self._write_down(process.current, process.since, status)
                    self._mailbox.clear_process()
        except Timeout:
            return False
        if process.state == "starting" and not self._ended_because:
            self._false_start()
        self._ended_because = ""
        return True

    def _write_down(self, name: str, since: float, status: int | None) -> None:
        self._mailbox.withdraw(name)
        run_id, attacked = name, jobs.run_of(name)
        if attacked is not None:
            log = tail(self._mailbox.folder)
            failed = obituary_of_attack(status, self._ended_because, log)
            with contextlib.suppress(UserError):  # deleted meanwhile
                jobs.end(self._store, attacked, "failed", failed)
            return
        with contextlib.suppress(UserError):  # deleted meanwhile
            self._store.mend(run_id)
            view = self._store.view(run_id)
            if view.live or view.updated < since:
                log = tail(self._mailbox.folder)
                self._store.append(
                    run_id, obituary(self._store, run_id, status, self._ended_because, log)
                )
            self._store.clear_stop(run_id)

    def _false_start(self) -> None:
        self._false_starts += 1
        if self._false_starts < MOST_FALSE_STARTS:
            return
        self._false_starts, self._wanted = 0, False
        failed = Failed(
            message="The worker process cannot start.",
            hint="Its last words are below; the whole log is .worker/log.txt among the runs.",
            traceback=tail(self._mailbox.folder),
        )
        for name in self._mailbox.queue():
            if self._mailbox.withdraw(name):
                attacked = jobs.run_of(name)
                with contextlib.suppress(UserError):
                    if attacked is None:
                        self._store.append(name, failed)
                    else:
                        jobs.end(self._store, attacked, "failed", failed)
