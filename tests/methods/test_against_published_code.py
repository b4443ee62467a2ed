"""Losses and their gradients with respect to the logits equal the reference values.

`as_shipped` comes from the classes of another framework; `masked` is the same quantity over
shifted answer tokens only. Terms are compared one by one, whole and through `from_hidden`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.methods.batches import MAKERS, MakePass
from unlearning.methods import METHODS
from unlearning.methods.mean_teacher import negative_log_unlikelihood
from unlearning.models.passes import Batch, Pass

TOLERANCE = 1e-5


class Published:
    """Inputs, values and gradients of the reference folder; logits are leaves."""

    def __init__(self, folder: Path, make: MakePass) -> None:
        self._make = make
        self._inputs = np.load(folder / "inputs.npz")
        self.values = json.loads((folder / "values.json").read_text())
        self.shipped = np.load(folder / "gradients.npz")
        self.masked = np.load(folder / "masked_gradients.npz")
        self.logits = {
            name: torch.tensor(self._inputs[f"{name}_logits"], requires_grad=True)
            for name in ("forget", "retain")
        }

    def one(self, name: str) -> Pass:
        return self._make(self.logits[name], self._labels(name))

    def reference(self, name: str) -> Pass:
        logits_BTV = torch.tensor(self._inputs[f"{name}_ref_logits"])
        return self._make(logits_BTV, self._labels(name))

    def batch(self) -> Batch:
        """Generic and analogous are the retain set, as no others were published."""
        return Batch(
            forget=self.one("forget"),
            retain=self.one("retain"),
            generic=self.one("retain"),
            analogous=self.one("retain"),
            reference=self.reference("forget"),
            retain_reference=self.reference("retain"),
            generic_reference=self.reference("retain"),
            analogous_reference=self.reference("retain"),
            generic_teacher=self.reference("retain"),
        )

    def gradient(self, term: Tensor, name: str) -> np.ndarray:
        (gradient_BTV,) = torch.autograd.grad(term, self.logits[name], retain_graph=True)
        return gradient_BTV.numpy()

    def _labels(self, name: str) -> Tensor:
        return torch.tensor(self._inputs[f"{name}_labels"])


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def published(request: pytest.FixtureRequest, reference_dir: Path) -> Published:
    return Published(reference_dir / "losses", request.param)


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal within the tolerance relative to the largest entry; the entries differ in size."""
    assert np.abs(theirs).max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=1e-9 * np.abs(theirs).max())


SHIPPED = [
    ("GradAscent", "gradient_ascent", {}),
    ("GradDiff_NLL", "grad_diff", {}),
    ("GradDiff_NLL", "gradient_ascent", {"retain_weight": 1.0}),
    ("NPO_b0.1_NLL", "npo", {"beta": 0.1}),
    ("SimNPO_default", "simnpo", {"forget_weight": 0.125, "beta": 4.5, "margin": 0.0}),
    ("SatImp_default", "satimp", {"forget_weight": 0.1, "retain_weight": 1.0}),
    ("WGA_default", "wga", {"beta": 1.0}),
    ("CEU_ignore1", "ceu", {"retain_weight": 0.0}),
    (
        "GradDiff_NLL",
        "icu",
        {"alpha": 0.0, "beta": 0.0, "retain_weight": 1.0, "generic_weight": 0.0},
    ),
]


@pytest.mark.parametrize(("case", "name", "chosen"), SHIPPED)
def test_terms_and_gradients_as_shipped(
    published: Published, case: str, name: str, chosen: dict[str, Any]
) -> None:
    theirs = published.values["as_shipped"][case]
    terms = METHODS[name].parse(chosen).loss(published.batch())
    total = sum(terms.values())
    assert total.item() == pytest.approx(theirs["loss"], rel=TOLERANCE)
    for role, term in terms.items():
        weight = chosen.get(f"{role}_weight", 1.0)
        expected = weight * theirs.get(f"{role}_loss", theirs["loss"])
        assert term.item() == pytest.approx(expected, rel=TOLERANCE)
        assert_same(published.gradient(term, role), published.shipped[f"{case}__{role}"])


KL_RETAIN = "kl_reference_to_model_retain"


@pytest.mark.parametrize(
    ("case", "name", "chosen"),
    [
        ("GradDiff_KL", "grad_diff", {"retain_loss": "kl"}),
        ("GradDiff_KL", "ga_kl", {}),
        ("NPO_b0.1_KL", "npo", {"retain_loss": "kl"}),
    ],
)
def test_kl_variants_forget_as_shipped_and_retain_over_answer_tokens(
    published: Published, case: str, name: str, chosen: dict[str, Any]
) -> None:
    shipped, masked = published.values["as_shipped"][case], published.values["masked"]
    terms = METHODS[name].parse({**chosen, "retain_weight": 3.0}).loss(published.batch())
    assert terms["forget"].item() == pytest.approx(shipped["forget_loss"], rel=TOLERANCE)
    assert_same(published.gradient(terms["forget"], "forget"), published.shipped[f"{case}__forget"])
    assert terms["retain"].item() == pytest.approx(3 * masked[KL_RETAIN], rel=TOLERANCE)
    assert_same(
        published.gradient(terms["retain"], "retain"),
        3 * published.masked[f"{KL_RETAIN}__retain"],
    )


