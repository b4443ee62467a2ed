"""Fast extraction likelihood equals the naive one on trained models, as they are and unlearned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.test_extraction_speed import naive
from tests.benchmarks.unlearned import unlearn
from unlearning.data.base import Example
from unlearning.data.encode import Encoded, encode
from unlearning.data.sources import load as load_texts
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.evidence import gather
from unlearning.models.generate import generate
from unlearning.models.load import Loaded, load
from unlearning.models.versions import Versions, open_versions

TOKENS = 40
N = 5
TOLD = (
    "Once upon a time, there was a little boy named Tim. He had a big blue kite. One windy day he "
    "went up the hill with his dog, and the kite flew away over the old red barn.",
    "The keeper of the lighthouse wrote long letters that nobody in the village ever answered.",
)


def first_windows(loaded: Loaded, examples: list[Example]) -> list[Encoded]:
    """The beginning of every passage, cut short: the naive way takes seconds for each."""
    encoded = encode(examples, loaded.tokenizer, max_length=TOKENS)
    return list({item.example: item for item in reversed(encoded)}.values())[::-1]


def demo(_: Path) -> tuple[Loaded, list[Example]]:
    """A text that the model knows by heart, and one that it never saw."""
    found = [
        next(e for e in load_texts(f"preset:world/{split}") if e.kind == "passage")
        for split in ("forget", "holdout")
    ]
    return load("demo", device="cpu"), found


def stories(shared_dir: Path) -> tuple[Loaded, list[Example]]:
    """What the model itself tells, and stories that it half knows."""
    folder = shared_dir / "models/stories260k"
    if not folder.is_dir():
        pytest.skip("no stories260k in the shared folder")
    loaded = load(str(folder), device="cpu")
    versions = open_versions(loaded, lora_rank=1)
    ids = [loaded.tokenizer.bos_token_id, *loaded.tokenizer("Once upon a time")["input_ids"][1:]]
    pieces = generate(versions, [ids], [REFERENCE], max_new_tokens=TOKENS)
    own = "Once upon a time" + "".join(piece.text for some in pieces for piece in some)
    texts = [own, *TOLD]
    return load(str(folder), device="cpu"), [
        Example(id=f"s{i}", text=text) for i, text in enumerate(texts)
    ]


RATES = {demo: 2e-3, stories: 2e-4}
"""At which six steps of gradient ascent leave something to recite."""


@pytest.fixture(scope="module", params=[demo, stories], ids=["demo", "stories260k"])
def opened(request: pytest.FixtureRequest, shared_dir: Path):
    """A model with its unlearned version beside it, and texts."""
    loaded, examples = request.param(shared_dir)
    versions = open_versions(loaded, lora_rank=8)
    encoded = first_windows(loaded, examples)
    unlearn(versions, encoded[:1], steps=6, rate=RATES[request.param])
    return loaded, versions, examples, encoded


def value(versions: Versions, version: str, loaded: Loaded, examples, encoded) -> float:
    evidence = gather(versions, version, "forget", examples, encoded, loaded.tokenizer)
    return ExtractionLikelihood(n=N).score(evidence).value


@pytest.mark.parametrize("version", [REFERENCE, STUDENT], ids=["original", "unlearned"])
def test_fast_equals_naive(opened, version: str) -> None:
    loaded, versions, examples, encoded = opened
    found = value(versions, version, loaded, examples, encoded)
    with versions.use(version):
        by_hand = naive(loaded, encoded, batched=False, n=N)
    assert found == pytest.approx(by_hand, abs=1e-9)
    assert 0 < found < 1, "else nothing was generated, or nothing recited"


def test_the_unlearned_model_recites_less(opened) -> None:
    loaded, versions, examples, encoded = opened
    before, after = (
        value(versions, version, loaded, examples, encoded[:1]) for version in (REFERENCE, STUDENT)
    )
    assert before > 0.9 and after < before
