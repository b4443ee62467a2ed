"""A backend without any model: steps that take no time, answers that are the prompt's letters.

What a run does is written in its label, as words: 'slow' pauses in each step, 'crash' ends the
process in step 3, 'memory' runs out of memory, 'defect' raises, 'user' raises a UserError.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from unlearning.errors import UserError
from unlearning.runs.check import CheckRequest
from unlearning.runs.events import (
    AnyEvent,
    Ended,
    Entered,
    Resumed,
    Snapshotted,
    Started,
    Stepped,
    Stopped,
)
from unlearning.runs.requests import Delta, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import AttackJob


class FakeEngine:
    """Counts to `steps`, with a snapshot after every step."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        self.config = store.config(run_id)
        self.behaviour = self.config.label.split()
        self.steps = self.config.steps or 5
        self.answers_during_run = 0

    def events(self, *, resume: bool, stop: Callable[[], bool]) -> Iterator[AnyEvent]:
        yield Entered(phase="loading")
        step = self.store.snapshots(self.run_id)[-1] if resume else 0
        yield Resumed(step=step, steps=self.steps) if resume else self._started()
        yield Entered(phase="training")
        while step < self.steps:
            if stop():
                yield Stopped(step=step, why="asked")
                yield Ended(status="stopped", step=step)
                return
            step += 1
            self._misbehave(step)
            yield Stepped(
                step=step,
                terms={"forget": -1.0},
                forget_nll=1.0,
                gradient_norm=1.0,
                learning_rate=1e-3,
            )
            folder = self.store.folder(self.run_id) / "snapshots" / f"step-{step}"
            folder.mkdir(exist_ok=True)
            yield Snapshotted(step=step)
        yield Ended(status="finished", step=step)

    def _misbehave(self, step: int) -> None:
        if "slow" in self.behaviour:
            time.sleep(0.05)
        if step != 3:
            return
        if "crash" in self.behaviour:
            os.abort()
        if "memory" in self.behaviour:
            raise MemoryError
        if "defect" in self.behaviour:
            raise ZeroDivisionError("a mistake of ours")
        if "user" in self.behaviour:
            raise UserError("The text is too short.", "Use more text.")

    def _started(self) -> Started:
        return Started(
            method=self.config.method,
            model=self.config.model,
            model_hash="0",
            steps=self.steps,
            learning_rate=1e-3,
            settings={},
            parameters=1,
            trainable=1,
            device="cpu",
            dtype="float32",
            counts={"forget": 1},
        )


class FakeBackend:
    """Says every prompt back, letter by letter; '!' in the prompt makes it slow."""

    def __init__(self, store: RunStore, device: str) -> None:
        self.store, self.device = store, device
        self.released = 0

    def engine(self, run_id: str) -> FakeEngine:
        return FakeEngine(self.store, run_id)

    def stream(
        self,
        request: Request,
        *,
        engine: FakeEngine | None,
        stop: Callable[[], bool],
    ) -> Iterator[Delta]:
        if isinstance(request, CheckRequest):
            yield Delta(kind="told", text=f"{len(request.texts['forget'])} texts")
            return
        if request.sides[0] == "nobody":
            raise UserError("There is no model named 'nobody'.", "Name another.")
        if request.sides[0] == "deadly":
            os.abort()
        during = "" if engine is None else f"during {engine.run_id}: "
        for letter in [during, *request.prompts[0]]:
            if stop():
                return
            if "!" in request.prompts[0]:
                time.sleep(0.05)
            yield Delta(text=letter)
        yield Delta(kind="done")

    def attack(
        self,
        run_id: str,
        job: AttackJob,
        *,
        tell: Callable[[str], None],
        stop: Callable[[], bool],
    ) -> bool:
        words = self.store.config(run_id).label.split()
        for step in range(1000 if "slow" in words else 5):
            if stop():
                return False
            if "slow" in words:
                time.sleep(0.05)
            if step == 3 and "crash" in words:
                os.abort()
            if step == 3 and "memory" in words:
                raise MemoryError
            tell(f"  step {step}")
        report = {"attack": job.attack, "settings": job.settings, "verdict": "It is gone."}
        self.store.write_attack(run_id, job.attack, report)
        return True

    def merge(self, target: str, folder: Path) -> None:
        if "memory" in self.store.config(target.partition("@")[0]).label.split():
            raise MemoryError
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(target.encode())

    def release(self) -> None:
        self.released += 1


class StillbornBackend:
    """Ends the process before it is ready."""

    def __init__(self, store: RunStore, device: str) -> None:
        print("libcuda is from another age", flush=True)
        os._exit(7)
