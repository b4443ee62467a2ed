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


FOCUS_BT = torch.zeros_like(LABELS_BT, dtype=torch.bool)
FOCUS_BT[0, 3] = FOCUS_BT[0, 6] = FOCUS_BT[1, 2] = True
FOCUS_BT[0, 0] = FOCUS_BT[1, 5] = True  # where nothing is counted


def focused(logits: torch.Tensor, chunked: bool) -> Pass:
    if chunked:
        return Pass.from_hidden(logits, lambda x: x, LABELS_BT, chunk=2, focus_BT=FOCUS_BT)
    return Pass(logits, LABELS_BT, focus_BT=FOCUS_BT)


def cross_entropies(student: torch.Tensor, original: torch.Tensor) -> dict[tuple, torch.Tensor]:
    """Of each counted token, written out; keys are its row and place."""
    found = {}
    for b, t in (LABELS_BT[:, 1:] != -100).nonzero().tolist():
        lowered = original[b, t].clone()
        lowered[LABELS_BT[b, t + 1]] -= 10.0
        found[b, t + 1] = -(lowered.softmax(-1) * student[b, t].log_softmax(-1)).sum()
    return found


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("hard", "coefficient", "weights"), [(True, 10.0, (0, 1)), (False, 4.0, (1, 4))]
)
def test_focus_weighs_tokens_and_divides_by_all(
    chunked: bool, hard: bool, coefficient: float, weights: tuple[int, int]
) -> None:
    student, original = random_logits(1).requires_grad_(), random_logits(2)
    method = UNDIAL(focus="names", focus_hard=hard, focus_coefficient=coefficient, **FORGET_ONLY)
    batch = Batch(forget=focused(student, chunked), reference=focused(original, chunked))
    ours = method.loss(batch)["forget"]
    parts = cross_entropies(student, original)
    assert len(parts) == 7
    expected = sum(weights[bool(FOCUS_BT[place])] * value for place, value in parts.items()) / 7
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=0)
    ours_grad, expected_grad = (torch.autograd.grad(x, student)[0] for x in (ours, expected))
    torch.testing.assert_close(ours_grad, expected_grad, rtol=1e-9, atol=1e-14)


def test_soft_focus_of_coefficient_one_is_none() -> None:
    batch = Batch(
        forget=focused(random_logits(1), False), reference=focused(random_logits(2), False)
    )
    plain, soft = (
        UNDIAL(focus=focus, focus_coefficient=1.0, **FORGET_ONLY).loss(batch)["forget"]
        for focus in ("none", "names")
    )
    torch.testing.assert_close(plain, soft)


@pytest.mark.parametrize("chunked", [False, True])
def test_curves_are_the_closed_form_and_the_students_own(chunked: bool) -> None:
    student, original = random_logits(1), 3 * random_logits(2)
    batch = Batch(forget=focused(student, chunked), reference=focused(original, chunked))
    places = (LABELS_BT[:, 1:] != -100).nonzero().tolist()

    def probability(logits: torch.Tensor, b: int, t: int) -> float:
        return logits[b, t].softmax(-1)[LABELS_BT[b, t + 1]].item()

    goals = [target_probability(probability(original, b, t), 0.5) for b, t in places]
    curves = UNDIAL(strength=0.5).curves(batch)
    assert curves["target_probability"].item() == pytest.approx(sum(goals) / 7)
    own = sum(probability(student, b, t) for b, t in places) / 7
    assert curves["student_probability"].item() == pytest.approx(own)
    assert curves["left_alone"].item() == pytest.approx(sum(g > 0.5 for g in goals) / 7)
    # Words without weight are wanted as they were.
    kept = [
        goal if FOCUS_BT[b, t + 1] else probability(original, b, t)
        for goal, (b, t) in zip(goals, places, strict=True)
    ]
    hard = UNDIAL(strength=0.5, focus="names", focus_hard=True).curves(batch)
    assert hard["target_probability"].item() == pytest.approx(sum(kept) / 7)


def test_the_goal_of_a_certain_token_is_exact() -> None:
    """In float32 the probability itself rounds to 1, and 1 - p to 0."""
    logits = torch.tensor([[[30.0, 0.0], [0.0, 0.0]]])
    one = Pass(logits, torch.tensor([[-100, 0]]))
    goal = UNDIAL(strength=25.0).curves(Batch(forget=one, reference=one))["target_probability"]
    assert one.p_BS.item() == 1.0
    assert goal.item() == pytest.approx(1 / (1 + math.exp(-5.0)), rel=1e-5)


def test_focus_is_only_asked_where_it_is_chosen() -> None:
    assert UNDIAL().focus_marks(["Ilva sang."]) is None
    assert UNDIAL(focus="names").focus_marks(["We saw Ilva."]) == [[(7, 11)]]
