"""CE-U: by hand, and the same gradient as the exact negative log-unlikelihood."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.ceu import CEU
from unlearning.methods.mean_teacher import negative_log_unlikelihood
from unlearning.models.passes import Batch, Pass

ALL_WORDS = CEU(spare_first=False, retain_weight=0.0)


def by_hand(logits_BTV: torch.Tensor, skip: int) -> float:
    """Token by token, from plain exponentials."""
    found = []
    for b, row_T in enumerate(LABELS_BT.tolist()):
        answer = [t for t, label in enumerate(row_T) if label != -100]
        for t in answer[skip:]:
            weights = [math.exp(x) for x in logits_BTV[b, t - 1].tolist()]
            whole, rest = sum(weights), sum(weights) - weights[row_T[t]]
            found.append(
                -sum(
                    w / rest * math.log(w / whole)
                    for token, w in enumerate(weights)
                    if token != row_T[t]
                )
            )
    return sum(found) / len(found)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("skip", [0, 1])
def test_by_hand_over_tokens_of_uneven_sequences(make: MakePass, skip: int) -> None:
    logits = random_logits(1)
    chosen = CEU(spare_first=bool(skip), retain_weight=0.0)
    ours = chosen.loss(Batch(forget=make(logits, LABELS_BT)))["forget"].item()
    assert ours == pytest.approx(by_hand(logits, skip), rel=1e-12)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_gradient_is_that_of_the_exact_log_unlikelihood(make: MakePass, scale: float) -> None:
    logits = (scale * random_logits(2)).requires_grad_()
    one = make(logits, LABELS_BT)
    struck_out = ALL_WORDS.loss(Batch(forget=one))["forget"]
    (ours,) = torch.autograd.grad(struck_out, logits, retain_graph=True)
    (nlul,) = torch.autograd.grad(negative_log_unlikelihood(one), logits)
    torch.testing.assert_close(ours, nlul, rtol=1e-9, atol=1e-14)
    assert ours.abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_full_strength_where_the_probability_rounds_to_one(dtype: torch.dtype) -> None:
    logits = torch.tensor([[[0.0, -0.5, 60.0, -1.0], [0.0] * 4]], dtype=dtype, requires_grad=True)
    value = ALL_WORDS.loss(Batch(forget=Pass(logits, torch.tensor([[-100, 2]]))))["forget"]
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0, 2].item() == pytest.approx(1.0)


def test_answers_of_one_word_are_all_spared() -> None:
    labels_BT = torch.tensor([[-100, -100, 3, -100, -100, -100, -100]])
    logits = random_logits(3)[:1].requires_grad_()
    chosen = CEU(retain_weight=0.0)
    value = chosen.loss(Batch(forget=Pass(logits, labels_BT)))["forget"]
    value.backward()
    assert value.item() == 0 and logits.grad.abs().max() == 0
