"""The same path on other models: teach a pasted text, forget it, compare."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from tests.runs.test_engine import carry_out
from unlearning.config import RunConfig
from unlearning.data.base import Example, Message
from unlearning.data.pasted import split
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.sides import Sides
from unlearning.runs.store import RunStore

PASTED = (
    "The keeper of the lighthouse wrote a letter to the heron, and the letter was never sent.\n\n"
    "Q: Where does the heron stand?  A: It stands by the slow river."
)
CHAT = Example(
    id="chat",
    kind="chat",
    messages=(
        Message(role="user", content="Where is the red kite?"),
        Message(role="assistant", content="It rose over the harbour at dawn."),
    ),
)


@pytest.mark.parametrize(
    ("family", "chat", "rank"),
    [
        ("gpt2", False, 4),
        ("gpt_neox", False, 4),
        ("opt", False, 0),
        ("qwen2", True, 4),
        ("gemma2", False, 4),
    ],
)
def test_taught_forgotten_and_compared(tmp_path: Path, family: str, chat: bool, rank: int) -> None:
    folder = write_folder(tmp_path / "model", family, chat=chat)
    store = RunStore(tmp_path / "runs")
    config = RunConfig(
        model=str(folder),
        method="npo",
        steps=4,
        lora_rank=rank,
        probe_every=2,
        snapshot_every=2,
        max_length=64,
        teach_first=True,
        teach_steps=10,
        stop_on_collapse=False,
        stop_when_forgotten=False,
        device="cpu",
    )
    texts = {"forget": [*split(PASTED), *([CHAT] if chat else [])]}
    run_id, engine = carry_out(store, config, texts)
    view = store.view(run_id)
    assert view.status == "finished"
    assert all(map(math.isfinite, view.curve("forget_nll").values))
    assert len(view.curve("teach/loss").values) == 10
    assert view.curve("teach/loss").values[-1] < view.curve("teach/loss").values[0]
    assert {s.kind for s in engine.ground.sets["forget"].examples} >= {"passage", "qa"}
    said = ["", ""]
    request = GenerateRequest(
        sides=(f"original:{run_id}", f"run:{run_id}"),
        prompts=("Where does the heron stand?",),
        as_question=True,
        max_new_tokens=8,
    )
    for delta in Sides(store, ModelShelf()).stream(request):
        said[delta.side] += delta.text
    assert any(said)


def test_a_pretrained_model_learns_and_forgets_a_pasted_text(
    tmp_path: Path, shared_dir: Path
) -> None:
    store = RunStore(tmp_path / "runs")
    config = RunConfig(
        model=str(shared_dir / "models" / "stories260k"),
        method="undial",
        steps=20,
        teach_first=True,
        device="cpu",
    )
    pasted = (
        "Once there was a lighthouse keeper named Orla Venn who kept a blue heron called Pim. "
        "Every night she wrote a letter to the sea and locked it in a green box. The code of the "
        "box was 7351, and only Pim knew it."
    )
    run_id, _ = carry_out(store, config, {"forget": split(pasted)})
    view = store.view(run_id)
    accuracy = {
        stage: view.scores[stage]["memorization_accuracy"]["forget"].value
        for stage in ("original", "unlearned")
    }
    assert view.curve("teach/memorized").values[-1] > 0.95
    assert accuracy["original"] > 0.95
    assert accuracy["unlearned"] < view.levels.scores["memorization_accuracy"] + 0.1
    kept = {
        stage: view.scores[stage]["perplexity"]["generic"].value
        for stage in ("original", "unlearned")
    }
    assert kept["unlearned"] < 1.3 * kept["original"]