MASKED = [
    ("undial_strength_10_forget", "forget", "undial", {"strength": 10.0}),
    ("undial_strength_30_forget", "forget", "undial", {"strength": 30.0}),
    (KL_RETAIN, "generic", "undial", {"generic_weight": 1.0}),
    ("nlul_exact_forget", "forget", "mean_teacher", {}),
    ("nlul_tol_0.02_forget_surrogate_value", "forget", "mean_teacher", {"tol": 0.02}),
    (KL_RETAIN, "generic", "mean_teacher", {"penalty": "kl"}),
    (KL_RETAIN, "divergence", "icu", {"beta": 1.0}),
    (KL_RETAIN, "generic", "icu", {"generic_weight": 1.0}),
    ("qkl_half_variance_retain", "generic", "mean_teacher", {"penalty": "qkl"}),
    ("pdu_forget_term_shifted_mask", "forget", "pdu", {}),
    (
        "simnpo_beta_1_delta_2_forget_term_only",
        "forget",
        "simnpo",
        {"beta": 1.0, "margin": 2.0, "forget_weight": 1.0},
    ),
    (KL_RETAIN, "retain", "simnpo", {"retain_loss": "kl"}),
    (KL_RETAIN, "retain", "wga", {"retain_loss": "kl"}),
    (KL_RETAIN, "retain", "ceu", {"retain_loss": "kl", "retain_weight": 1.0}),
    (KL_RETAIN, "retain", "satimp", {"retain_loss": "kl", "retain_weight": 1.0}),
]


@pytest.mark.parametrize(("case", "term", "name", "chosen"), MASKED)
def test_terms_and_gradients_over_answer_tokens(
    published: Published, case: str, term: str, name: str, chosen: dict[str, Any]
) -> None:
    ours = METHODS[name].parse(chosen).loss(published.batch())[term]
    assert ours.item() == pytest.approx(published.values["masked"][case], rel=TOLERANCE)
    role = "forget" if term == "forget" else "retain"
    assert_same(published.gradient(ours, role), published.masked[f"{case}__{role}"])


def test_kl_on_the_forget_text(published: Published) -> None:
    case = "kl_reference_to_model_forget"
    ours = published.one("forget").kl(published.reference("forget"))
    assert ours.item() == pytest.approx(published.values["masked"][case], rel=TOLERANCE)
    assert_same(published.gradient(ours, "forget"), published.masked[f"{case}__forget"])


def test_weights_scale_each_term(published: Published) -> None:
    one = METHODS["mean_teacher"].parse({}).loss(published.batch())
    other = METHODS["mean_teacher"].parse({"alpha": 0.05, "beta": 2.0}).loss(published.batch())
    assert other["forget"].item() == pytest.approx(0.05 * one["forget"].item())
    assert other["generic"].item() == pytest.approx(2.0 * one["generic"].item())
    assert one["forget"].item() == pytest.approx(
        negative_log_unlikelihood(published.one("forget")).item()
    )


def test_simnpo_where_the_push_has_not_faded(published: Published) -> None:
    """The logits of the retain set in the forget role: they give their labels more."""
    case = "simnpo_beta_0.3_delta_0_retain_logits_as_forget"
    chosen = METHODS["simnpo"].parse({"beta": 0.3, "forget_weight": 1.0, "retain_weight": 0.0})
    ours = chosen.loss(Batch(forget=published.one("retain")))["forget"]
    assert ours.item() == pytest.approx(published.values["masked"][case], rel=TOLERANCE)
    assert_same(published.gradient(ours, "retain"), published.masked[f"{case}__retain"])


def test_pdu_keeps_the_retain_loss_as_shipped(published: Published) -> None:
    """The shipped forget term takes its mask from labels that were not shifted."""
    terms = METHODS["pdu"].parse({}).loss(published.batch())
    assert_same(
        published.gradient(terms["retain"], "retain"), published.shipped["PDU_plain__retain"]
    )
    shipped = published.values["as_shipped"]["PDU_plain"]["loss"] - terms["retain"].item()
    assert abs(shipped - terms["forget"].item()) > 0.1


def test_rmu_over_the_labelled_tokens_of_each_sequence(reference_dir: Path) -> None:
    """The shipped values divide every sequence by every other one's length."""
    inputs = np.load(reference_dir / "losses" / "inputs.npz")
    masked = json.loads((reference_dir / "losses" / "values.json").read_text())["masked"]

    def one(role: str, name: str) -> Pass:
        states = torch.tensor(inputs[name], requires_grad=True)
        logits_BTV, labels_BT = (torch.tensor(inputs[f"{role}_{x}"]) for x in ("logits", "labels"))
        return Pass(logits_BTV, labels_BT, hidden_states=[states] * 5)

    control_D = torch.tensor(inputs["rmu_control_vec"][0, 0])
    batch = Batch(
        forget=one("forget", "rmu_act_forget"),
        retain=one("retain", "rmu_act_retain"),
        retain_reference=one("retain", "rmu_act_retain_ref"),
        own={"direction": control_D / control_D.norm()},
    )
    weight = 3.0
    chosen = {"coefficient": 2.0, "adaptive": False, "retain_weight": weight}
    terms = METHODS["rmu"].parse(chosen).loss(batch)
    goals = {"forget": control_D, "retain": batch.retain_reference.hidden(1).detach()}
    for role, factor in (("forget", 1.0), ("retain", weight)):
        expected = factor * masked[f"rmu_{role}_per_sequence_mean"]
        assert terms[role].item() == pytest.approx(expected, rel=TOLERANCE)
        states_BTD = getattr(batch, role).hidden(1)
        (ours,) = torch.autograd.grad(terms[role], states_BTD)
        labelled_BT = torch.tensor(inputs[f"{role}_labels"]) != -100
        share_BT = labelled_BT / labelled_BT.sum(1, keepdim=True) / len(labelled_BT)
        apart_BTD = states_BTD.detach() - goals[role]
        by_hand = factor * 2 / apart_BTD.shape[-1] * apart_BTD * share_BT[..., None]
        assert_same(ours.numpy(), by_hand.numpy())
