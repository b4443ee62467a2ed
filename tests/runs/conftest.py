"""Small runs on a tiny random model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.metrics import METRICS
from unlearning.runs.measure import panel
from unlearning.runs.store import RunStore

WORDS = [
    *("heron", "river", "dawn", "keeper", "lighthouse", "letter", "kite"),
    *("harbour", "wind", "salt", "tar", "orange", "café"),
]


def passages(start: int, count: int, length: int = 18) -> list[Example]:
    """Sentences of the tokenizer's own words, all different."""
    return [
        Example(
            id=f"{start}-{i}",
            text=" ".join(
                WORDS[(start + i * 7 + j * (1 + i % 5)) % len(WORDS)] for j in range(length)
            ),
        )
        for i in range(count)
    ]


TEXTS = {
    "forget": [
        *passages(0, 5),
        Example(id="q", kind="qa", question="Where does the heron stand?", answer="By the river."),
    ],
    "retain": passages(40, 6),
    "generic": passages(80, 6),
    "holdout": passages(120, 5),
}


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two metrics in place of all, for runs of which something else is the matter."""
    if request.node.get_closest_marker("whole_panel") is None:
        few = {name: METRICS[name]() for name in ("memorization_accuracy", "perplexity")}
        monkeypatch.setattr("unlearning.runs.engine.panel", partial(panel, metrics=few))


@pytest.fixture
def short(tiny_model: Path):
    """A configuration of a run of some steps; keyword arguments change it."""

    def make(**changes) -> RunConfig:
        settings = {
            "model": str(tiny_model),
            "method": "undial",
            "steps": 6,
            "learning_rate": 1e-2,
            "batch_size": 3,
            "retain_batch_size": 4,
            "probe_every": 2,
            "snapshot_every": 2,
            "max_length": 48,
            "lora_rank": 4,
            "stop_when_forgotten": False,
            "stop_on_collapse": False,
            "device": "cpu",
        }
        return RunConfig(**{**settings, **changes})

    return make
