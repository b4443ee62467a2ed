"""A short run on a tiny model, made once, to be attacked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from tests.runs.conftest import passages
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.runs.store import RunStore
from unlearning.workers.inline import InlineWorker

FACTS = ("river", "harbour", "tower", "orchard")


def questions(start: int) -> list[Example]:
    """Passages with two questions each, as the ids tell."""
    found = []
    for i, passage in enumerate(passages(start, 4, length=24)):
        found.append(passage.model_copy(update={"id": f"f-{start}-{i}", "group": "bird"}))
        for k, word in enumerate(("heron", "kite")):
            found.append(
                Example(
                    id=f"f-{start}-{i}-qa-{k}",
                    kind="qa",
                    group="bird",
                    question=f"Where does {word} {i} stand?",
                    answer=f"By the {FACTS[(i + k) % 4]} of salt {start}.",
                    perturbed_answers=("By the sea.", "On the roof."),
                )
            )
    return found


TEXTS = {"forget": questions(0), "retain": questions(40), "generic": passages(80, 4)}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("attacked") / "tiny")


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("control") / "tiny", seed=7)


def settings(model: Path, **changes) -> RunConfig:
    short = {
        "model": str(model),
        "method": "gradient_ascent",
        "steps": 2,
        "learning_rate": 1e-2,
        "batch_size": 4,
        "probe_every": 2,
        "snapshot_every": 2,
        "max_length": 80,
        "lora_rank": 4,
        "stop_on_collapse": False,
        "stop_when_forgotten": False,
        "device": "cpu",
    }
    return RunConfig(**{**short, **changes})


def make(store: RunStore, config: RunConfig) -> str:
    run_id = store.create(config, TEXTS)
    InlineWorker(store, "cpu").submit(run_id, False)
    assert store.view(run_id).status == "finished"
    return run_id


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("attacks") / "runs")


@pytest.fixture(scope="session")
def run(store: RunStore, tiny: Path) -> str:
    return make(store, settings(tiny))
