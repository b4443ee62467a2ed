"""The mean teacher in the authors' form against their update written out, on a small model."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from torch.nn import Module
from torch.optim import SGD

from tests.models.tiny import build_loaded
from tests.runs.conftest import TEXTS
from unlearning.data.encode import Tokens, encode
from unlearning.methods.mean_teacher import MeanTeacher
from unlearning.models.versions import open_versions
from unlearning.runs import drawing
from unlearning.runs.measure import TextSet
from unlearning.runs.training import Loop

BETA, DELTA, DAMPING, MOMENTUM, TOL, CLIP = 1.0, 0.005, 5.0, 0.95, 0.02, 1.0


def shifted(model: Module, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, targets and mask of the predicted tokens."""
    logits = model(input_ids=tokens.ids_BT, attention_mask=tokens.attention_BT).logits[:, :-1]
    targets = tokens.labels_BT[:, 1:]
    return logits, targets.clamp(min=0), targets != -100


def surrogate(model: Module, tokens: Tokens) -> Tensor:
    """sum m * [p / (1 + tol - p)] * log p / sum m, the weight without gradient."""
    logits, targets, mask = shifted(model, tokens)
    logp = logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
    p = logp.detach().exp()
    return (p / (1 + TOL - p) * logp * mask).sum() / mask.sum()


def divergence(teacher: Module, student: Module, tokens: Tokens) -> Tensor:
    """KL(teacher || student) over the whole vocabulary, mean over tokens."""
    with torch.no_grad():
        held, _, mask = shifted(teacher, tokens)
    logits, _, _ = shifted(student, tokens)
    q, logq = held.softmax(-1), held.log_softmax(-1)
    return ((q * (logq - logits.log_softmax(-1))).sum(-1) * mask).sum() / mask.sum()


@pytest.mark.parametrize(
    ("alpha", "rate", "clipped"), [(0.05, 5e-4, False), (0.05, 5e-2, False), (40.0, 2e-3, True)]
)
def test_every_step_is_the_authors(
    alpha: float, rate: float, clipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = build_loaded(seed=1)
    # In float32 the divergence of two nearly equal models is mostly rounding.
    student, teacher = (copy.deepcopy(loaded.model).double() for _ in range(2))
    moving = []
    for (name, mine), (_, theirs) in zip(
        student.named_parameters(), teacher.named_parameters(), strict=True
    ):
        if not any(part in name for part in ("embed_tokens", "lm_head", "norm")):
            mine.requires_grad_(True)
            moving.append((name, mine, theirs))
    optimizer = SGD([mine for _, mine, _ in moving], rate, momentum=MOMENTUM)

    method = MeanTeacher(
        student_optimizer="sgd", alpha=alpha, beta=BETA, delta=DELTA, damping=DAMPING,
        momentum=MOMENTUM, tol=TOL,
    )  # fmt: skip
    versions = open_versions(loaded, lora_rank=None, trainable=method.trainable)
    loaded.model.double()
    sets = {
        role: TextSet(role, TEXTS[role], encode(TEXTS[role], loaded.tokenizer, max_length=48))
        for role in ("forget", "generic")
    }
    loop = Loop(
        method, versions, sets, learning_rate=rate, batch_size=3, retain_batch_size=4,
        accumulation=1, seed=0, pad_id=0,
    )  # fmt: skip
    monkeypatch.setattr(drawing, "CPU_PARTS", 1)
    drawn, draw = [], loop._draw
    loop._draw = lambda: drawn.append(draw()) or drawn[-1]

    assert {name for name, _ in versions.trainable()} == {name for name, _, _ in moving}
    coefficients = []
    start = {name: mine.detach().clone() for name, mine, _ in moving}
    for _ in range(6):
        done = loop.advance()
        (batch,) = drawn[-1]
        (alpha * surrogate(student, batch["forget"][0])).backward()
        (BETA * divergence(teacher, student, batch["generic"][0])).backward()
        norm = torch.stack([mine.grad.square().sum() for _, mine, _ in moving]).sum().sqrt()
        c = min(1.0, CLIP / norm.item())
        coefficients.append(c)
        with torch.no_grad():
            for _, mine, theirs in moving:
                mine.grad *= c
                mine.grad += DAMPING * c * (mine - theirs)
            optimizer.step()
            optimizer.zero_grad()
            for _, mine, theirs in moving:
                theirs.lerp_(mine, DELTA * c)
        assert done.gradient_norm == pytest.approx(norm.item(), rel=1e-6)
        found = [dict(versions.trainable(version)) for version in ("student", "teacher")]
        for name, *written in moving:
            for ours, theirs in zip(found, written, strict=True):
                # Compared by what was moved, which is small beside the weights.
                apart = (ours[name] - theirs).detach().norm()
                assert apart <= 1e-5 * (theirs.detach() - start[name]).norm(), name
    assert (min(coefficients) < 0.9) is clipped
    assert any(not torch.equal(start[name], mine.detach()) for name, mine, _ in moving)
