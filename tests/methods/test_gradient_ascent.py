"""Gradient ascent and GradDiff, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import MAKERS, MakePass
from unlearning.methods.grad_diff import GradDiff
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.models.passes import Batch, Pass, Share

# Three answer tokens with probabilities 1/2, 1/4, 1/8 in the first text, one of 1/3 in the second.
PROBABILITIES = [[0.5, 0.25, 0.125], [1 / 3, None, None]]
LABELS_BT = torch.tensor([[-100, 1, 1, 1], [-100, 1, -100, -100]])


def logits_of(probabilities: list[list[float | None]]) -> torch.Tensor:
    """Two-word logits that give token 1 these probabilities; NaN-free anything elsewhere."""
    rows = [[math.log(p / (1 - p)) if p else 77.0 for p in row] + [-5.0] for row in probabilities]
    target_BT = torch.tensor(rows, dtype=torch.float64)
    return torch.stack([torch.zeros_like(target_BT), target_BT], dim=-1)


@pytest.mark.parametrize("make", MAKERS)
def test_mean_is_over_the_tokens_of_the_batch_not_over_sequences(make: MakePass) -> None:
    batch = Batch(forget=make(logits_of(PROBABILITIES), LABELS_BT))
    (forget,) = GradientAscent().loss(batch).values()
    assert forget.item() == pytest.approx(math.log(0.5 * 0.25 * 0.125 / 3) / 4, rel=1e-12)


@pytest.mark.parametrize("make", MAKERS)
def test_grad_diff_adds_the_retain_nll(make: MakePass) -> None:
    one = make(logits_of(PROBABILITIES), LABELS_BT)
    other = make(logits_of([[0.9, 0.9, 0.9], [0.4, None, None]]), LABELS_BT)
    terms = GradDiff(forget_weight=0.5, retain_weight=2.0).loss(Batch(forget=one, retain=other))
    assert terms["forget"].item() == pytest.approx(0.5 * math.log(0.5 * 0.25 * 0.125 / 3) / 4)
    assert terms["retain"].item() == pytest.approx(-2 * math.log(0.9**3 * 0.4) / 4)


def test_ga_kl_is_zero_at_the_original_and_by_hand_elsewhere() -> None:
    student, original = logits_of([[0.9], [0.4]]), logits_of([[0.6], [0.7]])
    labels_BT = LABELS_BT[:, :2]
    batch = Batch(
        forget=Pass(student, labels_BT),
        retain=Pass(student, labels_BT),
        retain_reference=Pass(original, labels_BT),
    )
    kl = GradDiff(retain_loss="kl").loss(batch)["retain"].item()
    by_hand = [
        q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))
        for p, q in [(0.9, 0.6), (0.4, 0.7)]
    ]
    assert kl == pytest.approx(sum(by_hand) / 2)
    same = Batch(forget=batch.forget, retain=batch.retain, retain_reference=batch.retain)
    assert GradDiff(retain_loss="kl").loss(same)["retain"].item() == pytest.approx(0, abs=1e-15)


def test_micro_batches_of_uneven_lengths_add_up_to_the_batch() -> None:
    logits = logits_of(PROBABILITIES)
    share = Share(tokens=4, sequences=2)
    parts = [
        GradientAscent().loss(
            Batch(forget=Pass(logits[i : i + 1], LABELS_BT[i : i + 1], share=share))
        )
        for i in range(2)
    ]
    whole = GradientAscent().loss(Batch(forget=Pass(logits, LABELS_BT)))
    assert sum(part["forget"].item() for part in parts) == pytest.approx(whole["forget"].item())


def test_the_push_vanishes_while_memorised_and_stays_once_forgotten() -> None:
    for probability in (0.999, 0.5, 0.001):
        logits = logits_of([[probability]]).requires_grad_()
        one = Pass(logits, torch.tensor([[-100, 1]]))
        GradientAscent().loss(Batch(forget=one))["forget"].backward()
        assert logits.grad[0, 0, 1].item() == pytest.approx(1 - probability)
