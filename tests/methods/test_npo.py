"""NPO by hand, its limits, and its smoothness."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.methods.npo import NPO, negative_preference
from unlearning.models.passes import Batch, Pass


def sequence_logp(logits_TV: torch.Tensor, labels_T: torch.Tensor) -> float:
    """One sequence at a time, one token at a time, without the code under test."""
    total = 0.0
    for position in range(len(labels_T) - 1):
        label = int(labels_T[position + 1])
        if label != -100:
            row = logits_TV[position].tolist()
            total += row[label] - math.log(sum(math.exp(x) for x in row))
    return total


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
def test_sum_over_the_answer_then_mean_over_sequences(make: MakePass, beta: float) -> None:
    student, original = random_logits(1), random_logits(2)
    batch = Batch(forget=make(student, LABELS_BT), reference=make(original, LABELS_BT))
    ours = NPO(beta=beta, retain_weight=0.0).loss(batch)["forget"].item()
    by_hand = []
    for b in range(len(LABELS_BT)):
        ratio = sequence_logp(student[b], LABELS_BT[b]) - sequence_logp(original[b], LABELS_BT[b])
        by_hand.append(2 / beta * math.log1p(math.exp(beta * ratio)))
    assert ours == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-10)


def test_towards_beta_zero_it_is_gradient_ascent() -> None:
    logits = random_logits(3).requires_grad_()
    student, original = Pass(logits, LABELS_BT), Pass(random_logits(4), LABELS_BT)
    assert (student.logp_B - original.logp_B).abs().min() > 0.5
    push = negative_preference(student.logp_B - original.logp_B, 1e-9).mean()
    (npo,) = torch.autograd.grad(push, logits, retain_graph=True)
    ascent = GradientAscent().loss(Batch(forget=student))["forget"]
    (direction,) = torch.autograd.grad(ascent, logits)
    # Gradient ascent averages over tokens, NPO sums them and averages over sequences.
    scale = student.length_B.sum() / len(LABELS_BT)
    torch.testing.assert_close(npo, scale * direction, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("logratio", [-1000.0, -3.0, 0.0, 3.0, 1000.0])
def test_the_push_fades_with_the_ratio_and_is_finite_far_out(logratio: float) -> None:
    ratio_B = torch.tensor([logratio], dtype=torch.float64, requires_grad=True)
    value = negative_preference(ratio_B, 0.1)
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert ratio_B.grad.item() == pytest.approx(2 / (1 + math.exp(-0.1 * logratio)), rel=1e-9)


def test_gradients_are_exact() -> None:
    original = Pass(random_logits(5), LABELS_BT)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        forget = Pass(logits, LABELS_BT)
        batch = Batch(forget=forget, retain=forget, reference=original, retain_reference=original)
        return sum(NPO(beta=0.3, retain_loss="kl").loss(batch).values())

    assert torch.autograd.gradcheck(loss, random_logits(6).requires_grad_())
