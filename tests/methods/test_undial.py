"""UNDIAL: its target, its fixed point, and its smoothness."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.undial import UNDIAL, target_probability
from unlearning.models.passes import Batch, Pass

FORGET_ONLY = {"retain_weight": 0.0, "generic_weight": 0.0}


def gradient_at(
    make: MakePass, student: torch.Tensor, original: torch.Tensor, strength: float
) -> torch.Tensor:
    student = student.clone().requires_grad_()
    batch = Batch(forget=make(student, LABELS_BT), reference=make(original, LABELS_BT))
    UNDIAL(strength=strength, **FORGET_ONLY).loss(batch)["forget"].backward()
    return student.grad


@pytest.mark.parametrize("make", MAKERS)
def test_strength_zero_wants_no_change(make: MakePass) -> None:
    logits = random_logits(1)
    assert gradient_at(make, logits, logits, 0.0).abs().max() < 1e-15
    assert gradient_at(make, logits, logits, 1.0).abs().max() > 1e-3


@pytest.mark.parametrize("make", MAKERS)
def test_the_goal_is_the_original_with_the_target_lowered(make: MakePass) -> None:
    original = random_logits(2)
    goal = original.clone()
    for b, t in (LABELS_BT[:, 1:] != -100).nonzero().tolist():
        goal[b, t, LABELS_BT[b, t + 1]] -= 10.0
    assert gradient_at(make, goal, original, 10.0).abs().max() < 1e-15
    # The gradient is q - q' over the counted tokens, so bounded, and zero where nothing counts.
    counted = (LABELS_BT[:, 1:] != -100)[..., None]
    expected = (original.softmax(-1) - goal.softmax(-1))[:, :-1] * counted / counted.sum()
    torch.testing.assert_close(
        gradient_at(make, original, original, 10.0)[:, :-1], expected, rtol=1e-10, atol=1e-15
    )


@pytest.mark.parametrize(
    ("probability", "strength", "expected"),
    [(0.9, 3, 0.31), (0.99, 3, 0.83), (0.999, 10, 0.043), (0.999999, 10, 0.98), (0.5, 30, 9e-14)],
)
def test_published_targets(probability: float, strength: float, expected: float) -> None:
    assert target_probability(probability, strength) == pytest.approx(expected, rel=0.05)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0, 50))
def test_closed_form_is_the_lowered_softmax(probability: float, strength: float) -> None:
    logits = torch.tensor([math.log(probability), math.log1p(-probability)], dtype=torch.float64)
    logits[0] -= strength
    softmax = logits.softmax(0)[0].item()
    assert target_probability(probability, strength) == pytest.approx(softmax, rel=1e-8)


def test_ends_of_the_closed_form() -> None:
    assert target_probability(0.0, 10.0) == 0.0
    assert target_probability(1.0, 10.0) == 1.0
    assert target_probability(0.3, 0.0) == pytest.approx(0.3)


def test_no_label_reaches_another_token() -> None:
    """Ignored labels of -100 must not lower the logit of token V - 100 or of token 0."""
    logits = torch.randn(1, 4, 128, generator=torch.Generator().manual_seed(0)).double()
    labels_BT = torch.tensor([[-100, -100, -100, 7]])
    student = logits.clone().requires_grad_()
    batch = Batch(forget=Pass(student, labels_BT), reference=Pass(logits, labels_BT))
    UNDIAL(**FORGET_ONLY).loss(batch)["forget"].backward()
    assert student.grad[0, [0, 1, 3]].abs().max() == 0
    assert student.grad[0, 2, 7] > 0 and (student.grad[0, 2].argmax() == 7)


def test_a_shared_output_layer_learns_nothing_through_the_reference() -> None:
    head = torch.nn.Linear(3, 11, bias=False, dtype=torch.float64)
    student, original = (torch.randn(*LABELS_BT.shape, 3, dtype=torch.float64) for _ in range(2))

    def head_gradient(reference: Pass) -> torch.Tensor:
        forget = Pass.from_hidden(student, head, LABELS_BT, chunk=2)
        loss = UNDIAL(**FORGET_ONLY).loss(Batch(forget=forget, reference=reference))["forget"]
        return torch.autograd.grad(loss, head.weight)[0]

    shared = head_gradient(Pass.from_hidden(original, head, LABELS_BT, chunk=2))
    constant = head_gradient(Pass(head(original).detach(), LABELS_BT))
    torch.testing.assert_close(shared, constant)


def test_gradients_are_exact() -> None:
    original = Pass(random_logits(5), LABELS_BT)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        one = Pass(logits, LABELS_BT)
        batch = Batch(
            forget=one, reference=original, retain=one, generic=one, generic_reference=original
        )
        return sum(UNDIAL(strength=3.0, generic_weight=0.5).loss(batch).values())

    assert torch.autograd.gradcheck(loss, random_logits(6).requires_grad_())
