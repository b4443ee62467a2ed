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
        """Generic is the retain set, as no generic one was published."""
        return Batch(
            forget=self.one("forget"),
            retain=self.one("retain"),
            generic=self.one("retain"),
            reference=self.reference("forget"),
            retain_reference=self.reference("retain"),
            generic_reference=self.reference("retain"),
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
        expected = theirs.get(f"{role}_loss", theirs["loss"])
        assert term.item() == pytest.approx(expected, rel=TOLERANCE)
        assert_same(published.gradient(term, role), published.shipped[f"{case}__{role}"])


KL_RETAIN = "kl_reference_to_model_retain"


@pytest.mark.parametrize(("case", "name"), [("GradDiff_KL", "grad_diff"), ("NPO_b0.1_KL", "npo")])
def test_kl_variants_forget_as_shipped_and_retain_over_answer_tokens(
    published: Published, case: str, name: str
) -> None:
    shipped, masked = published.values["as_shipped"][case], published.values["masked"]
    chosen = METHODS[name].parse({"retain_loss": "kl", "retain_weight": 3.0})
    terms = chosen.loss(published.batch())
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
    ("qkl_half_variance_retain", "generic", "mean_teacher", {"penalty": "qkl"}),
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
