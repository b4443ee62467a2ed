"""FLAT by hand, and its conjugates against their definition."""

from __future__ import annotations

import math

import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from tests.methods.test_preference import OTHER_BT, batch_of, logits_of
from unlearning.methods.flat import FLAT, activation, conjugate, mean_probability
from unlearning.models.passes import Batch, Pass, Share

DIVERGENCES = ["tv", "kl", "js", "pearson"]

GENERATORS = {
    "tv": lambda u: (u - 1).abs() / 2,
    "kl": lambda u: u * u.log(),
    "js": lambda u: u * u.log() - (u + 1) * ((u + 1) / 2).log(),
    "pearson": lambda u: (u - 1) ** 2,
}
"""f of the f-divergence, convex with f(1) = 0."""


def by_hand(divergence: str, preferred: float, forget: float) -> float:
    """The authors' closed forms."""
    match divergence:
        case "tv":
            return -math.tanh(preferred) / 2 + math.tanh(forget) / 2
        case "kl":
            return -preferred + math.exp(forget - 1)
        case "pearson":
            return -preferred + forget**2 / 4 + forget
    to_gain = math.log(1 + math.exp(-preferred)) - math.log(2)
    return to_gain + forget + math.log(1 + math.exp(-forget)) - math.log(2)


def probabilities(logits_TV: torch.Tensor, labels_T: torch.Tensor) -> list[float]:
    found = []
    for position in range(len(labels_T) - 1):
        label = int(labels_T[position + 1])
        if label != -100:
            row = logits_TV[position].tolist()
            found.append(math.exp(row[label]) / sum(math.exp(x) for x in row))
    return found


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_mean_probability_of_each_answer_then_mean_over_sequences(
    make: MakePass, divergence: str
) -> None:
    logits = logits_of("forget", "preferred")
    terms = FLAT(divergence=divergence, retain_weight=0.0).loss(batch_of(make, logits))
    expected = mean(
        [
            by_hand(
                divergence,
                mean(probabilities(logits["preferred"][b], OTHER_BT[b])),
                mean(probabilities(logits["forget"][b], LABELS_BT[b])),
            )
            for b in range(len(LABELS_BT))
        ]
    )
    assert terms.keys() == {"preferred", "forget"}
    assert sum(terms.values()).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_the_conjugate_is_the_largest_of_its_definition(divergence: str) -> None:
    """f*(t) = sup over u of u t - f(u), at t = g*(v)."""
    u = torch.cat([torch.linspace(1e-6, 8, 400_001, dtype=torch.float64), torch.ones(1)])
    for v in torch.linspace(0, 1, 5, dtype=torch.float64):
        t = activation(v, divergence)
        largest = (u * t - GENERATORS[divergence](u)).max().item()
        assert conjugate(v, divergence).item() == pytest.approx(largest, abs=1e-6)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_the_loss_falls_with_the_refusal_and_rises_with_the_truth(divergence: str) -> None:
    v = torch.linspace(0, 1, 20, dtype=torch.float64)
    assert (activation(v, divergence).diff() > 0).all()
    assert (conjugate(v, divergence).diff() > 0).all()


def test_the_user_is_told_what_nothing_holds() -> None:
    assert "retain weight" in FLAT(retain_weight=0.0).notices()[0]
    assert FLAT(retain_weight=1.0).notices() == []


def test_a_sequence_without_counted_tokens_has_probability_zero() -> None:
    one = Pass(random_logits(1), torch.full_like(LABELS_BT, -100))
    assert mean_probability(one).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_gradients_are_exact(divergence: str) -> None:
    def loss(forget: torch.Tensor, preferred: torch.Tensor) -> torch.Tensor:
        batch = batch_of(Pass, {"forget": forget, "preferred": preferred})
        return sum(FLAT(divergence=divergence, retain_weight=0.0).loss(batch).values())

    leaves = [random_logits(seed).requires_grad_() for seed in (6, 7)]
    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_micro_batches_add_up(divergence: str) -> None:
    logits = logits_of("forget", "preferred")
    chosen = FLAT(divergence=divergence, retain_weight=0.0)
    whole = chosen.loss(batch_of(Pass, logits))
    parts = []
    for b in range(len(LABELS_BT)):
        one = slice(b, b + 1)
        forget = Pass(logits["forget"][one], LABELS_BT[one], share=Share(7, 2))
        preferred = Pass(logits["preferred"][one], OTHER_BT[one], share=Share(6, 2))
        parts.append(chosen.loss(Batch(forget=forget, preferred=preferred)))
    for name, term in whole.items():
        assert sum(part[name] for part in parts).item() == pytest.approx(term.item(), rel=1e-12)
