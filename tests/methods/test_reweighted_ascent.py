"""SimNPO, WGA and SatImp by hand, at their limits, and their smoothness."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.ga_kl import GAKL
from unlearning.methods.grad_diff import GradDiff
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.methods.satimp import SatImp
from unlearning.methods.simnpo import SimNPO
from unlearning.methods.wga import WGA
from unlearning.models.passes import Batch, Pass

ONE_TOKEN_BT = torch.tensor([[-100, 2]])


def token_logps(logits_BTV: torch.Tensor) -> list[list[float]]:
    """Log-probabilities of the labelled tokens, sequence by sequence."""
    rows: list[list[float]] = [[] for _ in LABELS_BT]
    for b, t in (LABELS_BT[:, 1:] != -100).nonzero().tolist():
        row = logits_BTV[b, t].tolist()
        rows[b].append(row[LABELS_BT[b, t + 1]] - math.log(sum(map(math.exp, row))))
    return rows


def lead(value: float) -> torch.Tensor:
    """Logits [1, 2, 5] in which the target, token 2, leads four others by `value`."""
    logits = torch.zeros(1, 2, 5, dtype=torch.float64)
    logits[0, 0, 2] = value
    return logits.requires_grad_()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("beta", "margin"), [(0.7, 0.0), (4.5, 0.0), (2.5, 1.5)])
def test_simnpo_is_on_the_mean_of_each_sequence(make: MakePass, beta: float, margin: float) -> None:
    logits = random_logits(1)
    chosen = SimNPO(beta=beta, margin=margin, forget_weight=0.5, retain_weight=0.0)
    ours = chosen.loss(Batch(forget=make(logits, LABELS_BT)))["forget"].item()
    means = [sum(row) / len(row) for row in token_logps(logits)]
    by_hand = [2 / beta * math.log1p(math.exp(beta * (mean + margin))) for mean in means]
    assert ours == pytest.approx(0.5 * sum(by_hand) / len(by_hand), rel=1e-10)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("beta", [0.5, 1.0, 5.0])
def test_wga_by_hand(make: MakePass, beta: float) -> None:
    logits = random_logits(2)
    ours = WGA(beta=beta, retain_weight=0.0).loss(Batch(forget=make(logits, LABELS_BT)))
    flat = [logp for row in token_logps(logits) for logp in row]
    by_hand = sum(math.exp(beta * logp) * logp for logp in flat) / len(flat)
    assert ours["forget"].item() == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("beta1", "beta2"), [(5.0, 1.0), (0.5, 2.0), (0.0, 1.0)])
def test_satimp_by_hand(make: MakePass, beta1: float, beta2: float) -> None:
    logits = random_logits(3)
    chosen = SatImp(beta1=beta1, beta2=beta2, retain_weight=0.0)
    ours = chosen.loss(Batch(forget=make(logits, LABELS_BT)))["forget"].item()
    flat = [logp for row in token_logps(logits) for logp in row]
    by_hand = [math.exp(x) ** beta1 * (1 - math.exp(x)) ** beta2 * x for x in flat]
    assert ours == pytest.approx(sum(by_hand) / len(flat), rel=1e-10)


@pytest.mark.parametrize("make", MAKERS)
def test_exponents_of_zero_are_gradient_ascent(make: MakePass) -> None:
    batch = Batch(forget=make(random_logits(4), LABELS_BT))
    ascent = GradientAscent().loss(batch)["forget"].item()
    assert WGA(beta=0.0, retain_weight=0.0).loss(batch)["forget"].item() == pytest.approx(ascent)
    flat = SatImp(beta1=0.0, beta2=0.0, retain_weight=0.0)
    assert flat.loss(batch)["forget"].item() == pytest.approx(ascent)


@pytest.mark.parametrize("value", [-4.0, 0.0, 2.0, 9.0])
def test_the_weight_of_a_token_is_held_constant(value: float) -> None:
    """The gradient at the target's logit is the weight times 1 - p."""
    p = math.exp(value) / (math.exp(value) + 4)
    for chosen, weight in (
        (WGA(beta=2.0, retain_weight=0.0), p**2),
        (SatImp(beta1=5.0, beta2=1.0, retain_weight=0.0), p**5 * (1 - p)),
    ):
        logits = lead(value)
        chosen.loss(Batch(forget=Pass(logits, ONE_TOKEN_BT)))["forget"].backward()
        assert logits.grad[0, 0, 2].item() == pytest.approx(weight * (1 - p), rel=1e-9)
        assert logits.grad[0, 1].abs().max() == 0


def test_satimp_sees_the_rest_where_p_nearly_rounds_to_one() -> None:
    logits = lead(16.5).detach().float().requires_grad_()
    assert 1 - logits[0, 0].softmax(0)[2].item() < 4e-7
    chosen = SatImp(beta1=5.0, beta2=1.0, retain_weight=0.0)
    value = chosen.loss(Batch(forget=Pass(logits, ONE_TOKEN_BT)))["forget"]
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(logits.grad).all()


def test_ga_kl_is_grad_diff_with_the_divergence() -> None:
    student, original = Pass(random_logits(5), LABELS_BT), Pass(random_logits(6), LABELS_BT)
    batch = Batch(forget=student, retain=student, retain_reference=original)
    ours = GAKL(forget_weight=0.5, retain_weight=2.0).loss(batch)
    theirs = GradDiff(forget_weight=0.5, retain_weight=2.0, retain_loss="kl").loss(batch)
    assert {name: term.item() for name, term in ours.items()} == {
        name: term.item() for name, term in theirs.items()
    }


def test_gradients_are_exact() -> None:
    """WGA and SatImp hold a weight constant, so finite differences do not apply to them."""
    original = Pass(random_logits(5), LABELS_BT)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        one = Pass(logits, LABELS_BT)
        batch = Batch(forget=one, retain=one, retain_reference=original)
        simnpo = SimNPO(beta=0.3, margin=0.5, retain_loss="kl")
        return sum(simnpo.loss(batch).values()) + sum(GAKL().loss(batch).values())

    assert torch.autograd.gradcheck(loss, random_logits(6).requires_grad_())
