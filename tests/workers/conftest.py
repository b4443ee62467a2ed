"""Runs and workers of the fake backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.runs.store import RunStore
from unlearning.workers.process import ProcessWorker

TEXTS = {"forget": [Example(id="1", text="the heron stands in the river")]}


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Fail unless the condition comes true; the limit only guards against hanging."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def new_run(store: RunStore) -> Callable[..., str]:
    """Create a run of the fake backend; words say how it behaves."""

    def create(behaviour: str = "", steps: int = 5) -> str:
        return store.create(RunConfig(steps=steps, label=behaviour), TEXTS)

    return create


@pytest.fixture
def new_worker(store: RunStore) -> Iterator[Callable[..., ProcessWorker]]:
    """Pages with a worker process of the fake backend; all are ended afterwards."""
    made: list[ProcessWorker] = []

    def make(backend: str = "FakeBackend", **options) -> ProcessWorker:
        worker = ProcessWorker(
            options.pop("store", store), "cpu", backend=f"tests.workers.fake:{backend}", **options
        )
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
        worker.kill()
