"""Metrics that read one pass, on toy values and at their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.metrics.evidences import of_positions, positions
from unlearning.metrics.exact_memorization import ExactMemorization
from unlearning.metrics.extraction_strength import ExtractionStrength, strength
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.metrics.perplexity import Perplexity
from unlearning.metrics.probability import Probability


def test_memorization_accuracy_toy() -> None:
    one = positions([2, 3, 4, 5, 6, 7, 8], [9, 9, 9, 9, 6, 7, 8])
    assert MemorizationAccuracy().score(of_positions(one)).value == pytest.approx(3 / 7)


def test_accuracy_is_a_mean_over_texts_of_their_own_share() -> None:
    long = positions([1] * 9, [1] * 9)
    short = positions([1], [2])
    score = MemorizationAccuracy().score(of_positions(long, short))
    assert score.value == 0.5
    assert score.samples == (1.0, 0.0)


def test_only_scored_tokens_count() -> None:
    one = positions([1, 2, 3, 4], [9, 9, 3, 9], scored=[False, False, True, True])
    assert MemorizationAccuracy().score(of_positions(one)).value == 0.5
    assert ExactMemorization().score(of_positions(one)).value == 0.5
    assert ExtractionStrength().score(of_positions(one)).value == 0.0


@pytest.mark.parametrize(
    ("argmax", "paper", "open_unlearning"),
    [
        ([1, 2, 9, 4], 0.25, 0.25),
        ([1, 2, 3, 9], 0.0, 0.25),
        ([1, 2, 3, 4], 1.0, 1.0),
        ([9, 2, 3, 4], 0.75, 0.75),
        ([9, 9, 9, 9], 0.0, 0.25),
    ],
)
def test_extraction_strength_toy(argmax: list[int], paper: float, open_unlearning: float) -> None:
    evidence = of_positions(positions([1, 2, 3, 4], argmax))
    assert ExtractionStrength().score(evidence).value == paper
    other = ExtractionStrength(variant="open_unlearning").score(evidence)
    assert other.value == open_unlearning
    assert other.variant == "open_unlearning"


def test_extraction_strength_of_one_token() -> None:
    assert strength(np.array([False])) == 0.0
    assert strength(np.array([False]), "open_unlearning") == 1.0
    assert strength(np.array([], dtype=bool)) is None


def test_probability_counts_the_end_but_not_the_prefix() -> None:
    one = positions(
        [5, 6, 7, 1],
        logp=[-100.0, -1.0, -2.0, -6.0],
        scored=[False, True, True, False],
        end=[False, False, False, True],
    )
    assert Probability().score(of_positions(one)).value == pytest.approx(math.exp(-3))


def test_probability_is_the_mean_of_probabilities_not_of_losses() -> None:
    passes = [positions([1], logp=[-1.0]), positions([1], logp=[-3.0])]
    expected = (math.exp(-1) + math.exp(-3)) / 2
    assert Probability().score(of_positions(*passes)).value == pytest.approx(expected)


def test_perplexity_weighs_tokens_and_counts_every_labelled_one() -> None:
    one = positions(
        [1, 2, 3], logp=[-1.0, -2.0, -3.0], scored=[False, True, False], end=[False, False, True]
    )
    two = positions([4], logp=[-10.0])
    score = Perplexity().score(of_positions(one, two))
    assert score.value == pytest.approx(math.exp(16 / 4))
    assert list(score.samples) == pytest.approx([math.exp(2), math.exp(10)])
    assert score.low <= score.value <= score.high
    assert score.n == 2


def test_perplexity_beyond_float_is_infinite_not_an_error() -> None:
    passes = [positions([1], logp=[-1e4]), positions([1], logp=[-2e4])]
    score = Perplexity().score(of_positions(*passes))
    assert score.value == math.inf and score.high == math.inf and score.low == math.inf


def test_perplexity_leaves_empty_texts_out() -> None:
    score = Perplexity().score(of_positions(positions([]), positions([1], logp=[-1.0])))
    assert (score.value, score.n, score.samples[0]) == (pytest.approx(math.e), 1, None)
    assert Perplexity().score(of_positions(positions([]))) is None
