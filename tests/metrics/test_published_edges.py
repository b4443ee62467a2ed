"""What else the published evaluation code answers: edges, other pairs of sets, MUSE's own texts."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.metrics.evidences import of_losses, of_positions, positions_from_logits
from unlearning.metrics._membership import area
from unlearning.metrics.base import Positions
from unlearning.metrics.forget_quality import ForgetQuality
from unlearning.metrics.membership_loss import MembershipLoss
from unlearning.metrics.membership_min_k import MembershipMinK
from unlearning.metrics.membership_min_k_plus_plus import MembershipMinKPlusPlus
from unlearning.metrics.membership_zlib import MembershipZlib
from unlearning.metrics.privacy_leakage import leakage
from unlearning.metrics.truth_ratio import TruthRatio

RELATIVE = 1e-4
EOS = 1
ROLES = ("forget", "retain", "holdout")


@pytest.fixture(scope="module")
def folder(reference_dir: Path) -> Path:
    return reference_dir / "metrics"


@pytest.fixture(scope="module")
def values(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "values.json").read_text())


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Positions]:
    stored = np.load(folder / "logits_inputs.npz")
    pairs = zip(stored["logits"], stored["labels"], strict=True)
    return [positions_from_logits(logits, labels, EOS) for logits, labels in pairs]


def test_log_probabilities_token_by_token(rows: list[Positions], values: dict[str, Any]) -> None:
    main = values["logits_level"]["main"]
    for place, logps, labels in zip(
        values["logits_level"]["_rows"]["main"],
        main["tokenwise_logprobs"],
        main["tokenwise_labels"],
        strict=True,
    ):
        row = rows[place]
        assert list(row.target[row.scored]) == labels
        assert list(row.logp[row.scored]) == pytest.approx(logps, rel=RELATIVE)


ATTACKS = {
    "mia_loss": MembershipLoss(),
    "mia_zlib": MembershipZlib(),
    "mia_min_k_0.4": MembershipMinK(),
    "mia_min_k_0.2": MembershipMinK(k=0.2),
    "mia_min_k_plus_plus_0.4": MembershipMinKPlusPlus(),
    "mia_min_k_plus_plus_0.2": MembershipMinKPlusPlus(k=0.2),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_where_only_the_end_is_labelled(
    name: str, rows: list[Positions], values: dict[str, Any]
) -> None:
    entry = values["logits_level"]["only_eos_labelled(row4)"][name]
    evidence = replace(of_positions(rows[4]), texts=[""])
    (found,) = ATTACKS[name].suspicion(evidence)
    if name == "mia_zlib":
        # Theirs divides by the eight bytes that an empty text is compressed to.
        assert entry["agg_value"] == pytest.approx(
            ATTACKS["mia_loss"].suspicion(evidence)[0] / len(zlib.compress(b""))
        )
    elif "min_k" in name:
        assert entry["agg_value"] == 0.0 and found is None, "theirs says 0; no token is scored"
    else:
        assert found == pytest.approx(entry["agg_value"], rel=RELATIVE)


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_where_nothing_is_labelled(name: str, rows: list[Positions]) -> None:
    evidence = replace(of_positions(rows[5]), texts=[""])
    assert ATTACKS[name].suspicion(evidence) == [None]


def test_truth_ratio_of_the_retained_rows(values: dict[str, Any]) -> None:
    given, entry = values["aggregates"]["inputs"], values["aggregates"]["retain_truth_ratio"]
    evidence = of_losses(
        [0.3] * len(given["retain_correct_avg_loss"]),
        given["retain_wrong_avg_loss"],
        given["retain_correct_avg_loss"],
    )
    score = TruthRatio().score(evidence)
    ratios = [one["score"] for one in entry["value_by_index"].values()]
    each = [min(ratio, 1 / ratio) for ratio in ratios]
    assert list(score.samples) == pytest.approx(each, rel=RELATIVE)
    assert score.value == pytest.approx(entry["agg_value"], rel=RELATIVE)
    assert values["aggregates"]["forget_quality_ks_without_reference"]["agg_value"] is None
    assert ForgetQuality().score(evidence) is None


@pytest.mark.parametrize(
    ("name", "auc", "level"),
    [
        ("rel_diff_auc0.83_ref0.47", 0.83, 0.47),
        ("rel_diff_auc0.5_ref0.5", 0.5, 0.5),
        ("rel_diff_auc0.3_ref1.0", 0.3, 1.0),
    ],
)
def test_relative_difference_is_leakage_of_the_other_area(
    name: str, auc: float, level: float, values: dict[str, Any]
) -> None:
    published = values["aggregates"][name]["agg_value"]
    assert leakage(1 - auc, 1 - level) == pytest.approx(published, rel=1e-6)


def test_leakage_without_a_level_is_undefined(values: dict[str, Any]) -> None:
    """Theirs divides by 1e-10."""
    assert values["aggregates"]["rel_diff_auc1.0_ref0.0"]["agg_value"] > 1e11
    assert leakage(0.0, 1.0) is None


def test_leakage_of_the_trained_model(values: dict[str, Any]) -> None:
    """Its area is 1, so whatever the retrained model's is, everything leaks."""
    published = values["tiny_model"]["privleak_full_vs_retain_min_k_0.4"]
    for level in (0.1, 0.5, 0.9):
        assert leakage(1.0, level) == pytest.approx(published["agg_value"], rel=1e-6)


def test_areas_of_given_reference_scores(values: dict[str, Any]) -> None:
    entry = values["tiny_model"]["full"]["mia_reference_vs_retain_only"]
    forget, holdout = (
        np.array([one["score"] for one in entry[role]["value_by_index"].values()])
        for role in ("forget", "holdout")
    )
    assert area(forget, holdout) == pytest.approx(entry["auc"], rel=1e-12)


def test_every_published_area_of_muse(values: dict[str, Any]) -> None:
    muse = values["muse_bench"]["full"]
    assert len(muse["privleak_auc"]) == 90
    for name, published in muse["privleak_auc"].items():
        role, other, attack = name.split("_")
        own, theirs = (
            np.array([entry[attack] for entry in muse["privleak_log"][one]])
            for one in (role, other)
        )
        assert 1 - area(own, theirs) == pytest.approx(published, abs=1e-12), name


def test_muse_scores_of_a_trained_model(folder: Path, values: dict[str, Any]) -> None:
    """MUSE's loss, zlib and Min-K% of whole texts, of which the first token is given."""
    model = AutoModelForCausalLM.from_pretrained(folder / "model_full", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder / "model_full")
    log = values["muse_bench"]["full"]["privleak_log"]
    entries = [entry for role in ROLES for entry in log[role]]
    passes = []
    for entry in entries:
        ids = tokenizer(entry["text"])["input_ids"]
        with torch.no_grad():
            logits_TV = model.eval()(torch.tensor([ids])).logits[0].numpy()
        one = positions_from_logits(logits_TV, np.array([-100, *ids[1:]]), end=-1)
        passes.append(one)
    evidence = replace(of_positions(*passes), texts=[entry["text"] for entry in entries])
    # Log-probabilities near 0 are rounded in another way there, in float32.
    for name, attack in [("PPL", MembershipLoss()), ("PPL/zlib", MembershipZlib())] + [
        (f"Min-{k}%", MembershipMinK(k=k / 100)) for k in (10, 20, 30, 40, 50, 60)
    ]:
        published = [entry[name] for entry in entries]
        assert attack.suspicion(evidence) == pytest.approx(published, rel=RELATIVE), name
