"""PDU: its loss, its multiplier, and that the pair settles on the bound."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods.pdu import PDU
from unlearning.models.passes import Batch, Pass


def setting(step: int = 0, retain: float = 0.0) -> SimpleNamespace:
    """Eight forget sequences, four a step: an epoch is two steps."""
    return SimpleNamespace(step=step, forget_size=8, batch_size=4, terms={"retain": retain})


@pytest.mark.parametrize("make", MAKERS)
def test_forget_term_by_hand(make: MakePass) -> None:
    logits = random_logits(1)
    one = make(logits, LABELS_BT)
    ours = PDU().loss(Batch(forget=one, retain=one))["forget"].item()
    rows = [logits[b, t].tolist() for b, t in (LABELS_BT[:, 1:] != -100).nonzero().tolist()]
    by_hand = [(max(row) - sum(row) / len(row)) ** 2 for row in rows]
    assert ours == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-12)


def test_only_positions_whose_next_token_counts_are_flattened() -> None:
    logits = random_logits(2).requires_grad_()
    one = Pass(logits, LABELS_BT)
    PDU().loss(Batch(forget=one, retain=one))["forget"].backward()
    moved_BT = logits.grad.abs().sum(-1) > 0
    assert torch.equal(moved_BT[:, :-1], LABELS_BT[:, 1:] != -100)
    assert not moved_BT[:, -1].any()


def test_a_step_makes_a_word_known_by_heart_less_likely() -> None:
    logits = random_logits(3)
    known = logits.scatter(-1, LABELS_BT.roll(-1, 1).clamp(min=0)[..., None], 9.0).requires_grad_()
    one = Pass(known, LABELS_BT)
    PDU().loss(Batch(forget=one, retain=one))["forget"].backward()
    after = Pass((known - 1e-2 * known.grad).detach(), LABELS_BT)
    assert (after.logp_B < one.logp_B).all()


def test_gradients_are_exact() -> None:
    def loss(logits: torch.Tensor) -> torch.Tensor:
        one = Pass(logits, LABELS_BT)
        return sum(PDU().loss(Batch(forget=one, retain=one)).values())

    assert torch.autograd.gradcheck(loss, random_logits(4).requires_grad_())


def test_the_weights_move_by_the_gradient_of_the_lagrangian() -> None:
    method = PDU(multiplier=7.0)
    state = method.prepare(setting())
    by_term = {"forget": [torch.tensor([1.0, 2.0])], "retain": [torch.tensor([0.5, -1.0])]}
    (combined,) = method.gradients(by_term, state)
    torch.testing.assert_close(combined, torch.tensor([4.5, -5.0]))


@pytest.mark.parametrize(
    ("retain", "expected"), [(0.5, 11.0), (0.1, 9.0), (0.3, 10.0), (-10.0, 0.0)]
)
def test_the_multiplier_follows_the_bound_and_stays_positive(
    retain: float, expected: float
) -> None:
    method = PDU(multiplier=10.0, dual_rate=5.0, bound=0.3, warmup=0)
    state = method.prepare(setting())
    method.after_step(setting(0, retain), state, 1.0)
    assert state.values["multiplier"] == pytest.approx(expected)
    report = method.report(setting(0, retain), state)
    assert report == {
        "multiplier": pytest.approx(expected),
        "above_bound": pytest.approx(retain - 0.3),
    }


def test_it_waits_for_the_warm_up() -> None:
    method = PDU(multiplier=10.0, warmup=3)
    state = method.prepare(setting())
    for step in range(6):
        method.after_step(setting(step, 9.0), state, 1.0)
        assert state.values["multiplier"] == 10.0
    method.after_step(setting(6, 9.0), state, 1.0)
    assert state.values["multiplier"] > 10.0


def test_it_settles_where_the_constraint_binds() -> None:
    """min (x - 3)^2 with x^2 <= 1: x = 1 and multiplier 2."""
    method = PDU(bound=1.0, multiplier=0.0, dual_rate=0.05, warmup=0)
    state = method.prepare(setting())
    x = torch.zeros((), dtype=torch.float64)
    for step in range(4000):
        by_term = {"forget": [2 * (x - 3)], "retain": [2 * x]}
        before = x.item()
        x = x - 0.05 * method.gradients(by_term, state)[0]
        method.after_step(setting(step, before**2), state, 1.0)
    assert x.item() == pytest.approx(1.0, abs=1e-3)
    assert state.values["multiplier"] == pytest.approx(2.0, abs=1e-2)
