"""Intervals: what they hold, that they repeat, and that they cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearning.metrics._bootstrap import interval_of_ratio, mean_score


def test_nothing_gives_nothing() -> None:
    assert mean_score([]) is None
    assert mean_score([None, None]) is None
    assert mean_score([1.0, float("nan")]) is None


def test_one_sample_has_no_interval() -> None:
    score = mean_score([None, 0.25])
    assert (score.value, score.low, score.high, score.n) == (0.25, None, None, 1)
    assert score.samples == (None, 0.25)


def test_the_same_samples_give_the_same_interval() -> None:
    samples = np.random.default_rng(1).random(30).tolist()
    assert mean_score(samples) == mean_score(samples)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_the_interval_lies_around_the_value_and_within_the_samples(samples: list[float]) -> None:
    score = mean_score(samples)
    assert score.low <= score.value <= score.high
    assert min(samples) - 1e-12 <= score.low and score.high <= max(samples) + 1e-12


def test_width_is_that_of_the_normal_approximation() -> None:
    samples = np.random.default_rng(2).normal(size=400)
    score = mean_score(samples.tolist())
    half = 1.96 * samples.std() / 20
    assert score.high - score.value == pytest.approx(half, rel=0.15)
    assert score.value - score.low == pytest.approx(half, rel=0.15)


def test_most_intervals_cover_the_truth() -> None:
    generator = np.random.default_rng(3)
    scores = [mean_score(generator.random(25).tolist()) for _ in range(200)]
    covered = sum(score.low <= 0.5 <= score.high for score in scores)
    assert 175 <= covered <= 200


def test_a_ratio_resamples_texts_not_tokens() -> None:
    """Two equal halves of every text change nothing; tokens as samples would halve the width."""
    generator = np.random.default_rng(4)
    sums, lengths = generator.random(20) * 10, generator.integers(1, 30, 20).astype(float)
    value = sums.sum() / lengths.sum()
    one = interval_of_ratio(sums, lengths, value)
    longer = interval_of_ratio(sums * 7, lengths * 7, value)
    assert one == pytest.approx(longer)
    assert one[0] < value < one[1]
