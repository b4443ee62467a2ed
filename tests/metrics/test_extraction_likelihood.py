"""The fast algorithm equals the definition, prefix by prefix."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from tests.metrics.evidences import Choose, of_model, of_positions, positions, write_on
from unlearning.metrics.base import Evidence
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood


def naive_score(
    choose: Choose, ids: Sequence[int], first: int, n: int, end: int | None
) -> float | None:
    """EL_n as its authors wrote it: a generation for each prefix, sets of n-grams for each."""

    def grams(tokens: Sequence[int]) -> list[tuple[int, ...]]:
        return list(zip(*(tokens[k:] for k in range(n)), strict=False))

    total, prefixes = 0.0, 0
    for prefix in range(first, len(ids)):
        truth = grams(ids[prefix:])
        if not truth:
            continue
        written = grams(write_on(choose, ids[:prefix], len(ids), end))
        total += sum(gram in set(truth) for gram in written) / len(truth)
        prefixes += 1
    return total / prefixes if prefixes else None


EIGHT = [1, 2, 3, 4, 5, 6, 7, 8]


def exact(prefix: Sequence[int]) -> int:
    return len(prefix) + 1


def late(prefix: Sequence[int]) -> int:
    """Writes 9 for ever, unless it is given the true first five tokens or more."""
    return len(prefix) + 1 if len(prefix) >= 5 and 9 not in prefix else 9


@pytest.mark.parametrize(
    ("choose", "n", "expected"), [(exact, 2, 1.0), (late, 2, 2 / 6), (late, 3, 1 / 5)]
)
def test_toy(choose: Choose, n: int, expected: float) -> None:
    score = ExtractionLikelihood(n=n).score(of_model(choose, [EIGHT]))
    assert score.value == pytest.approx(expected, rel=1e-12)


def test_what_it_knows_costs_no_generation() -> None:
    asked: list[int] = []
    assert ExtractionLikelihood(n=2).score(of_model(exact, [EIGHT], asked=asked)).value == 1
    assert asked == []


def test_only_prefixes_before_a_wrong_token_are_generated() -> None:
    asked: list[int] = []
    ExtractionLikelihood(n=2).score(of_model(late, [EIGHT], asked=asked))
    assert asked == [1, 2, 3, 4]


def test_of_the_last_tokens_only_the_first_wrong_one_is_reached() -> None:
    asked: list[int] = []
    ExtractionLikelihood(n=3).score(of_model(lambda prefix: 9, [EIGHT], asked=asked))
    assert asked == [1, 2, 3, 4, 5]


def test_nothing_is_reached_behind_an_end() -> None:
    def choose(prefix: Sequence[int]) -> int:
        return {6: 99, 7: 9}.get(len(prefix), len(prefix) + 1)

    asked: list[int] = []
    evidence = of_model(choose, [[*EIGHT, 99]], end=99, asked=asked)
    score = ExtractionLikelihood(n=3).score(evidence)
    assert asked == []
    assert score.value == pytest.approx(naive_score(choose, EIGHT, 1, 3, 99), rel=1e-12)


def test_a_repeated_true_phrase_counts_every_time() -> None:
    """A model that loops over one true bigram gets a point for every round."""
    ids = [0, 5, 6, 1, 2, 3]

    def loop(prefix: Sequence[int]) -> int:
        return 6 if prefix[-1] == 5 else 5

    # After [0] it writes 5 6 5 6 5: the bigram (5, 6) twice of four; nothing after longer ones,
    # where the true rest no longer holds it.
    score = ExtractionLikelihood(n=2).score(of_model(loop, [ids]))
    assert score.value == pytest.approx((2 / 4 + 0 + 0 + 0) / 4, rel=1e-12)


def test_an_early_end_leaves_fewer_ngrams_over_the_same_denominator() -> None:
    def short(prefix: Sequence[int]) -> int:
        return 99 if len(prefix) >= 5 else len(prefix) + 1

    score = ExtractionLikelihood(n=2).score(of_model(short, [EIGHT], end=99))
    # Prefix i of 1 to 6 leaves 7 - i bigrams, and the model writes up to token 5.
    assert score.value == pytest.approx(sum(max(4 - i, 0) / (7 - i) for i in range(1, 7)) / 6)


def test_the_appended_end_is_no_part_of_the_text() -> None:
    with_end = of_model(late, [[*EIGHT, 50]], end=50)
    assert ExtractionLikelihood(n=3).score(with_end).value == pytest.approx(1 / 5)


def test_an_end_inside_the_text_stops_the_model_there() -> None:
    ids = [1, 2, 3, 50, 5, 6, 7, 50]

    def knows(prefix: Sequence[int]) -> int:
        return ids[len(prefix)] if len(prefix) < len(ids) else 0

    score = ExtractionLikelihood(n=1).score(of_model(knows, [ids], end=50))
    assert score.value == pytest.approx(naive_score(knows, ids[:-1], 1, 1, 50), rel=1e-12)
    assert score.value < 1


def test_prefixes_start_with_the_scored_region() -> None:
    score = ExtractionLikelihood(n=2).score(of_model(late, [EIGHT], scored_from=5))
    assert score.value == 1


def test_short_texts_are_left_out() -> None:
    evidence = of_model(exact, [EIGHT, EIGHT[:4]], scored_from=3)
    score = ExtractionLikelihood(n=5).score(evidence)
    assert score.samples == (1.0, None)
    assert score.n == 1
    assert ExtractionLikelihood(n=6).score(evidence) is None


def test_icu_starts_at_150() -> None:
    ids = list(range(1, 181))

    def late_too(prefix: Sequence[int]) -> int:
        return len(prefix) + 1 if len(prefix) >= 160 and 999 not in prefix else 999

    evidence = of_model(late_too, [ids])
    score = ExtractionLikelihood(n=10, variant="icu").score(evidence)
    # Prefixes 150 to 170; those from 160 on are recited.
    assert score.value == pytest.approx(11 / 21, rel=1e-12)
    assert score.value == pytest.approx(naive_score(late_too, ids, 150, 10, None))
    assert "icu" in score.variant
    assert ExtractionLikelihood(n=10).score(evidence).value == pytest.approx(11 / 170)
    short = of_model(exact, [list(range(1, 159))])
    assert ExtractionLikelihood(n=10, variant="icu").score(short) is None


def test_without_generation_there_is_no_result() -> None:
    given_pass = of_positions(positions(EIGHT[1:]))
    assert ExtractionLikelihood(n=2).score(given_pass) is None
    without = Evidence(
        role="forget", examples=(), positions=given_pass.positions, ids=[EIGHT], scored_from=[1]
    )
    assert ExtractionLikelihood(n=2).score(without) is None


VOCABULARY = 5
END = 4


@st.composite
def models_and_texts(draw: st.DrawFn) -> tuple[Choose, list[int], int]:
    """A random deterministic model with two tokens of memory and a text it half knows."""
    token = st.integers(0, VOCABULARY - 1)
    table = draw(st.lists(token, min_size=25, max_size=25))

    def choose(prefix: Sequence[int]) -> int:
        before = prefix[-2] if len(prefix) > 1 else 0
        return table[before * VOCABULARY + prefix[-1]]

    ids = [draw(token)]
    for own in draw(st.lists(st.none() | token, min_size=3, max_size=16)):
        ids.append(choose(ids) if own is None else own)
    return choose, ids, draw(st.integers(1, 4))


@settings(max_examples=300, deadline=None)
@given(models_and_texts(), st.integers(1, 4), st.booleans())
def test_fast_equals_naive_on_random_models(
    case: tuple[Choose, list[int], int], n: int, ends: bool
) -> None:
    choose, ids, first = case
    texts = [[*ids, END]] if ends else [ids]
    score = ExtractionLikelihood(n=n).score(
        of_model(choose, texts, scored_from=first, end=END if ends else None)
    )
    expected = naive_score(choose, ids, first, n, END if ends else None)
    if expected is None:
        assert score is None
    else:
        assert score.value == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fast_equals_naive_on_a_llama(seed: int) -> None:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.6,
        bos_token_id=0,
        eos_token_id=1,
    )
    model = LlamaForCausalLM(config).eval()

    def choose(prefix: Sequence[int]) -> int:
        with torch.no_grad():
            return int(model(torch.tensor([list(prefix)])).logits[0, -1].argmax())

    texts = []
    for length in (24, 31):
        ids = [0]
        while len(ids) < length:
            wrong = torch.rand(()) < 0.25
            ids.append(int(torch.randint(2, 40, ())) if wrong else choose(ids))
        texts.append([*ids, 1])
    asked: list[int] = []
    evidence = of_model(choose, texts, scored_from=3, end=1, asked=asked)
    for n in (2, 4):
        asked.clear()
        score = ExtractionLikelihood(n=n).score(evidence)
        by_hand = [naive_score(choose, ids[:-1], 3, n, 1) for ids in texts]
        assert list(score.samples) == pytest.approx(by_hand, rel=1e-12)
        assert 0 < score.value < 1
        assert 0 < len(asked) < sum(len(ids) - 1 - 3 for ids in texts) / 2
