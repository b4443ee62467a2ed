"""The worker process: executes the queue, and answers short requests between two steps."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from filelock import Timeout

from unlearning.errors import UserError
from unlearning.runs.events import AnyEvent, Probed, Stepped, Taught
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.workers.attacking import execute_attack
from unlearning.workers.backend import EngineBackend
from unlearning.workers.base import Backend, OpenBackend, Running, State
from unlearning.workers.execute import execute
from unlearning.workers.failures import explain, free_memory, out_of_memory
from unlearning.workers.launch import newest_change
from unlearning.workers.mailbox import FOLDER, Command, Mailbox, Process
from unlearning.workers.merging import execute_merge
from unlearning.workers.presence import alive, beating, own_mark

PAUSE_SECONDS = 0.03
TIDY_SECONDS = 60.0
IDLE_SECONDS = 900.0
TAKEOVER_SECONDS = 10.0
"""How long a new worker waits for the lock of one that is just going."""
SERVED_AFTER = (Stepped, Taught, Probed)
"""Events after which a waiting request is answered."""


class Server:
    """The loop of a worker that holds the mailbox's lock."""

    def __init__(
        self,
        store: RunStore,
        mailbox: Mailbox,
        device: str = "auto",
        *,
        open_backend: OpenBackend = EngineBackend,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._store, self._mailbox, self._channel = store, mailbox, mailbox.channel
        self._device, self._open_backend = device, open_backend
        self._idle_seconds = idle_seconds
        self._code = newest_change()
        self._opened: Backend | None = None
        self._current: str | None = None

    def serve(self) -> None:
        """Work until nothing was asked for `idle_seconds` and no page lives."""
        self._show("starting")
        try:
            with beating(self._mailbox.process_path):
                self._channel.abandon_begun()
                self._warm_up()
                self._show("ready")
                self._loop()
        finally:
            if self._is_mine():
                self._mailbox.clear_process()

    def _loop(self) -> None:
        used = tidied = time.monotonic()
        while self._is_mine():
            answered = self._answer_one(None)
            executed = self._execute_first()
            now = time.monotonic()
            if answered or executed:
                used = now
                continue
            if now - tidied > TIDY_SECONDS:
                self._channel.tidy()
                self._store.sweep()
                tidied = now
            if now - used > self._idle_seconds and not self._mailbox.any_page():
                return
            time.sleep(PAUSE_SECONDS)

    def _is_mine(self) -> bool:
        """False once somebody removed the folder: then nobody is left to work for."""
        found = self._mailbox.process()
        return found is not None and found[0].mark == own_mark()

    def _show(self, state: State) -> None:
        self._mailbox.describe(
            Process(
                mark=own_mark(),
                device=self._device,
                state=state,
                current=self._current,
                since=time.time(),
                code=self._code,
            )
        )

    def _warm_up(self) -> None:
        try:
            self._backend()
        except Exception:  # each command will meet it again and say so in its log
            traceback.print_exc()

    def _backend(self) -> Backend:
        if self._opened is None:
            self._opened = self._open_backend(self._store, self._device)
        return self._opened

    def _execute_first(self) -> bool:
        command = self._mailbox.first()
        if command is None:
            return False
        # Shown before it is taken: at no moment is the run neither waiting nor executed.
        self._current = command.name
        self._show("busy")
        try:
            if self._mailbox.withdraw(command.name):
                self._execute(command)
        except Exception:  # not even the log can be written: deleted, disk full, taken by another
            traceback.print_exc()
        finally:
            self._current = None
            self._show("ready")
        return True

    def _execute(self, command: Command) -> None:
        if command.merge:
            execute_merge(self._store, self._backend, command.run_id)
            return
        if command.attack:
            answer = partial(self._answer_one, None)
            execute_attack(self._store, self._backend, command.run_id, after=answer)
            return
        execute(
            self._store,
            self._backend,
            command.run_id,
            resume=command.resume,
            after=self._between,
        )

    def _between(self, event: AnyEvent, engine: Running) -> None:
        if isinstance(event, SERVED_AFTER):
            self._answer_one(engine)

    def _answer_one(self, engine: Running | None) -> bool:
        name = next(iter(self._channel.names()), None)
        if name is None:
            return False
        with self._channel.answering(name) as say:
            try:
                request = self._channel.request(name)
                if request is not None:
                    self._stream(name, request, engine, say)
            except Exception as error:
                say(self._trouble(error))
        return True

    def _stream(
        self,
        name: str,
        request: Request,
        engine: Running | None,
        say: Callable[[Delta], None],
    ) -> None:
        def stop() -> bool:
            return self._stop_asked() or not self._channel.wanted(name)

        for delta in self._backend().stream(request, engine=engine, stop=stop):
            say(delta)
        if self._stop_asked():
            say(Delta(kind="error", text="Interrupted, because the run was stopped. Ask again."))

    def _stop_asked(self) -> bool:
        """Whether what is being executed is to stop."""
        if self._current is None:
            return False
        attacked = jobs.run_of(self._current)
        if attacked is not None:
            return jobs.stop_asked(self._store, attacked)
        return self._store.stop_asked(self._current)

    def _trouble(self, error: Exception) -> Delta:
        failed = explain(error)
        if not isinstance(error, UserError):
            traceback.print_exc()
        if out_of_memory(error):
            if self._opened is not None:
                self._opened.release()
            free_memory(error)
        return Delta(kind="error", text=f"{failed.message} {failed.hint}".strip())


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the process; a second worker on the same folder leaves at once."""
    parser = argparse.ArgumentParser(prog="python -m unlearning.workers.serve")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--idle-seconds", type=float, default=IDLE_SECONDS)
    parser.add_argument("--backend", default="", help="MODULE:NAME of another backend, for tests")
    given = parser.parse_args(arguments)
    open_backend: OpenBackend = EngineBackend
    if given.backend:
        module, _, name = given.backend.partition(":")
        open_backend = getattr(import_module(module), name)
    store = RunStore(given.runs)
    mailbox = Mailbox(store.path / FOLDER)
    limit = time.monotonic() + TAKEOVER_SECONDS
    while time.monotonic() < limit and not _served(mailbox):
        with suppress(Timeout), mailbox.lock(PAUSE_SECONDS):
            Server(
                store,
                mailbox,
                given.device,
                open_backend=open_backend,
                idle_seconds=given.idle_seconds,
            ).serve()
            return 0
    print("Another worker serves this folder.", file=sys.stderr)
    return 0


def _served(mailbox: Mailbox) -> bool:
    """A worker that is about to end has no description any more."""
    found = mailbox.process()
    return found is not None and alive(found[0].mark, found[1])


if __name__ == "__main__":
    sys.exit(main())
