"""No worker at all: for a page that plays recorded runs where there is no compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from unlearning.attacks.base import Attack
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.runs.limits import Limits
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.workers.base import State


def refuse() -> NoReturn:
    """Say why nothing can be computed.

    Raises:
        UserError: always.
    """
    raise UserError(
        "This page plays recorded runs; it has no model to compute with.",
        "Start it without --replay to make runs of your own.",
    )


class NothingComputed(Limits):
    """Whatever asks for compute is refused before anything of it is written."""

    def check_run(self, config: RunConfig, texts: Mapping[Role, Sequence[Example]]) -> None:
        refuse()

    def check_steps(self, steps: int, what: str = "steps") -> None:
        refuse()

    def check_request(self, request: GenerateRequest) -> None:
        refuse()

    def check_attack(self, attack: Attack) -> None:
        refuse()


class AbsentWorker:
    """Follows `unlearning.workers.base.Worker`; behind `NothingComputed` it is never asked."""

    def start(self) -> None:
        """Nothing gets ready."""

    def submit(self, run_id: str, resume: bool = False) -> None:
        refuse()

    def attack(self, run_id: str) -> None:
        refuse()

    def generate(self, request: GenerateRequest) -> Iterator[Delta]:
        refuse()

    def state(self) -> State:
        """Always down."""
        return "down"

    def current(self) -> str | None:
        """No run is executed."""
        return None

    def queue(self) -> list[str]:
        """No run waits."""
        return []

    def withdraw(self, run_id: str) -> bool:
        """No run waits."""
        return False

    def kill(self) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to hand back."""
