"""Gradients, weights and divergence, against what torch gives when all is done the long way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import Linear
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from tests.models import tiny
from tests.models.batches import disturb
from tests.runs.conftest import TEXTS
from unlearning.data.encode import encode
from unlearning.metrics.base import Evidence
from unlearning.metrics.gradient_conflict import GradientConflict
from unlearning.metrics.kl_drift import KlDrift
from unlearning.metrics.membership_gradient import MembershipGradient
from unlearning.metrics.weight_change import WeightChange, by_block, relative
from unlearning.models.base import BASE, REFERENCE, STUDENT
from unlearning.models.changes import weight_changes
from unlearning.models.evidence import gather
from unlearning.models.gradients import gradient_norms, gradient_products
from unlearning.models.inside import with_model
from unlearning.models.versions import Versions, open_versions

ALL = ("gradients", "weights", "original")
SPANS = [([0, 5, 9, 40, 7, 33, 8], 1), ([0, 70, 12, 13, 9], 2), ([3, 4, 5, 6, 7, 8, 9, 10, 11], 4)]


def opened(family: str, rank: int | None, **changes) -> Versions:
    versions = open_versions(
        tiny.build_loaded(family, **changes), lora_rank=rank, keep_base=rank is None
    )
    disturb(versions)
    return versions


def whole_model(versions: Versions, folder: Path):
    """The student as one ordinary model, every weight requiring gradients."""
    versions.merged(folder, STUDENT)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval().requires_grad_(True)


def loss(model, ids, first):
    logits_TV = model(torch.tensor([ids])).logits[0, first - 1 : -1].float()
    return torch.nn.functional.cross_entropy(logits_TV, torch.tensor(ids[first:]))


@pytest.mark.parametrize("rank", [4, None], ids=["lora", "full"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "opt", "gpt_neox"])
def test_against_a_gradient_of_every_weight(family: str, rank: int | None, tmp_path: Path) -> None:
    versions = opened(family, rank)
    model = whole_model(versions, tmp_path)
    head = model.get_output_embeddings()
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Linear | Conv1D) and module is not head
    }
    norms, rows = [], []
    for ids, first in SPANS:
        model.zero_grad(set_to_none=True)
        loss(model, ids, first).backward()
        norms.append(np.mean([p.grad.norm().item() for p in model.parameters()]))
        rows.append({name: module.weight.grad.flatten() for name, module in layers.items()})
    assert gradient_norms(versions, STUDENT)(SPANS) == pytest.approx(norms, rel=1e-4)
    products = gradient_products(versions, STUDENT)(SPANS)
    assert set(products) == set(layers)
    for name, found in products.items():
        by_hand = torch.stack([row[name] for row in rows])
        expected = (by_hand @ by_hand.T).numpy()
        assert found == pytest.approx(expected, rel=1e-3, abs=float(1e-5 * np.abs(expected).max()))


def test_nothing_is_left_behind() -> None:
    versions = opened("llama", 4)
    kept = {name: torch.ones_like(p) for name, p in versions.trainable()}
    for name, parameter in versions.trainable():
        parameter.grad = kept[name].clone()
    with versions.use(STUDENT, training=True) as model:
        flags = [p.requires_grad for p in model.parameters()]
    gradient_norms(versions, STUDENT)(SPANS)
    gradient_products(versions, BASE)(SPANS)
    with versions.use(STUDENT, training=True) as model:
        assert [p.requires_grad for p in model.parameters()] == flags
        assert not any(m._forward_hooks for m in model.modules())
    for name, parameter in versions.trainable():
        assert torch.equal(parameter.grad, kept[name])


def test_a_stop_leaves_no_half_result() -> None:
    versions = opened("llama", 4)
    assert gradient_norms(versions, STUDENT, lambda: True)(SPANS) is None
    assert gradient_products(versions, STUDENT, lambda: True)(SPANS) is None


@pytest.mark.parametrize("rank", [4, None], ids=["lora", "full"])
def test_weight_changes_equal_those_of_merged_weights(rank: int | None, tmp_path: Path) -> None:
    versions = opened("llama", rank)
    versions.merged(tmp_path / "now", STUDENT)
    versions.merged(tmp_path / "before", BASE)
    now, before = (load_file(tmp_path / n / "model.safetensors") for n in ("now", "before"))
    found = weight_changes(versions, STUDENT, BASE)
    assert set(found) == set(now)
    for name, change in found.items():
        assert change.size == pytest.approx(float(before[name].norm()), rel=1e-5)
        moved = float((now[name] - before[name]).norm())
        assert change.moved == pytest.approx(moved, rel=1e-4, abs=1e-6)
    total = float(sum((now[n] - before[n]).square().sum() for n in now)) ** 0.5
    size = float(sum(before[n].square().sum() for n in now)) ** 0.5
    evidence = with_model(versions, STUDENT, BASE, ALL, lambda: False)(
        Evidence(role="forget", examples=(), positions=())
    )
    score = WeightChange().score(evidence)
    assert score.value == pytest.approx(total / size, rel=1e-4)
    assert (score.n, score.low) == (len(now), None)
    largest = WeightChange(variant="largest").score(evidence)
    assert largest.value == max(score.samples) and largest.variant.startswith("largest of 4")
    assert len(score.samples) == len(by_block(found)) and relative([]) is None


def test_nothing_moved_where_nothing_was_trained() -> None:
    versions = open_versions(tiny.build_loaded("llama"), lora_rank=4)
    assert all(c.moved == 0 for c in weight_changes(versions, STUDENT, REFERENCE).values())


def read(versions: Versions, version: str, role: str, original: str | None) -> Evidence:
    encoded = encode(TEXTS[role], versions.tokenizer, max_length=64)
    evidence = gather(
        versions, version, role, TEXTS[role], encoded, versions.tokenizer, original=original
    )
    return with_model(versions, version, original, ALL, lambda: False)(evidence)


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_divergence_from_the_original_in_the_same_pass(family: str) -> None:
    versions = opened(family, 4)
    found = read(versions, STUDENT, "retain", REFERENCE)
    for ids, one in zip(found.ids, found.positions, strict=True):
        inputs = {"input_ids": torch.tensor([ids])}
        before, now = (
            versions.call([name], **inputs).logits[0, :-1].double().log_softmax(-1)
            for name in (BASE, STUDENT)
        )
        kl = (before.exp() * (before - now)).sum(-1).numpy()[-len(one.target) :]
        assert one.drift == pytest.approx(kl, rel=1e-4, abs=1e-6)
    score = KlDrift().score(found)
    drifts = [one.drift[~one.end] for one in found.positions]
    assert score.value == pytest.approx(np.concatenate(drifts).mean(), rel=1e-9)
    assert score.low < score.value < score.high and score.n == len(drifts)
    # All else is as without the original beside.
    alone = read(versions, STUDENT, "retain", None)
    assert KlDrift().score(alone) is None and alone.positions[0].drift is None
    assert np.array_equal(alone.positions[0].logp, found.positions[0].logp)


def test_chunks_of_logits_give_the_same_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = opened("llama", 4)
    whole = read(versions, STUDENT, "retain", REFERENCE)
    monkeypatch.setattr("unlearning.models.forward.LOGITS_BYTES", 0)
    chunked = read(versions, STUDENT, "retain", REFERENCE)
    for one, other in zip(whole.positions, chunked.positions, strict=True):
        assert one.drift == pytest.approx(other.drift, rel=1e-4, abs=1e-6)


def test_an_unchanged_model_has_drifted_by_exactly_nothing() -> None:
    versions = opened("llama", 4)
    score = KlDrift().score(read(versions, BASE, "retain", REFERENCE))
    assert (score.value, score.low, score.high) == (0.0, 0.0, 0.0)


def test_conflict_with_itself_and_with_other_text() -> None:
    versions = opened("llama", 4)
    forget, retain = (read(versions, STUDENT, role, None) for role in ("forget", "retain"))
    same = GradientConflict().score(replace(forget, beside={"retain": forget}))
    assert same.value == pytest.approx(1.0)
    score = GradientConflict().score(replace(forget, beside={"retain": retain}))
    assert -1 < score.low < score.value < score.high < 1 and score.value < same.value
    assert len(score.samples) == 14  # two blocks of seven layers
    assert GradientConflict().score(forget) is None


def test_the_attack_reads_few_texts_and_says_so() -> None:
    versions = opened("llama", 4)
    forget, holdout = (read(versions, STUDENT, role, None) for role in ("forget", "holdout"))
    score = MembershipGradient(texts=2).score(replace(forget, beside={"holdout": holdout}))
    assert score.n == 4 and 0 <= score.low <= score.value <= score.high <= 1
    assert sum(sample is not None for sample in score.samples) == 2
    assert len(score.samples) == len(forget.positions)
    ids, first = forget.ids[0], len(forget.ids[0]) - len(forget.positions[0].target)
    alone = forget.gradient_norms([(ids[: len(ids) - int(forget.positions[0].end.sum())], first)])
    assert score.samples[0] == pytest.approx(alone[0], rel=1e-6)


def test_without_memory_there_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    versions = opened("llama", 4)
    monkeypatch.setattr("unlearning.models.gradients._loss_of_each", full)
    forget, holdout = (read(versions, STUDENT, role, None) for role in ("forget", "holdout"))
    both = replace(forget, beside={"holdout": holdout, "retain": holdout})
    assert MembershipGradient().score(both) is None
    assert GradientConflict().score(both) is None
