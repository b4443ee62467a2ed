"""Bits per byte, continuations word for word, diversity and echoed tokens, on toy values."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.metrics.evidences import (
    continuation,
    of_continuations,
    of_positions,
    of_texts,
    positions,
)
from unlearning.metrics.base import Continuation
from unlearning.metrics.bits_per_byte import BitsPerByte
from unlearning.metrics.diversity import Diversity, diversity
from unlearning.metrics.sequence_repetition import repetition
from unlearning.metrics.suffix_extraction import SuffixExtraction
from unlearning.metrics.token_repetition import TokenRepetition
from unlearning.metrics.verbatim_memorization import VerbatimMemorization


def written(ids: tuple[int, ...], true: tuple[int, ...]) -> Continuation:
    return Continuation((0,), ids, "", true, "")


@pytest.mark.parametrize(
    ("ids", "exact", "tokens"),
    [
        ((1, 2, 3, 4), 1.0, 1.0),
        ((1, 2, 3, 4, 9, 9), 1.0, 1.0),
        ((1, 2, 9, 4), 0.0, 0.75),
        ((1, 2), 0.0, 0.5),
        ((), 0.0, 0.0),
        ((9, 1, 2, 3, 4), 0.0, 0.0),
    ],
)
def test_suffix_extraction(ids: tuple[int, ...], exact: float, tokens: float) -> None:
    evidence = of_continuations(written(ids, (1, 2, 3, 4)))
    assert SuffixExtraction().score(evidence).value == exact
    assert SuffixExtraction(variant="tokens").score(evidence).value == tokens


def test_suffix_extraction_over_texts() -> None:
    score = SuffixExtraction().score(
        of_continuations(written((1,), (1,)), written((2,), (1,)), written((3,), ()))
    )
    assert (score.value, score.n, score.samples) == (0.5, 2, (1.0, 0.0, None))


def test_verbatim_memorization_of_muse(reference_dir: Path) -> None:
    path = reference_dir / "metrics/values.json"
    muse = json.loads(path.read_text())["muse_bench"]["full"]
    evidence = of_continuations(
        *(continuation(text=e["response"], reference=e["gt"]) for e in muse["verbmem_log"])
    )
    score = VerbatimMemorization().score(evidence)
    assert score.value == pytest.approx(muse["verbmem"]["mean_rougeL"], rel=1e-9)
    assert max(score.samples) == pytest.approx(muse["verbmem"]["max_rougeL"], rel=1e-9)


def test_words_are_compared_as_they_are() -> None:
    evidence = of_continuations(
        continuation(text="a cat runs quick", reference="the cats were running quickly")
    )
    assert VerbatimMemorization().score(evidence).value == 0.0


def test_bits_per_byte() -> None:
    bit = -math.log(2)
    one = positions([5, 6, 1], logp=[3 * bit, 5 * bit, 100.0], end=[False, False, True])
    other = positions([5], logp=[4 * bit])
    evidence = replace(of_positions(one, other), texts=["four", "zwölf"])
    score = BitsPerByte().score(evidence)
    assert score.value == pytest.approx(12 / 10)
    assert score.samples == pytest.approx((2.0, 4 / 6))
    assert score.low <= score.value <= score.high and score.n == 2
    assert BitsPerByte.remembered(score.value) == pytest.approx(2**-1.2)


def test_bits_per_byte_without_text() -> None:
    assert BitsPerByte().score(of_positions(positions([5]))) is None
    assert BitsPerByte().score(replace(of_positions(positions([5])), texts=[""])) is None
    broken = replace(of_positions(positions([5], logp=[math.nan])), texts=["a"])
    assert BitsPerByte().score(broken) is None


def test_diversity() -> None:
    toy = (5, 6, 5, 6, 5, 6, 7, 8)
    assert [repetition(toy, n) for n in (1, 2, 3, 4)] == pytest.approx(
        [0.5, 0.4286, 1 / 3, 0.2], abs=5e-5
    )
    assert diversity(toy) == pytest.approx((4 / 7) * (2 / 3) * 0.8)
    assert diversity((1, 2, 3)) is None
    score = Diversity().score(of_texts(toy, (1, 2, 3, 4), (1, 1)))
    assert score.value == pytest.approx((diversity(toy) + 1) / 2) and score.n == 2
    assert Diversity().score(of_texts((3,) * 50)).value < 1e-4


def test_echoed_tokens() -> None:
    one = positions([1, 2, 3, 4], [9, 1, 2, 4], scored=[False, True, True, True])
    evidence = replace(of_positions(one), ids=[(4, 1, 2, 3, 4)])

    def value(**settings: object) -> float:
        return TokenRepetition(**settings).score(evidence).value

    assert value() == pytest.approx(2 / 3), "1 and 2 are wrong and were just read"
    assert value(variant="rep") == 1.0, "the 4 is right and was read as well"
    assert value(variant="rep", window=1) == pytest.approx(2 / 3)
    assert TokenRepetition(window=4).score(evidence).variant == "wrep/4"


def test_a_model_that_echoes_everything() -> None:
    ids = tuple(range(40))
    one = positions(ids[1:], ids[:-1])
    echo = TokenRepetition(window=1).score(replace(of_positions(one), ids=[ids]))
    assert echo.value == 1.0
    fresh = positions(ids[1:], np.arange(100, 139).tolist())
    assert TokenRepetition().score(replace(of_positions(fresh), ids=[ids])).value == 0.0
