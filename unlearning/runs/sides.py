"""Side-by-side generation: several models, one prompt, one seed, token by token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.generate import generate
from unlearning.runs.collapse import loops
from unlearning.runs.judgements import Written, judgements, rows_of
from unlearning.runs.prepare import kept_step
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.runs.shelf import (
    ModelShelf,
    Opened,
    Origin,
    open_model,
    origin,
    original,
)
from unlearning.runs.snapshots import result
from unlearning.runs.store import RunStore
from unlearning.runs.strengths import turned

if TYPE_CHECKING:
    from unlearning.models.load import Loaded
    from unlearning.models.versions import Versions
    from unlearning.runs.engine import Engine


MOST_SIDES = 4
"""Snapshots of one run held at a time: as many as a request can name."""


class Sides:
    """Answers generate requests; the running engine's weights are used where a side names it."""

    def __init__(self, store: RunStore, shelf: ModelShelf, *, device: str = "auto") -> None:
        self._store, self._shelf, self._device = store, shelf, device

    def stream(
        self,
        request: GenerateRequest,
        *,
        engine: Engine | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Delta]:
        """Pieces of every side's answer as they come, sides of one model in one batch.

        Raises:
            UserError: a side names no model, run or snapshot, or its strength cannot be turned.
        """
        opened = [self._open(side, engine) for side in request.sides]
        with turned(opened, request) as sides:
            yield from self._answers(request, sides, stop)

    def _answers(
        self, request: GenerateRequest, opened: Sequence[Opened], stop: Callable[[], bool]
    ) -> Iterator[Delta]:
        groups: dict[int, list[int]] = {}
        for side, model in enumerate(opened):
            groups.setdefault(id(model.versions), []).append(side)
        written: Written = {}
        streams = [
            self._group(request, [opened[side] for side in sides], sides, stop, written)
            for sides in groups.values()
        ]
        while streams:
            for stream in list(streams):
                piece = next(stream, None)
                if piece is None:
                    streams.remove(stream)
                else:
                    yield from piece
        if request.judge:
            yield from judgements(request, opened, written, stop)

    def _group(
        self,
        request: GenerateRequest,
        models: Sequence[Opened],
        sides: Sequence[int],
        stop: Callable[[], bool],
        written: Written,
    ) -> Iterator[list[Delta]]:
        rows = rows_of(request, models[0].loaded)
        for pieces in generate(
            models[0].versions,
            rows,
            [model.version for model in models],
            max_new_tokens=request.max_new_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            stop=stop,
            probabilities=True,
        ):
            deltas = []
            for piece in pieces:
                side = sides[piece.side]
                if piece.token is not None:
                    written.setdefault((side, piece.row), []).append(piece.token)
                deltas.append(
                    Delta(
                        side=side,
                        prompt=piece.row,
                        text=piece.text,
                        probability=piece.probability,
                    )
                )
            yield deltas
        yield [
            Delta(kind="done", side=side, prompt=row, looped=loops(written.get((side, row), [])))
            for side in sides
            for row in range(len(rows))
        ]

    def _open(self, side: str, engine: Engine | None) -> Opened:
        """`original:RUN`, `run:RUN[@STEP]` or the name of a model."""
        kind, _, rest = side.partition(":")
        run_id = rest.partition("@")[0]
        if kind not in ("original", "run"):
            return self._shelf.get(side, lambda: self._plain(origin(self._store, side)))
        if engine is not None and engine.versions is not None and run_id == engine.run_id:
            version = REFERENCE if kind == "original" else engine.watched
            full_original = engine.config.full and kind == "original"
            if "@" not in rest and not full_original:
                return Opened(engine.loaded, engine.versions, version)
        if kind == "original":
            return self._original(run_id)
        step = kept_step(self._store, run_id, rest.partition("@")[2])
        return self._run(run_id, step)

    def _plain(self, found: Origin) -> Opened:
        loaded, versions = self._load(found, rank=1)
        return Opened(loaded, versions, REFERENCE)

    def _run(self, run_id: str, step: int) -> Opened:
        config = self._store.config(run_id)
        if config.full:
            found = origin(self._store, f"run:{run_id}@{step}")
            return self._shelf.get(found.base, lambda: self._plain(found))
        held = self._bench(run_id)
        folder = result(self._store.folder(run_id) / "snapshots", step)
        # A result that comes later than its snapshot is another version.
        version = f"step-{step}-{folder.name}"
        if not held.versions.has(version):
            steps = [v for v in held.versions.versions() if v.startswith("step-")]
            for old in steps[: max(0, len(steps) - MOST_SIDES + 1)]:
                held.versions.drop(old)
            held.versions.copy(STUDENT, version)
            held.versions.load_saved(folder, version)
        return Opened(held.loaded, held.versions, version)

    def _original(self, run_id: str) -> Opened:
        if self._store.config(run_id).full:
            found = original(self._store, run_id)
            return self._shelf.get(found.base, lambda: self._plain(found))
        return self._bench(run_id)

    def _bench(self, run_id: str) -> Opened:
        """A run's base weights with its reference; its snapshots come as further adapters."""
        return self._shelf.get(f"bench {run_id}", lambda: self._make_bench(run_id))

    def _make_bench(self, run_id: str) -> Opened:
        config = self._store.config(run_id)
        loaded, versions = self._load(origin(self._store, config.model), rank=config.lora_rank)
        taught = self._store.folder(run_id) / "snapshots" / REFERENCE
        if taught.is_dir():
            versions.load_saved(taught, STUDENT)
            versions.copy(STUDENT, REFERENCE)
        return Opened(loaded, versions, REFERENCE)

    def _load(self, found: Origin, rank: int) -> tuple[Loaded, Versions]:
        return open_model(
            found,
            lora_rank=max(rank, 1),
            device=self._device,
            dtype="auto",
            seed=0,
        )
