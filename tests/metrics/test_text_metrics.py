"""Metrics that read generated text, on toy values and at their edges."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.evidences import continuation, of_continuations, of_texts
from unlearning.metrics._stretches import longest_loop, longest_run
from unlearning.metrics.distinct_n import DistinctN
from unlearning.metrics.longest_repeat import LongestRepeat
from unlearning.metrics.loop_coverage import LoopCoverage
from unlearning.metrics.rouge_l import RougeL, rouge_l
from unlearning.metrics.sequence_repetition import SequenceRepetition
from unlearning.metrics.token_entropy import TokenEntropy, entropy

TOY = [5, 6, 5, 6, 5, 6, 7, 8]


@pytest.mark.parametrize(("n", "expected"), [(1, 0.5), (2, 3 / 7), (3, 1 / 3), (4, 0.2)])
def test_sequence_repetition_toy(n: int, expected: float) -> None:
    assert SequenceRepetition(n=n).score(of_texts(TOY)).value == pytest.approx(expected)


def test_sequence_repetition_leaves_short_texts_out() -> None:
    score = SequenceRepetition().score(of_texts([1, 2, 3], TOY, []))
    assert score.samples == (None, pytest.approx(0.2), None)
    assert (score.value, score.n) == (pytest.approx(0.2), 1)


def test_token_entropy_toy() -> None:
    bits = 2 * 3 / 8 * math.log2(8 / 3) + 2 / 8 * math.log2(8)
    assert round(bits, 4) == 1.8113
    assert TokenEntropy(variant="bits").score(of_texts(TOY)).value == pytest.approx(bits)
    assert TokenEntropy().score(of_texts(TOY)).value == pytest.approx(bits / 3)
    assert round(TokenEntropy().score(of_texts(TOY)).value, 4) == 0.6038


def test_token_entropy_edges() -> None:
    assert entropy([]) is None
    assert entropy([7]) is None
    assert entropy([7], "bits") == 0.0
    assert entropy([7, 7, 7]) == 0.0
    assert entropy([1, 2, 3]) == pytest.approx(1.0)


def test_distinct_counts_over_all_texts_together() -> None:
    texts = of_texts([1, 2, 3], [1, 2, 4], [9])
    score = DistinctN().score(texts)
    # (1,2) (2,3) (1,2) (2,4): three of four.
    assert (score.value, score.n) == (0.75, 2)
    assert score.samples == (1.0, 1.0, None)
    assert (score.low, score.high) == (None, None)
    each = DistinctN(variant="text").score(texts)
    assert (each.value, each.low, each.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("ids", "run", "loop"),
    [
        (TOY, 1, 6),
        ([3] * 20, 20, 20),
        ([1, 2, 2, 2, 3], 3, 3),
        ([1, 2, 3, 4], 1, 0),
        ([1, 2, 3, 1, 2], 1, 0),
        ([1, 2, 3, 1, 2, 3], 1, 6),
        ([9, 1, 2, 3, 1, 2, 3, 1, 8], 1, 7),
        ([4], 1, 0),
        ([], 0, 0),
    ],
)
def test_stretches(ids: list[int], run: int, loop: int) -> None:
    assert longest_run(ids) == run
    assert longest_loop(ids, 16) == loop


@given(st.lists(st.integers(0, 2), max_size=14), st.integers(1, 5))
def test_longest_loop_is_the_longest_periodic_piece(ids: list[int], longest: int) -> None:
    best = 0
    for start in range(len(ids)):
        for stop in range(start + 1, len(ids) + 1):
            piece = ids[start:stop]
            for period in range(1, longest + 1):
                turns = (piece[:period] * len(piece))[: len(piece)]
                if len(piece) >= 2 * period and piece == turns:
                    best = max(best, len(piece))
    assert longest_loop(ids, longest) == best


def test_loop_coverage_and_longest_repeat() -> None:
    texts = of_texts(TOY, [3] * 10, [])
    loops = LoopCoverage().score(texts)
    assert loops.samples == (0.75, 1.0, None)
    runs = LongestRepeat().score(texts)
    assert (runs.value, runs.samples, runs.n) == (5.5, (1, 10, None), 2)
    assert LoopCoverage(longest_period=1).score(of_texts(TOY)).value == 0.0


GOLDEN = [
    ("The author's full name is Hsiao Yun-Hwa.", "The author is named Hsiao Yun-Hwa.", 6 / 9, 0.75),
    ("Richard Bachman", "His pen name was Richard Bachman.", 1.0, 0.5),
    ("the cats were running quickly", "a cat runs quick", 0.4, 4 / 9),
    ("the the the cat", "the cat the", 0.5, 4 / 7),
]


@pytest.mark.parametrize(("reference", "generation", "recall", "f1"), GOLDEN)
def test_rouge_golden(reference: str, generation: str, recall: float, f1: float) -> None:
    assert rouge_l(reference, generation) == pytest.approx(recall)
    assert rouge_l(reference, generation, statistic="f1") == pytest.approx(f1)


def test_rouge_without_stemmer_matches_whole_words_only() -> None:
    reference, generation = GOLDEN[2][:2]
    assert rouge_l(reference, generation, stemmer=False) == 0.0


@pytest.mark.parametrize("reference", ["", "  ", "?!", "北京", "é"])
def test_rouge_needs_a_word_to_compare_with(reference: str) -> None:
    assert rouge_l(reference, "anything") is None


def test_rouge_of_silence_is_zero() -> None:
    assert rouge_l("a true sentence", "") == 0.0


def test_rouge_drops_what_has_no_reference() -> None:
    score = RougeL().score(
        of_continuations(continuation(text="a b", reference="a b"), continuation(reference=""))
    )
    assert (score.value, score.n, score.samples) == (1.0, 1, (1.0, None))
    assert score.variant == "recall, stemmer"
