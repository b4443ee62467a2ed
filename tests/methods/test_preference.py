"""DPO and its kin by hand, at their limits, and against published values."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from tests.methods.test_npo import sequence_logp
from unlearning.methods import METHODS
from unlearning.methods.dpo import DPO
from unlearning.methods.idk import IDK
from unlearning.methods.npo import NPO
from unlearning.models.passes import Batch, Pass

OTHER_BT = torch.tensor([[-100, -100, 7, 2, -100, -100, -100], [-100, 1, 8, 8, 0, -100, -100]])
"""Other answers, of two and four tokens: neither as long as its rival nor as each other."""
ROLES = ("forget", "reference", "preferred", "preferred_reference")


def batch_of(make: MakePass, logits: dict[str, torch.Tensor]) -> Batch:
    labels = {role: OTHER_BT if "preferred" in role else LABELS_BT for role in logits}
    return Batch(**{role: make(logits[role], labels[role]) for role in logits})


def logits_of(*roles: str) -> dict[str, torch.Tensor]:
    return {role: random_logits(10 + i) for i, role in enumerate(roles)}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("name", ["dpo", "idk_dpo", "altpo"])
def test_sums_over_answers_then_mean_over_sequences(make: MakePass, beta: float, name: str) -> None:
    logits = logits_of(*ROLES)
    chosen = METHODS[name].parse({"beta": beta, "retain_weight": 0.0})
    ours = chosen.loss(batch_of(make, logits))
    by_hand = []
    for b in range(len(LABELS_BT)):
        won, lost = (
            sequence_logp(logits[new][b], labels_BT[b])
            - sequence_logp(logits[old][b], labels_BT[b])
            for new, old, labels_BT in (
                ("preferred", "preferred_reference", OTHER_BT),
                ("forget", "reference", LABELS_BT),
            )
        )
        by_hand.append(2 / beta * math.log1p(math.exp(-beta * (won - lost))))
    assert ours.keys() == {"forget"}
    assert ours["forget"].item() == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-10)


def test_at_the_original_the_loss_is_known_and_both_answers_are_pushed_alike() -> None:
    forget, preferred = (random_logits(seed).requires_grad_() for seed in (1, 2))
    logits = {
        "forget": forget,
        "reference": forget.detach(),
        "preferred": preferred,
        "preferred_reference": preferred.detach(),
    }
    batch = batch_of(Pass, logits)
    (loss,) = DPO(beta=0.3, retain_weight=0.0).loss(batch).values()
    assert loss.item() == pytest.approx(2 / 0.3 * math.log(2), rel=1e-12)
    # sigmoid(0) = 1/2, times 2: the plain log-likelihoods, mean over sequences.
    plain = (batch.forget.logp_B - batch.preferred.logp_B).mean()
    ours = torch.autograd.grad(loss, [forget, preferred], retain_graph=True)
    for mine, theirs in zip(ours, torch.autograd.grad(plain, [forget, preferred]), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-14)


def test_with_the_other_answer_held_it_is_npo() -> None:
    logits = logits_of(*ROLES)
    logits["preferred_reference"] = logits["preferred"]
    batch = batch_of(Pass, logits)
    (dpo,) = DPO(beta=0.2, retain_weight=0.0).loss(batch).values()
    (npo,) = NPO(beta=0.2, retain_weight=0.0).loss(batch).values()
    assert dpo.item() == pytest.approx(npo.item(), rel=1e-12)


@pytest.mark.parametrize("lead", [-3000.0, 3000.0])
def test_far_leads_stay_finite(lead: float) -> None:
    logits = logits_of(*ROLES)
    logits["preferred"] = logits["preferred"].clone()
    logits["preferred"][:, :, 8] += lead
    logits = {role: value.requires_grad_() for role, value in logits.items()}
    (loss,) = DPO(retain_weight=0.0).loss(batch_of(Pass, logits)).values()
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(logits["preferred"].grad).all()


@pytest.mark.parametrize("retain_loss", ["nll", "kl"])
def test_gradients_are_exact(retain_loss: str) -> None:
    held = logits_of(*ROLES)
    original = Pass(random_logits(5), LABELS_BT)

    def loss(forget: torch.Tensor, preferred: torch.Tensor) -> torch.Tensor:
        batch = batch_of(Pass, {**held, "forget": forget, "preferred": preferred})
        batch = Batch(
            **{role: getattr(batch, role) for role in ROLES},
            retain=batch.forget,
            retain_reference=original,
        )
        return sum(DPO(beta=0.3, retain_loss=retain_loss).loss(batch).values())

    leaves = [random_logits(seed).requires_grad_() for seed in (6, 7)]
    assert torch.autograd.gradcheck(loss, leaves)


@pytest.mark.parametrize("make", MAKERS)
def test_idk_is_the_token_mean_on_the_refusal_alone(make: MakePass) -> None:
    logits = logits_of("forget", "preferred")
    (ours,) = IDK(retain_weight=0.0).loss(batch_of(make, logits)).values()
    total = sum(sequence_logp(logits["preferred"][b], OTHER_BT[b]) for b in range(len(OTHER_BT)))
    assert ours.item() == pytest.approx(-total / 6, rel=1e-10)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("name", ["dpo", "idk_dpo", "altpo"])
def test_terms_and_gradients_as_published(reference_dir: Path, make: MakePass, name: str) -> None:
    folder = reference_dir / "losses"
    inputs, gradients = np.load(folder / "inputs.npz"), np.load(folder / "gradients.npz")
    theirs = json.loads((folder / "values.json").read_text())["as_shipped"]["DPO_b0.1_NLL"]
    sets = {"forget": "forget", "preferred": "alternate", "retain": "retain"}
    leaves = {
        role: torch.tensor(inputs[f"{name}_logits"], requires_grad=True)
        for role, name in sets.items()
    }

    def one(role: str, logits_BTV: torch.Tensor) -> Pass:
        return make(logits_BTV, torch.tensor(inputs[f"{sets[role]}_labels"]))

    batch = Batch(
        **{role: one(role, leaf) for role, leaf in leaves.items()},
        reference=one("forget", torch.tensor(inputs["forget_ref_logits"])),
        preferred_reference=one("preferred", torch.tensor(inputs["alternate_ref_logits"])),
    )
    terms = METHODS[name].parse({"beta": 0.1, "retain_weight": 1.0}).loss(batch)
    assert terms["forget"].item() == pytest.approx(theirs["forget_loss"], rel=1e-5)
    assert terms["retain"].item() == pytest.approx(theirs["retain_loss"], rel=1e-5)
    total = sum(terms.values())
    assert total.item() == pytest.approx(theirs["loss"], rel=1e-5)
    total.backward()
    for role, name in sets.items():
        expected = gradients[f"DPO_b0.1_NLL__{name}"]
        scale = np.abs(expected).max()
        assert scale > 0
        np.testing.assert_allclose(
            leaves[role].grad.numpy(), expected, rtol=1e-5, atol=1e-9 * scale
        )
