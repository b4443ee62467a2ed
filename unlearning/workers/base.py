"""What the page asks of a worker, and what a worker asks of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol

from unlearning.runs.events import AnyEvent
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import AttackJob

State = Literal["down", "starting", "ready", "busy"]


class Worker(Protocol):
    """One device and the queue before it. Everything may be called from any thread."""

    def start(self) -> None:
        """Make the worker ready; returns at once, again and again."""

    def submit(self, run_id: str, resume: bool = False) -> None:
        """Put a run at the end of the queue."""

    def attack(self, run_id: str) -> None:
        """Put the attack that the run keeps as its job at the end of the queue.

        In queue, current and withdraw it is called by `job.name_of(run_id)`.
        """

    def merge(self, run_id: str) -> None:
        """Put the merged model that the run keeps as its job at the end of the queue.

        In queue, current and withdraw it is called by `exports.merging.name_of(run_id)`.
        """

    def generate(self, request: Request) -> Iterator[Delta]:
        """Stream answers; closing the iterator withdraws the request.

        An empty delta comes about twice a second while nothing else does, so that a reader can
        be interrupted.

        Raises:
            UserError: too many requests wait.
        """

    def state(self) -> State:
        """What the worker is doing. Notices a death and writes it down."""

    def current(self) -> str | None:
        """The run being executed."""

    def queue(self) -> list[str]:
        """Waiting runs, first come first."""

    def withdraw(self, run_id: str) -> bool:
        """Take a run out of the queue; False if it no longer waits."""

    def kill(self) -> None:
        """End the worker now, whatever it is doing."""

    def close(self) -> None:
        """The caller goes away; a worker of its own process lives on."""


class Running(Protocol):
    """An engine that executes one run."""

    def events(self, *, resume: bool, stop: Callable[[], bool]) -> Iterator[AnyEvent]:
        """Events as they happen, not yet written."""


class Backend(Protocol):
    """Engine and side requests of one process, sharing its models."""

    def engine(self, run_id: str) -> Running:
        """The engine of a run."""

    def stream(
        self, request: Request, *, engine: Running | None, stop: Callable[[], bool]
    ) -> Iterator[Delta]:
        """Answer; sides that name the engine's run use its live weights."""

    def attack(
        self,
        run_id: str,
        job: AttackJob,
        *,
        tell: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> bool:
        """Carry an attack out and keep its report; False where it was stopped."""

    def merge(self, target: str, folder: Path) -> None:
        """Write ID@STEP as an ordinary model into a new folder."""

    def release(self) -> None:
        """Let go of every loaded model."""


OpenBackend = Callable[[RunStore, str], Backend]
"""Makes the backend from store and device; this is where torch is loaded."""
