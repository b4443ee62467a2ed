"""The engine and its side requests, loaded where a worker runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from unlearning.attacks import attack
from unlearning.runs.check import CheckRequest
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import AttackJob
from unlearning.workers.base import Running
from unlearning.workers.failures import free_memory


class EngineBackend:
    """The real backend. Making one imports torch, which takes seconds the first time.

    `asked` is handed to every engine: the metrics to measure, by role.
    """

    def __init__(
        self,
        store: RunStore,
        device: str,
        asked: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        # Late, so that the page can import workers without torch.
        from unlearning.runs.engine import Engine  # noqa: PLC0415
        from unlearning.runs.shelf import ModelShelf  # noqa: PLC0415
        from unlearning.runs.sides import Sides  # noqa: PLC0415

        self._store, self._device = store, device
        self._engine = partial(Engine, asked=asked)
        self._shelf = ModelShelf()
        self._sides = Sides(store, self._shelf, device=device)

    def engine(self, run_id: str) -> Running:
        """The engine of a run."""
        return self._engine(self._store, run_id, self._shelf, device=self._device)

    def stream(
        self, request: Request, *, engine: Running | None, stop: Callable[[], bool]
    ) -> Iterator[Delta]:
        """Answer; sides that name the engine's run use its live weights."""
        if isinstance(request, CheckRequest):
            return self._check(request, stop)
        return self._sides.stream(request, engine=engine, stop=stop)

    def _check(self, request: CheckRequest, stop: Callable[[], bool]) -> Iterator[Delta]:
        from unlearning.runs.checking import check  # noqa: PLC0415

        # A check opens the model as a run would, and needs the room.
        self._shelf.clear()
        try:
            yield from check(self._store, request, device=self._device, stop=stop)
        finally:
            free_memory()

    def attack(
        self,
        run_id: str,
        job: AttackJob,
        *,
        tell: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> bool:
        """Carry an attack out and keep its report; False where it was stopped."""
        from unlearning.runs.stress.execute import Target, carry_out  # noqa: PLC0415

        # Attacks open models of their own, one after the other, and need the room.
        self._shelf.clear()
        chosen = attack(job.attack).parse(job.settings)
        target = Target(job.target)
        report = carry_out(self._store, chosen, target, device=self._device, tell=tell, stop=stop)
        return report is not None

    def merge(self, target: str, folder: Path) -> None:
        """Write ID@STEP as an ordinary model into a new folder."""
        from unlearning.runs.evaluation import export_merged  # noqa: PLC0415

        # It opens a model of its own, and needs the room.
        self._shelf.clear()
        export_merged(self._store, target, folder, self._device)

    def release(self) -> None:
        """Let go of every loaded model."""
        self._shelf.clear()
