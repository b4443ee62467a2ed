"""Membership attacks: published values, hand-made values, and what holds for any scores."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.evidences import of_positions, positions, positions_from_logits
from unlearning.metrics._membership import (
    MembershipAttack,
    area,
    area_with_interval,
    lowest_mean,
    rate_with_interval,
    true_positive_rate,
)
from unlearning.metrics._verdict import verdict
from unlearning.metrics.base import Evidence, Positions
from unlearning.metrics.membership_loss import MembershipLoss
from unlearning.metrics.membership_min_k import MembershipMinK
from unlearning.metrics.membership_min_k_plus_plus import MembershipMinKPlusPlus, standardised
from unlearning.metrics.membership_reference import MembershipReference
from unlearning.metrics.membership_zlib import MembershipZlib
from unlearning.metrics.privacy_leakage import PrivacyLeakage, leakage

RELATIVE = 1e-5
EOS = 1
SCORES = st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0]), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def values(reference_dir: Path) -> dict[str, Any]:
    return json.loads((reference_dir / "metrics/values.json").read_text())


@pytest.fixture(scope="module")
def rows(reference_dir: Path) -> list[Positions]:
    given_ = np.load(reference_dir / "metrics/logits_inputs.npz")
    pairs = zip(given_["logits"], given_["labels"], strict=True)
    return [positions_from_logits(logits, labels, EOS) for logits, labels in pairs]


def beside(forget: Evidence, holdout: Evidence) -> Evidence:
    return replace(forget, beside={"holdout": replace(holdout, role="holdout")})


def of_loss(*losses: float) -> Evidence:
    """Sequences of two tokens with these mean losses."""
    return of_positions(*(positions([5, 6], logp=[-loss, -loss]) for loss in losses))


def words(row: Positions) -> str:
    return " ".join(f"w{token}" for token in row.target if token > 2)


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        (MembershipLoss(), "mia_loss"),
        (MembershipZlib(), "mia_zlib"),
        (MembershipMinK(k=0.2), "mia_min_k_0.2"),
        (MembershipMinK(), "mia_min_k_0.4"),
        (MembershipMinKPlusPlus(k=0.2), "mia_min_k_plus_plus_0.2"),
        (MembershipMinKPlusPlus(), "mia_min_k_plus_plus_0.4"),
    ],
)
def test_fixed_logits(
    attack: MembershipAttack, name: str, rows: list[Positions], values: dict[str, Any]
) -> None:
    level = values["logits_level"]
    chosen = [rows[i] for i in level["_rows"]["main"]]
    evidence = replace(of_positions(*chosen), texts=[words(row) for row in chosen])
    published = [one["score"] for one in level["main"][name]["value_by_index"].values()]
    assert attack.suspicion(evidence) == pytest.approx(published, rel=RELATIVE)


def test_published_area_of_given_scores(values: dict[str, Any]) -> None:
    entry = values["aggregates"]["mia_auc_given_scores"]
    forget, holdout = (np.array(entry["inputs"][key]) for key in ("forget", "holdout"))
    assert area(forget, holdout) == pytest.approx(entry["auc"], rel=1e-12)


@pytest.mark.parametrize("attack", ["PPL", "PPL/zlib", "Min-20%", "Min-40%", "Min-60%"])
@pytest.mark.parametrize("other", ["retain", "holdout"])
def test_published_areas_of_muse_have_the_opposite_sign(
    attack: str, other: str, values: dict[str, Any]
) -> None:
    muse = values["muse_bench"]["full"]
    scores = {
        role: np.array([entry[attack] for entry in muse["privleak_log"][role]])
        for role in ("forget", other)
    }
    theirs = muse["privleak_auc"][f"forget_{other}_{attack}"]
    assert 1 - area(scores["forget"], scores[other]) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "auc", "level"),
    [
        ("privleak_auc0.83_ref0.47", 0.83, 0.47),
        ("privleak_auc0.5_ref0.5", 0.5, 0.5),
        ("privleak_auc1.0_ref0.0", 1.0, 0.0),
        ("privleak_default_ref_auc0.83", 0.83, 0.5),
    ],
)
def test_published_leakage(name: str, auc: float, level: float, values: dict[str, Any]) -> None:
    published = values["aggregates"][name]["agg_value"]
    assert leakage(auc, level) == pytest.approx(published, rel=1e-6)


@pytest.mark.parametrize(
    ("muse_auc", "muse_level", "percent"),
    [(0.0, 0.4772, -100.0), (0.5021, 0.4772, 5.22), (1.0, 0.4772, 109.56), (1.0, 0.5393, 85.43)],
)
def test_leakage_in_the_papers_table(muse_auc: float, muse_level: float, percent: float) -> None:
    assert leakage(1 - muse_auc, 1 - muse_level) == pytest.approx(percent, abs=0.005)


def test_toy_values() -> None:
    logp = np.array([-0.1, -2.0, -0.5, -3.0, -0.2])
    assert lowest_mean(logp, 0.4) == -2.5 and lowest_mean(logp, 0.2) == -3.0
    assert lowest_mean(logp, 0.01) == -3.0, "at least one"
    assert lowest_mean(logp[:0], 0.4) is None
    logits = np.log([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25], [1, 1, 1]])
    one = positions_from_logits(logits, np.array([-100, 0, 1]), end=-1)
    assert standardised(one) == pytest.approx([0.6331, -1.0], abs=5e-5)


def test_the_end_of_text_counts_in_the_loss_only() -> None:
    one = positions([5, 6, 1], logp=[-1.0, -2.0, -9.0], end=[False, False, True])
    evidence = replace(of_positions(one), texts=["five six"])
    assert MembershipLoss().suspicion(evidence) == [4.0]
    size = len(zlib.compress(b"five six"))
    assert MembershipZlib().suspicion(evidence) == [4.0 / size]
    assert MembershipMinK(k=0.5).suspicion(evidence) == [2.0]


def test_a_certain_model_has_finite_scores() -> None:
    evidence = of_positions(positions([5, 6], logp=[0.0, 0.0]))
    assert MembershipMinKPlusPlus().suspicion(evidence) == [0.0]


def test_area_and_its_variant() -> None:
    evidence = beside(of_loss(0.1, 0.2, 1.5), of_loss(1.0, 2.0))
    score = MembershipLoss().score(evidence)
    assert score.value == pytest.approx(5 / 6) and score.n == 5
    assert score.samples == pytest.approx((0.1, 0.2, 1.5))
    assert score.variant == "auc, high = seen"
    assert score.low <= score.value <= score.high
    assert MembershipMinK().score(evidence).variant == "auc, k = 0.4, high = seen"


def test_rate_at_few_false_alarms() -> None:
    evidence = beside(of_loss(0.1, 0.2, 1.5, 3.0), of_loss(*range(1, 21)))
    at_1 = MembershipLoss(statistic="tpr_at_1").score(evidence)
    at_5 = MembershipLoss(statistic="tpr_at_5").score(evidence)
    assert (at_1.value, at_5.value) == (0.5, 0.75)
    assert at_1.low <= at_1.value <= at_1.high


def test_leakage_measured_and_assumed() -> None:
    evidence = beside(of_loss(0.1, 0.2, 1.5), of_loss(1.0, 2.0))
    score = PrivacyLeakage().score(evidence)
    assert score.value == pytest.approx((1 / 6 - 0.5) / 0.5 * 100)
    assert score.low <= score.value <= score.high
    assert score.variant.endswith("0.5 (assumed)")
    never = beside(of_loss(1.5, 0.5), of_loss(1.0))
    measured = PrivacyLeakage(retrained_auc=0.9).score(replace(evidence, retrained=never))
    assert measured.value == pytest.approx(score.value)
    assert measured.variant.endswith("0.5 (measured)")


def test_the_reference_explains_hard_texts() -> None:
    evidence = beside(of_loss(1.0, 5.0), of_loss(3.0, 4.0))
    evidence = replace(evidence, ids=[(0, 5, 6)] * 2)
    holdout = replace(evidence.beside["holdout"], ids=[(0, 5, 6)] * 2)
    theirs = [
        replace(of_loss(2.0, 8.0), ids=evidence.ids),
        replace(of_loss(3.0, 4.5), ids=holdout.ids),
    ]
    holdout = replace(holdout, retrained=theirs[1])
    evidence = replace(evidence, retrained=theirs[0], beside={"holdout": holdout})
    assert MembershipLoss().score(evidence).value == 0.5
    assert MembershipReference().suspicion(evidence) == [-1.0, -3.0]
    assert MembershipReference().score(evidence).value == 1.0
    other_tokens = replace(theirs[0], ids=[(0, 5, 7)] * 2)
    assert MembershipReference().score(replace(evidence, retrained=other_tokens)) is None


@pytest.mark.parametrize(
    "attack", [MembershipLoss(), MembershipMinK(), MembershipMinKPlusPlus(), PrivacyLeakage()]
)
def test_without_unseen_text_there_is_no_score(attack: MembershipAttack) -> None:
    assert attack.score(of_loss(1.0, 2.0)) is None
    assert attack.score(beside(of_loss(1.0), of_positions())) is None
    broken = of_positions(positions([5], logp=[np.nan]))
    assert attack.score(beside(of_loss(1.0), broken)) is None
    assert attack.score(beside(broken, of_loss(1.0))) is None
    assert MembershipZlib().score(beside(of_loss(1.0), of_loss(2.0))) is None, "no texts"


@given(SCORES, SCORES)
def test_area_is_what_counting_pairs_gives(forget: list[float], holdout: list[float]) -> None:
    pairs = [(h > f) + 0.5 * (h == f) for f in forget for h in holdout]
    one, other = np.array(forget), np.array(holdout)
    assert area(one, other) == pytest.approx(np.mean(pairs))
    assert area(other, one) == pytest.approx(1 - area(one, other))
    value, low, high = area_with_interval(one, other)
    assert low is None or low <= value <= high


@given(SCORES, SCORES, st.sampled_from([0.01, 0.05, 0.3, 1.0]))
def test_rate_is_what_trying_thresholds_gives(
    forget: list[float], holdout: list[float], rate: float
) -> None:
    one, other = np.array(forget), np.array(holdout)
    tried = [
        (one <= threshold).mean()
        for threshold in [-1.0, *forget, *holdout]
        if (other <= threshold).mean() <= rate
    ]
    assert true_positive_rate(one, other, rate) == pytest.approx(max(tried))


def test_infinite_losses_are_equal() -> None:
    endless = np.array([np.inf, np.inf])
    assert area(endless, endless) == 0.5


def test_both_sets_are_resampled_independently() -> None:
    """Equal sets give 0.5 in every resample only if they were drawn together."""
    scores = np.arange(40.0)
    value, low, high = area_with_interval(scores, scores)
    assert value == 0.5
    # Standard error of the area under equal distributions: sqrt((F + H + 1) / 12 / F / H).
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(81 / 12 / 1600), rel=0.15)
    assert rate_with_interval(scores, scores, 0.05)[1:] != (0.05, 0.05)


@pytest.mark.parametrize(
    ("metric", "original", "unlearned", "mark"),
    [
        (MembershipLoss, 0.99, 0.98, "bad"),
        (MembershipLoss, 0.99, 0.7, "fair"),
        (MembershipLoss, 0.99, 0.52, "good"),
        (MembershipLoss, 0.99, 0.2, "over"),
        (PrivacyLeakage, -99.0, -98.0, "bad"),
        (PrivacyLeakage, -99.0, 3.0, "good"),
        (PrivacyLeakage, -99.0, 90.0, "over"),
    ],
)
def test_verdicts(metric: type, original: float, unlearned: float, mark: str) -> None:
    assert verdict(metric, "forget", original, unlearned)[0] == mark
