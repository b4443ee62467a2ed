"""Metrics named with settings, and the reason where one has no score."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.evidences import of_positions, positions
from tests.metrics.test_every_metric import full_evidence
from unlearning.errors import UserError
from unlearning.metrics import METRICS, STANDARD
from unlearning.metrics._chosen import chosen_metrics, title
from unlearning.metrics._missing import why_not
from unlearning.metrics.base import NEEDS
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.membership_loss import MembershipLoss


def test_variants_stand_side_by_side() -> None:
    words = ["extraction_likelihood", "extraction_likelihood:n=5:variant=icu"]
    found = chosen_metrics([*words, " membership_loss:statistic=tpr_at_5 "])
    assert found == {
        words[0]: ExtractionLikelihood(),
        words[1]: ExtractionLikelihood(n=5, variant="icu"),
        "membership_loss:statistic=tpr_at_5": MembershipLoss(statistic="tpr_at_5"),
    }
    assert title(words[0]) == "Extraction likelihood"
    assert title(words[1]) == "Extraction likelihood n=5, variant=icu"


@pytest.mark.parametrize(
    ("word", "part"),
    [
        ("el", "'el'"),
        ("extraction_likelihood:n", "'n'"),
        ("extraction_likelihood:n=0", "n = '0'"),
        ("extraction_likelihood:m=3", "'m'"),
        ("extraction_likelihood:n=two", "n = 'two'"),
        ("probability:x=1", "'x'"),
    ],
)
def test_what_is_wrong_is_named(word: str, part: str) -> None:
    with pytest.raises(UserError) as raised:
        chosen_metrics([word])
    assert part in raised.value.message and raised.value.hint


@given(st.text(alphabet="el_n:=5,x ", max_size=12) | st.sampled_from(list(METRICS)), st.text())
def test_any_word_is_a_metric_or_one_clear_sentence(name: str, rest: str) -> None:
    try:
        found = chosen_metrics([f"{name}:{rest}"])
    except UserError as error:
        assert str(error)
    else:
        assert len(found) == 1


def test_the_classifier_is_asked_for_by_name_alone() -> None:
    assert set(METRICS) - set(STANDARD) == {"gibberish"}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_says_what_it_lacks(name: str) -> None:
    bare = {"forget": of_positions(positions([]))}
    said = why_not(METRICS[name](), bare)
    assert said.endswith(".") and said.count(".") == 1
    assert all(NEEDS[need] in said for need in METRICS[name].needs)


def test_other_reasons() -> None:
    bare = {"holdout": of_positions(positions([]))}
    assert "retain and generic text" in why_not(METRICS["bits_per_byte"](), bare) or (
        "forget and retain and generic text" in why_not(METRICS["bits_per_byte"](), bare)
    )
    everything = full_evidence()
    assert why_not(METRICS["model_utility"](), everything).startswith("None of these texts")
    less = {role: replace(e, retrained=None) for role, e in everything.items()}
    assert NEEDS["retrained"] in why_not(METRICS["forget_quality"](), less)
    assert NEEDS["rewritten"] not in why_not(METRICS["forget_quality"](), less)
