"""WHP: generic labels, its two phases, and their change of places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from tests.methods.test_task_vector import START, Weights, steps
from unlearning.methods.whp import WHP
from unlearning.models.passes import Batch, Pass

FORGET_ONLY = {"retain_weight": 0.0, "generic_weight": 0.0}


class Setting(Weights):
    """Also counts steps, and how often the optimizer was emptied."""

    step, emptied = 0, 0

    def forget_moments(self) -> None:
        self.emptied += 1

    def advance(self, method: WHP, state: object, by: dict[str, Tensor]) -> None:
        self.move(by)
        method.after_step(self, state, 1.0)
        self.step += 1


def generic(base: Tensor, more: Tensor, strength: float) -> Tensor:
    return base - strength * torch.where(more > base, more - base, torch.zeros_like(base))


def by_hand(student: Tensor, label: Callable[[int, int], Tensor]) -> Tensor:
    """Mean over counted tokens of -sum_v label_v log q_v."""
    places = (LABELS_BT[:, 1:] != -100).nonzero().tolist()
    losses = [-(label(b, t) * student[b, t].log_softmax(-1)).sum() for b, t in places]
    return torch.stack(losses).mean()


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("labels", ["hard", "soft"])
@pytest.mark.parametrize("strength", [0.0, 1.0, 5.0])
def test_loss_and_gradient_are_those_of_the_paper(
    make: MakePass, labels: str, strength: float
) -> None:
    student, base, more = (random_logits(seed) for seed in (1, 2, 3))
    student.requires_grad_()
    batch = Batch(
        forget=make(student, LABELS_BT),
        reference=make(base, LABELS_BT),
        reinforced=make(more, LABELS_BT),
    )
    (ours,) = WHP(labels=labels, strength=strength, **FORGET_ONLY).loss(batch).values()
    v = generic(base, more, strength)

    def label(b: int, t: int) -> Tensor:
        if labels == "soft":
            return v[b, t].softmax(-1)
        return torch.nn.functional.one_hot(v[b, t].argmax(), v.shape[-1]).double()

    expected = by_hand(student, label)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=0)
    ours_grad, expected_grad = (torch.autograd.grad(x, student)[0] for x in (ours, expected))
    torch.testing.assert_close(ours_grad, expected_grad, rtol=1e-9, atol=1e-14)


def test_a_case_on_paper() -> None:
    """Four words; the text's own, word 0, is what reinforcing raised. Word 2 was raised less."""
    base = torch.tensor([3.0, 2.0, 2.5, 0.0], dtype=torch.float64)
    more = torch.tensor([4.0, 1.0, 2.6, 0.0], dtype=torch.float64)
    student = torch.zeros(1, 2, 4, dtype=torch.float64)
    labels_BT = torch.tensor([[-100, 0]])

    def one(row: Tensor) -> Pass:
        return Pass(torch.stack([row, row])[None], labels_BT)

    batch = Batch(forget=Pass(student, labels_BT), reference=one(base), reinforced=one(more))
    # Strength 5: v = (3 - 5, 2, 2.5 - 0.5, 0) = (-2, 2, 2, 0); 1: (2, 2, 2.4, 0), so word 2.
    soft = WHP(labels="soft", strength=5.0, **FORGET_ONLY).loss(batch)["forget"]
    assert soft.item() == pytest.approx(torch.tensor(4.0).log().item())
    student.requires_grad_()
    batch = Batch(forget=Pass(student, labels_BT), reference=one(base), reinforced=one(more))
    WHP(strength=1.0, **FORGET_ONLY).loss(batch)["forget"].backward()
    assert student.grad[0, 0].tolist() == pytest.approx([0.25, 0.25, -0.75, 0.25])


@pytest.mark.parametrize("labels", ["hard", "soft"])
def test_gradients_are_exact(labels: str) -> None:
    base, more = (Pass(random_logits(seed), LABELS_BT) for seed in (2, 3))

    def loss(logits: Tensor) -> Tensor:
        one = Pass(logits, LABELS_BT)
        batch = Batch(
            forget=one,
            retain=one,
            generic=one,
            reference=base,
            reinforced=more,
            generic_reference=base,
        )
        return sum(WHP(labels=labels, retain_weight=0.5, generic_weight=2.0).loss(batch).values())

    assert torch.autograd.gradcheck(loss, random_logits(4).requires_grad_())


def test_the_first_phase_is_ordinary_fine_tuning_on_the_forget_text_alone() -> None:
    method, setting = WHP(reinforce_steps=2), Setting(START)
    state = method.prepare(setting)
    assert method.passes_now(state) == frozenset()
    one = Pass(random_logits(1), LABELS_BT)
    assert {k: v.item() for k, v in method.loss(Batch(forget=one)).items()} == {
        "reinforce": one.nll.item()
    }
    for by in steps(2, seed=0):
        setting.advance(method, state, by)
    assert method.passes_now(state) == method.passes() == WHP.needs


def test_student_and_counterpart_change_places_once() -> None:
    method, setting = WHP(reinforce_steps=3), Setting(START)
    state = method.prepare(setting)
    reinforced = {name: weight.clone() for name, weight in START.items()}
    ways = steps(5, seed=0)
    for by in ways[:3]:
        # Until then the run stands for its start.
        assert method.watched(state) == method.finish(setting, state) == "counterpart"
        assert method.report(setting, state) == {"reinforced": 0.0}
        for name, weight in setting.weights("counterpart").items():
            assert torch.equal(weight, START[name])
        setting.advance(method, state, by)
        reinforced = {name: weight + by[name] for name, weight in reinforced.items()}
    assert setting.emptied == 1
    for name, weight in setting.weights("student").items():
        assert torch.equal(weight, START[name])
    for by in ways[3:]:
        assert method.watched(state) == method.finish(setting, state) == "student"
        assert method.report(setting, state) == {"reinforced": 1.0}
        for name, weight in setting.weights("counterpart").items():
            torch.testing.assert_close(weight, reinforced[name])
        setting.advance(method, state, by)
    assert setting.emptied == 1


def test_going_back_into_the_first_phase_brings_its_weights_back() -> None:
    method, setting = WHP(reinforce_steps=2), Setting(START)
    state = method.prepare(setting)
    first, second = steps(2, seed=2)
    setting.advance(method, state, first)
    saved, student = state.state_dict(), setting.weights("student")
    setting.advance(method, state, second)
    assert method.watched(state) == "student"
    state.load_state_dict(saved)
    assert method.watched(state) == "counterpart"
    for name, weight in setting.weights("counterpart").items():
        assert torch.equal(weight, START[name])
        assert not torch.equal(weight, student[name])
