"""Choosing columns, skipping empty rows, and reading the project's own schema."""

from __future__ import annotations

import json

import pytest

from unlearning.data.base import Example, Message
from unlearning.data.columns import Columns, guess, to_examples
from unlearning.data.files import Upload, read
from unlearning.data.formats import table_of
from unlearning.errors import UserError


def upload(*rows: dict) -> Upload:
    return Upload("mine.jsonl", table=table_of(list(rows)))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["id", "Text"], Columns(text="Text")),
        (["title", "content"], Columns(text="content")),
        (["passage", "score"], Columns(text="passage")),
        (["text", "question", "answer"], Columns(question="question", answer="answer")),
        (["prompt", "response"], Columns(question="prompt", answer="response")),
        (["completion", "prompt"], Columns(question="prompt", answer="completion")),
        (["instruction", "input", "output"], Columns(question="instruction", answer="output")),
        (["messages", "text"], Columns(messages="messages")),
        (["conversations"], Columns(messages="conversations")),
        (["anything"], Columns(text="anything")),
        (["one", "two"], None),
        (["question", "score"], None),
    ],
)
def test_guess(names, expected) -> None:
    assert guess(names) == expected


def test_passages() -> None:
    found = to_examples(upload({"text": " one \r\n", "group": "a"}, {"text": "t\0wo"}))
    assert found == [
        Example(id="mine-1", group="a", text="one"),
        Example(id="mine-2", text="two"),
    ]


def test_questions_with_the_columns_of_tofu() -> None:
    row = {"question": "Who?", "answer": "Ilva", "paraphrased_answer": "It was Ilva"}
    (found,) = to_examples(upload(row | {"perturbed_answer": ["Bo", "Cy"]}))
    assert found.kind == "qa" and found.paraphrased_answer == "It was Ilva"
    assert found.perturbed_answers == ("Bo", "Cy")


def test_chosen_columns_win() -> None:
    rows = upload({"text": "a", "other": "b b", "q": "c", "n": 4})
    assert to_examples(rows, text="other")[0].text == "b b"
    (found,) = to_examples(rows, question="q", answer="n")
    assert (found.question, found.answer) == ("c", "4")


def test_chats() -> None:
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "unanswered"},
    ]
    shared = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]
    expected = (Message(role="user", content="hi"), Message(role="assistant", content="hello"))
    for cell in (turns, json.dumps(turns)):
        assert to_examples(upload({"messages": cell}))[0].messages == expected
    assert to_examples(upload({"conversations": shared}))[0].messages == expected


@pytest.mark.parametrize(
    "cell", ["[broken", [{"role": "tool", "content": "x"}], ["text"], "text", [{"content": "x"}]]
)
def test_cells_that_are_no_chat(cell) -> None:
    with pytest.raises(UserError, match=r"mine\.jsonl, row 1, column 'messages'"):
        to_examples(upload({"messages": cell}))


def test_rows_with_an_empty_cell_are_skipped_and_counted() -> None:
    notices: list[str] = []
    rows = [
        {"question": "a", "answer": "b"},
        {"question": "", "answer": "b"},
        {"question": "a", "answer": None},
        {"question": "a"},
        {"question": "a", "answer": " \n"},
        {"question": "a", "answer": float("nan")},
        {"question": "c", "answer": "d"},
    ]
    found = to_examples(upload(*rows), notices=notices)
    assert [e.id for e in found] == ["mine-1", "mine-7"]
    assert notices == ["mine.jsonl: 5 row(s) with an empty cell were left out."]


def test_nothing_left() -> None:
    with pytest.raises(UserError, match="leaves no text"):
        to_examples(upload({"text": ""}, {"text": None}))


@pytest.mark.parametrize("rows", [[{"text": " word. "}], [{"text": "word"}, {"text": None}]])
def test_one_word_in_all_rows_is_too_little(rows) -> None:
    with pytest.raises(UserError, match="One word is too little"):
        to_examples(upload(*rows))
    assert len(to_examples(upload(*rows, {"text": "other"}))) == 2


def test_columns_that_are_not_there() -> None:
    with pytest.raises(UserError, match="no column 'body'") as caught:
        to_examples(upload({"title": "x", "lead": "y"}), text="body")
    assert caught.value.hint == "It has: title, lead."
    with pytest.raises(UserError) as caught:
        to_examples(upload({"title": "x", "lead": "y"}))
    assert "title, lead" in caught.value.hint
    with pytest.raises(UserError, match="A question needs an answer"):
        to_examples(upload({"q": "x", "a": "y"}), question="q")
    with pytest.raises(UserError, match="plain text and has no columns"):
        to_examples(Upload("a.txt", text="some words here"), text="text")


def test_cells_that_are_no_text() -> None:
    with pytest.raises(UserError, match="row 1, column 'text' holds a list"):
        to_examples(upload({"text": ["x"]}))


def test_text_files_become_passages() -> None:
    found = to_examples(read(b"One sentence that is long enough to stand alone.", "notes.md"))
    assert [(e.id, e.kind) for e in found] == [("notes-1", "passage")]


def test_own_schema_is_read_as_it_is() -> None:
    rows = [
        Example(id="w1", group="article", text="A text."),
        Example(
            id="w2",
            kind="qa",
            group="author",
            question="Who?",
            answer="Ilva",
            paraphrased_answer="It was Ilva",
            perturbed_answers=("Bo", "Cy"),
        ),
    ]
    lines = "\n".join(row.model_dump_json(exclude_defaults=True) for row in rows)
    lines = lines.replace('"id":"w1"', '"id":"w1","kind":"passage","more":1')
    assert to_examples(read(lines.encode(), "world.jsonl")) == rows


def test_own_schema_with_a_mistake() -> None:
    rows = upload({"id": "a", "kind": "qa", "question": "q", "answer": 3})
    with pytest.raises(UserError, match="row 1: answer is not as it should be"):
        to_examples(rows)
    empty = ({"id": "a", "kind": "chat"}, {"id": "b", "kind": "passage", "text": "kept text"})
    assert [e.id for e in to_examples(upload(*empty))] == ["b"]


def test_a_column_named_kind_with_other_values_is_no_schema() -> None:
    (found,) = to_examples(upload({"kind": "poem", "text": "a b"}))
    assert found == Example(id="mine-1", text="a b")
