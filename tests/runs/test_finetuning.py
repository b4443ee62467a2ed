"""Teaching a model a corpus: what is learnt, what is written, and how it ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.runs.conftest import TEXTS, passages
from unlearning.cli import main, words
from unlearning.config import FinetuneConfig
from unlearning.data.base import digest
from unlearning.data.encode import collate, encode
from unlearning.data.sources import load as read
from unlearning.errors import UserError
from unlearning.models.load import load
from unlearning.runs.finetuning import finetune, share
from unlearning.runs.store import RunStore

CORPUS = TEXTS["forget"]


def settings(model: Path, **changes) -> FinetuneConfig:
    quick = {"steps": 8, "learning_rate": 1e-2, "batch_size": 3, "max_length": 48, "device": "cpu"}
    return FinetuneConfig(**{"model": str(model), **quick, **changes})


@pytest.fixture
def teach(store: RunStore, tiny_model: Path, tmp_path: Path):
    """Teach the tiny model; gives (recipe, lines told)."""

    def act(stop: Callable[[], bool] = lambda: False, **changes):
        told: list[str] = []
        config = settings(tiny_model, **changes)
        out = tmp_path / "out"
        return finetune(store, config, CORPUS, out, stop=stop, tell=told.append), told

    return act


@pytest.mark.parametrize("rank", [0, 4])
def test_the_corpus_is_learnt_and_written_as_a_model(teach, tiny_model, tmp_path, rank) -> None:
    found, told = teach(steps=40, lora_rank=rank, learning_rate=2e-2)
    assert (found["status"], found["steps"], found["planned_steps"]) == ("finished", 40, 40)
    assert found["loss"] < 0.5 * found["first_loss"]
    assert found["memorization_accuracy"]["after"] > found["memorization_accuracy"]["before"]
    assert sum(line.startswith("step ") for line in told) == 5
    out = tmp_path / "out"
    assert json.loads((out / "finetune.json").read_text()) == found
    assert found["texts_sha256"] == digest(CORPUS)
    names = {file.name for file in out.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    before, after = (load(str(where), device="cpu") for where in (tiny_model, out))
    assert before.sha256 == found["model_sha256"] != after.sha256
    moved = [
        not torch.equal(old, new)
        for old, new in zip(before.model.parameters(), after.model.parameters(), strict=True)
    ]
    assert all(moved) if rank == 0 else any(moved) and not all(moved)


def test_the_loss_is_that_of_ordinary_fine_tuning(teach, tiny_model) -> None:
    """Against transformers' own loss and torch's AdamW, whole corpus a step, constant rate."""
    found, _ = teach(steps=3, batch_size=64, schedule="constant", learning_rate=1e-3, lora_rank=0)
    loaded = load(str(tiny_model), device="cpu", full=True)
    tokens = collate(encode(CORPUS, loaded.tokenizer, max_length=48), 2)
    model = loaded.model.requires_grad_(True)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.0)
    losses = []
    for _ in range(3):
        loss = model(
            input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT, labels=tokens.labels_BT
        ).loss
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert found["first_loss"] == pytest.approx(losses[0], rel=1e-5)
    assert found["loss"] == pytest.approx(sum(losses) / 3, rel=1e-4)


def test_same_seed_same_model_and_micro_batches_change_nothing(store, tiny_model, tmp_path) -> None:
    def weights(name: str, **changes) -> str:
        config = settings(tiny_model, steps=4, **changes)
        finetune(store, config, CORPUS, tmp_path / name, stop=lambda: False, tell=lambda _: None)
        return load(str(tmp_path / name), device="cpu")

    one, again, parts = weights("a"), weights("b"), weights("c", accumulation=3)
    assert one.sha256 == again.sha256
    assert weights("d", seed=1).sha256 != one.sha256
    for whole, cut in zip(one.model.parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(whole, cut, atol=2e-4)


def test_epochs_become_steps(teach) -> None:
    found, _ = teach(steps=None, epochs=2, batch_size=4)
    assert (found["sequences"], found["planned_steps"]) == (11, 6)
    found, _ = teach(steps=None, batch_size=64)
    assert found["planned_steps"] == 5, "five epochs of one batch"
    with pytest.raises(UserError, match="not both"):
        FinetuneConfig.parse({"epochs": 1, "steps": 1})


def test_the_linear_schedule() -> None:
    rates = [share(step, 20, "linear") for step in range(1, 21)]
    assert rates[:3] == [0.5, 1.0, pytest.approx(18 / 19)] and rates[-1] == pytest.approx(1 / 19)
    assert rates[1:] == sorted(rates[1:], reverse=True)
    assert share(1, 1, "linear") == 1.0 and share(3, 9, "constant") == 1.0


def test_stopped_in_the_middle_what_there_is_is_kept(teach, tmp_path) -> None:
    asked = [0]

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > 6

    found, _ = teach(stop)
    assert found["status"] == "stopped" and 0 < found["steps"] < 8
    assert load(str(tmp_path / "out"), device="cpu").sha256 != found["model_sha256"]


def test_stopped_before_the_first_step_nothing_is_written(teach, tmp_path) -> None:
    found, _ = teach(lambda: True)
    assert (found["steps"], found["folder"], found["status"]) == (0, None, "stopped")
    assert not (tmp_path / "out").exists()


def test_a_loss_that_breaks_is_said_and_nothing_is_written(teach, tmp_path) -> None:
    with pytest.raises(UserError, match="not finite at step"):
        teach(learning_rate=10.0, steps=200, lora_rank=0, schedule="constant", dtype="float32")
    assert not (tmp_path / "out").exists()


# the command line


@pytest.fixture
def ask(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n\n".join(example.text for example in passages(0, 4)))

    def act(*more: str, out: str = "taught") -> tuple[int, str, str]:
        start = ["finetune", "--runs", str(tmp_path / "runs"), "--device", "cpu"]
        named = ["--model", str(tiny_model), "--data", str(corpus), "--out", str(tmp_path / out)]
        status = main([*start, *named, "--max-length", "48", *more])
        told, err = capsys.readouterr()
        return status, told.strip().split("\n")[-1], err

    return act


def test_the_command(ask, tmp_path) -> None:
    status, line, err = ask("--steps", "4", "--lr", "0.01", "--batch-size", "2", "--json")
    found = json.loads(line)
    assert (status, found["status"], found["steps"]) == (0, "finished", 4)
    assert found["folder"] == str(tmp_path / "taught") and found["lora_rank"] == 0
    assert "step 4 of 4  loss " in err
    status, _, err = ask("--steps", "4")
    assert status == 2 and "not empty" in err
    status, line, _ = ask("--epochs", "1", "--lora-rank", "2", out="other")
    assert status == 0 and line.startswith("finished after 1 of 1 steps")
    status, line, _ = ask("--steps", "1", "--lora-rank", "2", "--full", "--json", out="third")
    assert json.loads(line)["lora_rank"] == 0


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--epochs", "2", "--steps", "3"], "not both"),
        (["--lr", "99"], "learning_rate"),
        (["--data", "preset:nowhere"], "nowhere"),
        (["--data", ""], "No text is named"),
        (["--model", "/no/such/model"], "/no/such/model"),
        (["--out", "/proc/none/here"], "/proc/none/here"),
    ],
)
def test_bad_input_is_one_clear_line(ask, more, expected) -> None:
    status, _, err = ask(*more)
    assert status == 2
    assert expected.lower() in err.strip().split("\n")[-1].lower(), err


def test_ctrl_c_ends_the_training_and_keeps_what_there_is(ask, tmp_path, monkeypatch) -> None:
    def press(message: str) -> None:
        if message.startswith("step 10 "):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(words, "tell", press)
    status, line, _ = ask("--steps", "500", "--json")
    found = json.loads(line)
    assert (status, found["status"], found["steps"]) == (0, "stopped", 10)
    assert (tmp_path / "taught" / "model.safetensors").is_file()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_published_model_learns_questions(shared_dir, store, tmp_path, monkeypatch) -> None:
    """A few steps of stories260k on the first questions of TOFU."""
    model, tofu = shared_dir / "models" / "stories260k", shared_dir / "data" / "tofu"
    if not (model.is_dir() and tofu.is_dir()):
        pytest.skip("stories260k or TOFU is not among the shared files")
    (tmp_path / "locuslab").mkdir()
    (tmp_path / "locuslab" / "TOFU").symlink_to(tofu)
    monkeypatch.setenv("LETHE_DATASETS", str(tmp_path))
    examples = read("preset:tofu/forget01")[:8]
    config = settings(model, steps=12, learning_rate=2e-3, batch_size=4, max_length=512)
    out = tmp_path / "out"
    found = finetune(store, config, examples, out, stop=lambda: False, tell=lambda _: None)
    assert found["loss"] < found["first_loss"]
    assert load(str(out), device="cpu").parameters == load(str(model), device="cpu").parameters
