"""KnowMem, RWKU's probes and LUME's score, on what their own code answers and on toy values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import harmonic_mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.evidences import of_continuations, of_positions, positions
from unlearning.data.base import Example
from unlearning.metrics._union_rouge import common, union_recall
from unlearning.metrics.base import Continuation, Evidence
from unlearning.metrics.gibberish import Gibberish
from unlearning.metrics.knowledge_memorization import KnowledgeMemorization, first_answer
from unlearning.metrics.lume_aggregate import LumeAggregate
from unlearning.metrics.rwku_probes import RwkuProbes, first_line


def answered(text: str, truth: str, name: str = "q", group: str = "") -> Continuation:
    """What a model wrote for a question."""
    asked = Example(id=name, kind="qa", question="Which?", answer=truth, group=group)
    return Continuation((0,), (), text, (), truth, asked)


def passage(text: str) -> Continuation:
    return Continuation((0,), (), text, (), text, Example(id="p", text=text))


def test_knowledge_memorization_of_muse(reference_dir: Path) -> None:
    muse = json.loads((reference_dir / "metrics/values.json").read_text())["muse_bench"]["full"]
    log = muse["knowmem_log"]
    score = KnowledgeMemorization().score(
        of_continuations(*(answered(e["response"], e["gt"]) for e in log))
    )
    assert list(score.samples) == pytest.approx([e["rougeL"] for e in log], rel=1e-9)
    assert score.value == pytest.approx(muse["knowmem"]["mean_rougeL"], rel=1e-9)
    assert max(score.samples) == pytest.approx(muse["knowmem"]["max_rougeL"], rel=1e-9)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" In Lowgate.\n\nAnd more.", " In Lowgate."),
        (" In Lowgate.\nQuestion: Where?", " In Lowgate."),
        ("Question: Where?", ""),
        (" In Low\ngate.", " In Low\ngate."),
    ],
)
def test_an_answer_ends_where_another_question_begins(text: str, kept: str) -> None:
    assert first_answer(text) == kept


def test_only_questions_are_asked() -> None:
    for metric in (KnowledgeMemorization(), RwkuProbes()):
        assert metric.score(of_continuations(passage("all of it"))) is None
        score = metric.score(of_continuations(passage("all"), answered("yes", "yes")))
        assert (score.value, score.n, score.samples) == (1.0, 1, (None, 1.0))


@pytest.mark.parametrize(
    ("reference", "generation", "recall"),
    [
        (
            "The author's full name is Hsiao Yun-Hwa.",
            "The author is named Hsiao Yun-Hwa.",
            4 / 7,
        ),
        ("Richard Bachman", "His pen name was Richard Bachman.", 1.0),
        ("the cats were running quickly", "a cat runs quick", 0.0),
        ("the the the cat", "the cat the", 1.0),
    ],
)
def test_recall_of_the_published_library(reference: str, generation: str, recall: float) -> None:
    assert union_recall(reference, generation) == pytest.approx(recall, rel=1e-12)


def test_sentences_are_compared_each_with_each() -> None:
    # "b a" is out of order in one sentence, and in order over two.
    assert union_recall("a b", "b a") == 0.5
    assert union_recall("a b", "b. a") == 1.0
    assert union_recall("a. b", "b a") == 1.0
    assert union_recall(" . ", "a") is None and union_recall("a", "") == 0.0


letters = st.lists(st.sampled_from("abc"), max_size=8)


@given(letters, letters)
def test_a_common_subsequence_is_one_of_both_and_the_longest(one, other) -> None:
    found = common(one, other)

    def inside(text: list[str]) -> bool:
        rest = iter(text)
        return all(letter in rest for letter in found)

    assert inside(one) and inside(other)
    assert len(found) == len(common(other, one))
    assert common(one, one) == one


def test_probes_read_the_first_line() -> None:
    assert first_line(" King\nQueen") == "King" and first_line("\n King") == "NOANSWER"
    score = RwkuProbes().score(
        of_continuations(answered("Stephen King\nNo", "Stephen King"), answered("", "Carrie"))
    )
    assert score.samples == (1.0, 0.0) and score.low <= score.value <= score.high


def rows(*scored: tuple[str, str, bool, bool], role: str = "forget") -> Evidence:
    """Rows of LUME: task, kind, and whether each of two rows is answered rightly."""
    found = [
        answered("quite right" if right else "nothing", "quite right", f"x'{kind}{i}", task)
        for task, kind, *rights in scored
        for i, right in enumerate(rights)
    ]
    return replace(of_continuations(*found), role=role)


FORGET = rows(("Task1", "sc", False, True), ("Task1", "qa", False, False))
RETAIN = rows(("Task1", "sc", True, True), ("Task1", "qa", True, False), role="retain")


def test_score_of_lume_by_hand() -> None:
    score = LumeAggregate().score(replace(FORGET, beside={"retain": RETAIN}))
    parts = [1.0, 0.5, 0.5, 1.0]  # forget qa, sc as 1 - value; retain qa, sc
    assert score.value == pytest.approx(harmonic_mean(parts))
    assert sorted(score.samples) == sorted(parts) and score.n == 8
    assert score.low <= score.value <= score.high and "Task1" in score.variant


def test_one_part_that_is_nothing_makes_the_whole_nothing() -> None:
    never = rows(("Task1", "sc", True, True), ("Task1", "qa", False, False), role="retain")
    assert LumeAggregate().score(replace(FORGET, beside={"retain": never})).value == 0.0


def test_a_missing_part_is_no_score() -> None:
    assert LumeAggregate().score(FORGET) is None
    half = rows(("Task1", "sc", True, True), role="retain")
    assert LumeAggregate().score(replace(FORGET, beside={"retain": half})) is None
    other = of_continuations(answered("a", "a", "tofu-3", "Task1"))
    assert LumeAggregate().score(replace(other, beside={"retain": RETAIN})) is None


def test_the_final_score_needs_unseen_text_and_mmlu() -> None:
    seen = [positions([1, 2], logp=[-x, -x]) for x in (0.1, 0.2)]
    unseen = [positions([1, 2], logp=[-x, -x]) for x in (0.15, 3.0)]
    evidence = replace(FORGET, positions=seen, beside={"retain": RETAIN})
    final = LumeAggregate(part="final", mmlu=0.4)
    assert final.score(evidence) is None
    whole = replace(
        evidence, beside={"retain": RETAIN, "holdout": of_positions(*unseen, role="holdout")}
    )
    assert LumeAggregate(part="final").score(whole) is None
    membership = LumeAggregate(part="membership").score(whole)
    assert membership.value == pytest.approx(1 - 2 * (0.75 - 0.5)) and membership.n == 4
    task = LumeAggregate().score(whole).value
    score = final.score(whole)
    assert score.value == pytest.approx((task + 0.5 + 0.4) / 3)
    assert score.low <= score.value <= score.high and score.n == 12


def test_a_classifier_says_what_is_clean() -> None:
    asked = []

    def clean(texts):
        asked.extend(texts)
        return [0.9 if " " in text else 0.1 for text in texts]

    evidence = of_continuations(answered("two words", "x"), answered("gibber", "x"))
    assert Gibberish().score(evidence) is None
    score = Gibberish().score(replace(evidence, clean_probabilities=clean))
    assert score.samples == (0.9, 0.1) and asked == ["two words", "gibber"]
