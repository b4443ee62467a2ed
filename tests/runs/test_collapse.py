"""The collapse meter sees what perplexity hides, and does not cry wolf."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from unlearning.runs.collapse import Detector, Look, loops

HEALTHY = Look(kept_loops=0.0, forget_loops=0.0, perplexity=10.0, retain_accuracy=0.95)


def test_one_token_over_and_over_is_a_loop():
    assert loops([7] * 40)
    assert loops([1, 2, 3, 4, 5] + [9] * 12)


def test_a_phrase_over_and_over_is_a_loop():
    assert loops([4, 8, 15, 16] * 10)
    assert loops(list(range(100, 110)) + [4, 8, 15] * 10)


def test_saying_nothing_counts_as_a_loop():
    assert loops([])


def test_ordinary_text_is_no_loop():
    assert not loops(list(range(40)))
    words = [3, 9, 4, 3, 7, 2, 8, 3, 5, 4, 6, 1, 3, 9, 5, 2, 7, 4, 8, 6, 3, 1, 9, 2]
    assert not loops(words)


def test_a_short_answer_is_no_loop():
    assert not loops([5, 5])
    assert not loops([5, 6, 5, 6, 5])


def test_repeated_text_is_seen_though_perplexity_stands_still():
    """The prototype's gradient ascent at step 20: perplexity 1.02 times, a 29-token run."""
    look = replace(HEALTHY, kept_loops=0.4, perplexity=10.2, retain_accuracy=0.83)
    detector = Detector(HEALTHY)
    first, collapsed = detector.judge(look)
    assert first.meter == 1.0
    assert not collapsed
    _, collapsed = detector.judge(look)
    assert collapsed


def test_one_bad_look_is_forgiven():
    detector = Detector(HEALTHY)
    bad = replace(HEALTHY, kept_loops=0.3)
    assert not detector.judge(bad)[1]
    assert not detector.judge(HEALTHY)[1]
    assert not detector.judge(bad)[1]


@pytest.mark.parametrize(
    "look",
    [
        replace(HEALTHY, perplexity=1e6),
        replace(HEALTHY, perplexity=math.inf),
        replace(HEALTHY, kept_loops=1.0),
    ],
)
def test_what_is_beyond_doubt_needs_no_second_look(look):
    assert Detector(HEALTHY).judge(look)[1]


def test_a_loss_that_is_not_finite_is_a_collapse_at_once():
    health, collapsed = Detector(HEALTHY).judge(HEALTHY, finite=False)
    assert collapsed
    assert health.meter == 1.0
    assert "finite" in health.signs[0]


def test_forgetting_alone_is_no_alarm():
    """Some disorder in the forget answers and a little utility lost is what unlearning does."""
    look = Look(kept_loops=0.0, forget_loops=0.2, perplexity=10.8, retain_accuracy=0.88)
    detector = Detector(HEALTHY)
    for _ in range(10):
        health, collapsed = detector.judge(look)
        assert not collapsed
        assert health.meter < 0.5


def test_what_was_not_measured_is_not_judged():
    nothing = Look(None, None, None, None)
    health, collapsed = Detector(nothing).judge(nothing)
    assert health.meter == 0.0
    assert not collapsed
