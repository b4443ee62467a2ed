"""A worker in this very process: for the command line and for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from unlearning.exports import merging
from unlearning.runs.events import AnyEvent
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.workers.attacking import execute_attack
from unlearning.workers.backend import EngineBackend
from unlearning.workers.base import Backend, OpenBackend, State
from unlearning.workers.execute import execute
from unlearning.workers.failures import free_memory
from unlearning.workers.merging import execute_merge


class InlineWorker:
    """`submit` returns when the run has ended; one run at a time."""

    def __init__(
        self,
        store: RunStore,
        device: str = "auto",
        *,
        on_event: Callable[[AnyEvent], None] = lambda event: None,
        open_backend: OpenBackend = EngineBackend,
    ) -> None:
        self._store, self._device, self._on_event = store, device, on_event
        self._open_backend, self._opened = open_backend, None
        self._one_at_a_time = threading.Lock()
        self._current: str | None = None

    def start(self) -> None:
        """Nothing to wait for: models are loaded when they are needed."""

    def submit(self, run_id: str, resume: bool = False) -> None:
        """Execute the run now. What goes wrong in it stands in its log."""
        with self._one_at_a_time:
            self._current = run_id
            try:
                execute(
                    self._store,
                    self._backend,
                    run_id,
                    resume=resume,
                    after=lambda event, engine: self._on_event(event),
                )
            finally:
                self._current = None

    def attack(self, run_id: str) -> None:
        """Carry the waiting attack out now. What goes wrong in it stands in its job."""
        with self._one_at_a_time:
            self._current = jobs.name_of(run_id)
            try:
                execute_attack(self._store, self._backend, run_id)
            finally:
                self._current = None

    def merge(self, run_id: str) -> None:
        """Write the waiting merged model now. What goes wrong in it stands in its job."""
        with self._one_at_a_time:
            self._current = merging.name_of(run_id)
            try:
                execute_merge(self._store, self._backend, run_id)
            finally:
                self._current = None

    def generate(self, request: Request) -> Iterator[Delta]:
        """Stream answers straight from the model."""
        return self._backend().stream(request, engine=None, stop=lambda: False)

    def state(self) -> State:
        """Busy while a run is executed."""
        return "ready" if self._current is None else "busy"

    def current(self) -> str | None:
        """The run or attack being executed."""
        return self._current

    def queue(self) -> list[str]:
        """Nothing ever waits."""
        return []

    def withdraw(self, run_id: str) -> bool:
        """Nothing to take out."""
        return False

    def kill(self) -> None:
        """A process does not kill itself: ask the run or the attack to stop."""
        name = self._current
        if name is None:
            return
        attacked = jobs.run_of(name)
        if attacked is None:
            self._store.ask_stop(name)
        else:
            jobs.ask_stop(self._store, attacked)

    def close(self) -> None:
        """Let go of the models."""
        if self._opened is not None:
            self._opened.release()
            free_memory()

    def _backend(self) -> Backend:
        if self._opened is None:
            self._opened = self._open_backend(self._store, self._device)
        return self._opened
