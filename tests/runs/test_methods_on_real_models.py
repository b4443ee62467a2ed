"""Some steps of every method on trained models: everything stays finite, the base stays."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.methods import METHODS
from unlearning.models.base import STUDENT
from unlearning.models.fingerprint import hash_weights
from unlearning.runs.ground import Ground, lay
from unlearning.runs.preferred import find
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.runs.training import Loop

STEPS = 2
every_method = pytest.mark.parametrize("name", METHODS)
every_rank = pytest.mark.parametrize("rank", [8, 0], ids=["lora", "full"])


@cache
def texts() -> dict[Role, list[Example]]:
    """A few short texts of each role, passages and answers."""
    found, _ = gather_texts(RunConfig())
    return {role: few(examples, 2) for role, examples in found.items()}


def few(examples: list[Example], count: int) -> list[Example]:
    """The shortest passages and the shortest answers."""
    kinds = {kind: [e for e in examples if e.kind == kind] for kind in ("passage", "qa")}
    return [e for found in kinds.values() for e in sorted(found, key=size)[:count]]


def size(example: Example) -> int:
    return len(example.prompt) + len(example.target)


def advance(store: RunStore, config: RunConfig) -> tuple[Ground, Loop, list[dict[str, float]]]:
    """Ground and loop after some steps, and the terms of each."""
    method = config.build_method()
    ground = lay(store, config, method, texts(), device=config.device, stop=lambda: False)
    if method.preferred:
        answers = find(
            method,
            ground.versions,
            ground.original,
            ground.sets["forget"],
            seed=0,
            length=ground.length,
            stop=lambda: False,
        )
        ground.add_preferred(answers.encoded)
    before = hash_weights(base_weights(ground))
    loop = Loop(
        method,
        ground.versions,
        ground.sets,
        learning_rate=ground.chosen["learning_rate"],
        batch_size=2,
        retain_batch_size=3,
        accumulation=1,
        seed=0,
        pad_id=ground.loaded.tokenizer.pad_token_id or 0,
        autocast=config.full and config.device == "cuda",
        levels={"memorization_accuracy": 0.5, "extraction_likelihood": 0.0},
    )
    terms = []
    for _ in range(STEPS):
        done = loop.advance()
        assert done.finite
        terms.append(done.terms)
    method.finish(loop, loop.state)
    if not config.full:
        assert hash_weights(base_weights(ground)) == before
    return ground, loop, terms


def base_weights(ground: Ground) -> list[tuple[str, torch.Tensor]]:
    """The weights that an adapter must leave alone."""
    named = ground.loaded.model.named_parameters()
    return sorted((n, p) for n, p in named if "lora_" not in n)


def check(ground: Ground, loop: Loop) -> None:
    moved = [p for _, p in ground.versions.trainable(STUDENT)]
    assert moved and all(torch.isfinite(p).all() for p in moved)
    for value in loop.method.report(loop, loop.state).values():
        assert value == value


@every_rank
@every_method
def test_on_the_embedded_model(tmp_path: Path, name: str, rank: int) -> None:
    config = RunConfig(method=name, lora_rank=rank, device="cpu")
    ground, loop, terms = advance(RunStore(tmp_path), config)
    check(ground, loop)
    assert terms[0] != terms[1]


@every_rank
@every_method
def test_on_a_pretrained_model(tmp_path: Path, shared_dir: Path, name: str, rank: int) -> None:
    model = shared_dir / "models" / "stories260k"
    if not model.is_dir():
        pytest.skip(f"no checkpoint at {model}")
    config = RunConfig(
        model=str(model),
        method=name,
        lora_rank=rank,
        device="cpu",
    )
    ground, loop, _ = advance(RunStore(tmp_path), config)
    check(ground, loop)


@pytest.mark.gpu
@every_rank
@every_method
def test_in_bfloat16_on_a_gpu(tmp_path: Path, name: str, rank: int) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    config = RunConfig(method=name, lora_rank=rank, device="cuda", dtype="bfloat16")
    ground, loop, _ = advance(RunStore(tmp_path), config)
    check(ground, loop)
