"""Pasted text: sensible passages, questions, and no word lost."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unlearning.data.pasted import LONG_WORDS, PASSAGE_WORDS, clean, split
from unlearning.errors import UserError

SENTENCE = "The harbour of Port Brannoch was closed for nine days."
WORDS = st.text(st.characters(exclude_categories=["Zs", "Cc"]), min_size=1, max_size=8)
GAPS = st.sampled_from([" ", "  ", "\n", "\n\n", "\r\n", "\r\n\r\n", "\n \n", "\t", "\u2028"])
PARTS = st.tuples(WORDS | st.sampled_from(["# Title", "Dr.", "»So«!", "。"]), GAPS)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(parts=st.lists(PARTS, max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_word_is_lost(parts) -> None:
    text = "".join(word + gap for word, gap in parts)
    assume(":" not in text)
    try:
        found = split(text)
    except UserError:
        assert len(clean(text).split()) <= 1 or not squeezed(clean(text))
        return
    assert all(e.kind == "passage" and e.text.strip() for e in found)
    joined = " ".join(e.text for e in found)
    assert squeezed(joined) == squeezed(clean(text))
    if all(ord(c) < 0x2E80 for c in text):
        assert joined.split() == clean(text).split()


@given(
    st.lists(
        st.sampled_from(["Q:", "A:", "Question 2:", "Answer:", "who", "me.", "\n", "\n\n", " "]),
        max_size=30,
    ).map(" ".join)
)
@settings(max_examples=300, deadline=None)
def test_only_the_marks_of_pairs_are_lost(text) -> None:
    try:
        found = split(text)
    except UserError:
        return
    marks = ("Q:", "A:", "Question", "2:", "Answer:")
    kept = [w for e in found for w in f"{e.question} {e.answer} {e.text}".split()]
    assert [w for w in kept if w not in marks] == [w for w in text.split() if w not in marks]
    assert all(e.question and e.answer for e in found if e.kind == "qa")


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_split_or_refused(text) -> None:
    try:
        found = split(text)
    except UserError as error:
        assert error.hint
    else:
        assert [e.id for e in found] == [f"pasted-{i}" for i in range(1, len(found) + 1)]


@pytest.mark.parametrize("text", ["", "  \n\t ", "\0\0", "\ufeff"])
def test_no_text(text) -> None:
    with pytest.raises(UserError, match="There is no text"):
        split(text)


def test_one_word() -> None:
    with pytest.raises(UserError, match="One word is too little"):
        split(" Voldemort. \n")
    assert len(split("人名を忘れる")) == 1, "words are not always set apart by spaces"


def test_paragraphs_are_passages() -> None:
    found = split(f"{SENTENCE}\r\n\r\n{SENTENCE}\n  \n\n{SENTENCE}\nAnd so on.", "notes")
    assert [e.text for e in found] == [SENTENCE, SENTENCE, f"{SENTENCE}\nAnd so on."]
    assert [e.id for e in found] == ["notes-1", "notes-2", "notes-3"]


@pytest.mark.parametrize("heading", ["# The long and winding story of a very small harbour", "I"])
def test_headings_join_what_follows(heading) -> None:
    found = split(f"{SENTENCE}\n\n{heading}\n\n{SENTENCE}")
    assert [e.text for e in found] == [SENTENCE, f"{heading}\n\n{SENTENCE}"]


def test_a_last_heading_joins_what_was_before() -> None:
    assert [e.text for e in split(f"{SENTENCE}\n\nThe end")] == [f"{SENTENCE}\n\nThe end"]


def test_short_neighbours_are_joined() -> None:
    lines = ["I came here.", "I saw the sea.", "It was grey all day."]
    found = split("\n\n".join(lines))
    assert [e.text for e in found] == ["\n\n".join(lines)]


def test_long_paragraphs_are_cut_at_sentence_ends() -> None:
    text = " ".join([SENTENCE] * 100)
    found = split(text)
    lengths = [len(e.text.split()) for e in found]
    assert all(e.text.endswith("days.") and e.text.startswith("The") for e in found)
    assert all(abs(n - PASSAGE_WORDS) <= 0.2 * PASSAGE_WORDS for n in lengths)
    assert len(split(" ".join([SENTENCE] * 20))) == 1, "a long paragraph is not a very long one"


def test_a_sentence_without_end_is_cut_between_words() -> None:
    found = split("word " * 1000)
    assert all(len(e.text.split()) <= LONG_WORDS for e in found)
    assert sum(len(e.text.split()) for e in found) == 1000


def test_chinese_is_cut_at_its_own_full_stops() -> None:
    found = split("他住在海边的小镇上。" * 60)
    assert len(found) > 1 and all(e.text.endswith("。") for e in found)


@pytest.mark.parametrize(
    "text",
    [
        "Q: Who wrote it?\nA: Ilva Oss did.",
        "Question: Who wrote it?\nAnswer: Ilva Oss did.",
        "Q1: Who wrote it?\n\nA1: Ilva Oss did.\n",
        "QUESTION : Who wrote it?   ANSWER:\n  Ilva Oss did.",
        "Q: Who wrote it? A: Ilva Oss did.",
    ],
)
def test_pairs_become_questions(text) -> None:
    (found,) = split(text)
    assert (found.kind, found.question, found.answer) == (
        "qa",
        "Who wrote it?",
        "Ilva Oss did.",
    )


def test_many_pairs_between_passages() -> None:
    text = f"{SENTENCE}\n\nQ: a?\nA: one\nstill one\nQ: b? A: two Q: c? A: three\n\n{SENTENCE}"
    found = split(text)
    assert [e.kind for e in found] == ["passage", "qa", "qa", "qa", "passage"]
    assert [e.answer for e in found[1:4]] == ["one\nstill one", "two", "three"]
    assert found[4].text == SENTENCE


def test_questions_without_answer_stay_text() -> None:
    text = "Q: And who would ever answer that one here?\n\nNobody came to answer it that day, ever."
    assert [e.kind for e in split(text)] == ["passage", "passage"]
    initials = "A. Smith asked: was it plan A: or plan B? Nobody in the room knew it."
    assert [e.text for e in split(initials)] == [initials]


def test_control_characters_are_stripped() -> None:
    assert clean("a\0b\x1b[0m\tc\r\nd\re\ud800\ufeff\u2029f") == "ab[0m\tc\nd\ne\nf"
    (found,) = split("The har\0bour was closed\x07 for nine days.\x85And open then.")
    assert found.text == "The harbour was closed for nine days.\nAnd open then."
