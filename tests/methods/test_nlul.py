"""The negative log-unlikelihood, its surrogate, and the other losses of the mean teacher."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.mean_teacher import MeanTeacher, negative_log_unlikelihood
from unlearning.models.passes import Batch, Pass

ONE_TOKEN_BT = torch.tensor([[-100, 2]])


def margin(value: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Logits [1, 2, 5] in which the target, token 2, leads four unequal others by `value`."""
    row = torch.tensor([0.0, -0.5, value, -1.0, -2.0], dtype=dtype)
    return torch.stack([row, torch.zeros_like(row)])[None].requires_grad_()


@pytest.mark.parametrize("make", MAKERS)
def test_by_hand_over_tokens_of_uneven_sequences(make: MakePass) -> None:
    logits = random_logits(1)
    by_hand = []
    for b, t in (LABELS_BT[:, 1:] != -100).nonzero().tolist():
        p = logits[b, t].softmax(0)[LABELS_BT[b, t + 1]].item()
        by_hand.append(-math.log1p(-p))
    ours = negative_log_unlikelihood(make(logits, LABELS_BT)).item()
    assert ours == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-12)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("lead", [-60.0, -3.0, 0.0, 3.0, 17.0])
def test_gradient_is_p_at_the_target_and_minus_its_share_elsewhere(
    make: MakePass, lead: float
) -> None:
    logits = margin(lead)
    negative_log_unlikelihood(make(logits, ONE_TOKEN_BT)).backward()
    q_V = logits.detach()[0, 0].softmax(0)
    p, rest = q_V[2], q_V[[0, 1, 3, 4]].sum()
    expected_V = -p * q_V / rest
    expected_V[2] = p
    torch.testing.assert_close(logits.grad[0, 0], expected_V, rtol=1e-9, atol=1e-14)
    assert logits.grad[0, 1].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_full_strength_where_the_probability_rounds_to_one(dtype: torch.dtype) -> None:
    logits = margin(60.0, dtype)
    assert logits.float().softmax(-1)[0, 0, 2] == 1.0
    value = negative_log_unlikelihood(Pass(logits, ONE_TOKEN_BT))
    value.backward()
    others = math.log(1 + math.exp(-0.5) + math.exp(-1) + math.exp(-2))
    assert value.item() == pytest.approx(60 - others, rel=1e-4)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0, 2].item() == pytest.approx(1.0)
    assert logits.grad[0, 0].float().norm().item() <= math.sqrt(2) + 1e-6


@pytest.mark.parametrize("tolerance", [0.02, 0.5])
@pytest.mark.parametrize("lead", [-3.0, 2.0, 10.0])
def test_surrogate_has_the_gradient_of_the_tolerant_logarithm(
    tolerance: float, lead: float
) -> None:
    surrogate, direct = margin(lead), margin(lead)
    negative_log_unlikelihood(Pass(surrogate, ONE_TOKEN_BT), tolerance).backward()
    p = direct[0, 0].softmax(0)[2]
    (-torch.log(1 + tolerance - p)).backward()
    torch.testing.assert_close(surrogate.grad[0, 0], direct.grad[0, 0], rtol=1e-9, atol=1e-15)


def test_tolerance_brings_the_vanishing_gradient_back() -> None:
    pushes = {}
    for tolerance in (0.0, 0.02):
        logits = margin(10.0)
        negative_log_unlikelihood(Pass(logits, ONE_TOKEN_BT), tolerance).backward()
        pushes[tolerance] = logits.grad[0, 0, 2].item()
    assert pushes[0.0] > 0.99 and pushes[0.02] < 0.01


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_threshold_leaves_improbable_tokens_alone(tolerance: float) -> None:
    logits = random_logits(2).requires_grad_()
    one = Pass(logits, LABELS_BT)
    p_BS = one.p_BS.detach()
    middle = p_BS[one.counted_BS.bool()].median().item()
    negative_log_unlikelihood(one, tolerance, middle).backward()
    pushed_BS = logits.grad[:, :-1].abs().sum(-1) > 0
    assert torch.equal(pushed_BS, (p_BS > middle) & one.counted_BS.bool())
    assert 0 < pushed_BS.sum() < one.counted_BS.sum()


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_ignored_positions_do_no_harm(tolerance: float) -> None:
    """Ignored targets count as probability 1, where a careless log(1 - p) is minus infinity."""
    logits = random_logits(3).requires_grad_()
    labels_BT = LABELS_BT.clone()
    labels_BT[1] = -100
    value = negative_log_unlikelihood(Pass(logits, labels_BT), tolerance)
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(logits.grad).all()
    assert logits.grad[1].abs().max() == 0


@pytest.mark.parametrize("penalty", ["kl", "qkl"])
def test_gradients_are_exact(penalty: str) -> None:
    teacher = Pass(random_logits(5), LABELS_BT)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        one = Pass(logits, LABELS_BT)
        terms = MeanTeacher(penalty=penalty, beta=0.5).loss(
            Batch(forget=one, generic=one, generic_teacher=teacher)
        )
        return sum(terms.values())

    assert torch.autograd.gradcheck(loss, random_logits(6).requires_grad_())


def test_quadratic_penalty_is_the_kl_to_second_order() -> None:
    teacher, direction = random_logits(7), random_logits(8)

    def ratio(size: float) -> float:
        one, other = Pass(teacher + size * direction, LABELS_BT), Pass(teacher, LABELS_BT)
        return (one.quadratic_kl(other) / one.kl(other)).item()

    assert ratio(1e-3) == pytest.approx(1, abs=1e-2)
    assert abs(ratio(1e-3) - 1) < abs(ratio(1e-1) - 1)


def test_npo_here_is_on_the_mean_over_tokens() -> None:
    student, original = Pass(random_logits(1), LABELS_BT), Pass(random_logits(2), LABELS_BT)
    chosen = MeanTeacher(forget_loss="npo", npo_beta=0.4, alpha=3.0, beta=0.0)
    ours = chosen.loss(Batch(forget=student, reference=original))["forget"].item()
    ratio_B = student.logp_B - original.logp_B
    ratios = [ratio_B[0].item() / 5, ratio_B[1].item() / 2]
    by_hand = [2 / 0.4 * math.log1p(math.exp(0.4 * ratio)) for ratio in ratios]
    assert ours == pytest.approx(3 * sum(by_hand) / 2)


def test_ll_here_is_gradient_ascent() -> None:
    student = Pass(random_logits(1), LABELS_BT)
    terms = MeanTeacher(forget_loss="ll", alpha=2.0, beta=0.0).loss(Batch(forget=student))
    assert terms["forget"].item() == pytest.approx(-2 * student.nll.item())
