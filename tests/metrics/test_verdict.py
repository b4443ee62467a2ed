"""Marks at and around every border."""

from __future__ import annotations

import math

import pytest

from unlearning.metrics._verdict import verdict
from unlearning.metrics.distinct_n import DistinctN
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.longest_repeat import LongestRepeat
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.metrics.perplexity import Perplexity
from unlearning.metrics.sequence_repetition import SequenceRepetition


@pytest.mark.parametrize(
    ("unlearned", "mark"),
    [
        (0.99, "bad"),
        (0.85, "bad"),
        (0.79, "fair"),
        (0.71, "fair"),
        (0.69, "good"),
        (0.60, "good"),
        (0.51, "good"),
        (0.49, "over"),
        (0.0, "over"),
    ],
)
def test_forgetting_beside_unseen_text(unlearned: float, mark: str) -> None:
    """Original 1.0, unseen text 0.6."""
    assert verdict(MemorizationAccuracy, "forget", 1.0, unlearned, 0.6)[0] == mark


def test_a_level_near_zero_cannot_be_undercut() -> None:
    assert verdict(ExtractionLikelihood, "forget", 0.9, 0.0, 0.08)[0] == "good"
    assert verdict(ExtractionLikelihood(n=5), "forget", 0.9, 0.0, 0.3)[0] == "over"


def test_text_it_never_knew() -> None:
    mark, words = verdict(MemorizationAccuracy, "forget", 0.52, 0.52, 0.5)
    assert mark == "good" and "never knew" in words


@pytest.mark.parametrize(
    ("unlearned", "mark"), [(0.0, "good"), (0.09, "good"), (0.4, "fair"), (0.6, "bad")]
)
def test_forgetting_with_nothing_to_compare(unlearned: float, mark: str) -> None:
    assert verdict(ExtractionLikelihood, "forget", 1.0, unlearned, None)[0] == mark


@pytest.mark.parametrize(
    ("unlearned", "mark"),
    [(1.05, "bad"), (1.8, "fair"), (4.5, "good"), (1e9, "over"), (math.inf, "over")],
)
def test_perplexity_of_the_forget_text_rises(unlearned: float, mark: str) -> None:
    """Original 1.02, unseen text 5."""
    assert verdict(Perplexity, "forget", 1.02, unlearned, 5.0)[0] == mark


@pytest.mark.parametrize(
    ("unlearned", "mark"), [(0.9, "good"), (0.77, "good"), (0.73, "fair"), (0.71, "bad")]
)
def test_text_to_keep(unlearned: float, mark: str) -> None:
    """Original 0.8; the level of unseen text has no say."""
    assert verdict(MemorizationAccuracy, "retain", 0.8, unlearned, 0.1)[0] == mark


@pytest.mark.parametrize(
    ("unlearned", "mark"),
    [(18.0, "good"), (20.9, "good"), (21.5, "fair"), (25.0, "bad"), (math.inf, "bad")],
)
def test_general_perplexity(unlearned: float, mark: str) -> None:
    assert verdict(Perplexity, "generic", 20.0, unlearned)[0] == mark


def test_text_health_is_compared_with_the_original() -> None:
    assert verdict(SequenceRepetition, "generic", 0.02, 0.05)[0] == "good"
    assert verdict(SequenceRepetition, "forget", 0.02, 0.22)[0] == "fair"
    assert verdict(SequenceRepetition, "retain", 0.02, 0.60)[0] == "bad"
    assert verdict(DistinctN, "retain", 0.90, 0.85)[0] == "good"
    assert verdict(DistinctN, "retain", 0.90, 0.40)[0] == "bad"
    assert verdict(LongestRepeat, "retain", 1.2, 1.8)[0] == "good"
    assert verdict(LongestRepeat, "retain", 1.2, 12.0)[0] == "bad"


def test_words_are_plain_and_a_role_without_direction_is_refused() -> None:
    assert verdict(MemorizationAccuracy, "forget", 1.0, 0.2, 0.6)[1].endswith("over-forgotten")
    with pytest.raises(KeyError):
        verdict(MemorizationAccuracy, "holdout", 1.0, 1.0)
