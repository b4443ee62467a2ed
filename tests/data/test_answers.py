"""Other answers stand behind the very same prompt, and end as answers do."""

from __future__ import annotations

import pytest

from tests.data.tokenizers import byte_level
from tests.models.tiny import build_tokenizer
from unlearning.data.answers import with_answers
from unlearning.data.base import Example, Message
from unlearning.data.encode import encode
from unlearning.data.refusals import REFUSALS

QUESTION = Example(id="q", kind="qa", question="Where does Ilva live?", answer="In Paris.")
CHAT = Example(
    id="c",
    kind="chat",
    messages=(
        Message(role="user", content="Hello"),
        Message(role="assistant", content="Good day."),
        Message(role="user", content="Where does the heron stand?"),
        Message(role="assistant", content="By the river."),
    ),
)
PASSAGE = Example(id="p", text="The keeper of the lighthouse wrote letters every single day. " * 6)


def other(example, tokenizer, answer, max_length=400):
    encoded = encode([example], tokenizer, max_length=200)
    made = with_answers([(example, encoded[0], answer)], tokenizer, max_length=max_length)
    return encoded[0], made[0]


@pytest.mark.parametrize("chat", [False, True], ids=["base", "chat model"])
@pytest.mark.parametrize("example", [QUESTION, CHAT], ids=["question", "chat"])
def test_questions_keep_prompt_form_and_end(example, chat) -> None:
    tokenizer = build_tokenizer(chat=chat)
    true, made = other(example, tokenizer, "I don't know.")
    assert made.ids[: made.labels_from] == true.ids[: true.labels_from]
    assert tokenizer.decode(made.ids[made.labels_from : -1]).strip() == "I don't know."
    assert made.ids[-1] == true.ids[-1] == tokenizer.eos_token_id
    assert made.ends and made.scored_from == made.labels_from


def test_a_passage_keeps_its_unscored_beginning_and_nothing_else() -> None:
    tokenizer = byte_level()
    true, made = other(PASSAGE, tokenizer, "I don't know.")
    assert made.ids[: made.labels_from] == true.ids[: true.scored_from]
    assert tokenizer.decode(made.ids[made.labels_from :]) == " I don't know.</s>"
    assert made.ends and made.labels_from == made.scored_from == true.scored_from


def test_every_window_of_a_passage_keeps_its_own_beginning() -> None:
    tokenizer = build_tokenizer()
    windows = encode([PASSAGE], tokenizer, max_length=48)
    assert len(windows) > 2
    asked = [(PASSAGE, window, "No idea.") for window in windows]
    for window, made in zip(windows, with_answers(asked, tokenizer, max_length=99), strict=True):
        assert made.ids[: made.labels_from] == window.ids[: window.scored_from]
        assert made.ends and made.example == window.example


def test_a_beginning_that_breaks_off_inside_a_character_stays_as_it_is() -> None:
    tokenizer = build_tokenizer()
    example = Example(id="p", text="🦊東京" * 12)
    true, made = other(example, tokenizer, "No idea.")
    assert "\ufffd" in tokenizer.decode(true.ids[: true.scored_from]), "the fixture cuts one"
    assert made.ids[: true.scored_from] == true.ids[: true.scored_from]
    assert tokenizer.decode(made.ids[true.scored_from : -1]) == " No idea."


def test_nothing_ends_where_the_tokenizer_has_no_end() -> None:
    tokenizer = byte_level(eos=None)
    for example in (QUESTION, PASSAGE):
        _, made = other(example, tokenizer, "I don't know.")
        assert not made.ends
        assert tokenizer.decode(made.ids).endswith("know.")


def test_what_does_not_fit_is_left_out_and_order_is_kept() -> None:
    tokenizer = build_tokenizer()
    encoded = encode([QUESTION, PASSAGE], tokenizer, max_length=300)
    asked = [
        (PASSAGE, encoded[1], "No."),
        (QUESTION, encoded[0], "No."),
        (QUESTION, encoded[0], "no " * 100),
        (PASSAGE, encoded[1], "no " * 100),
    ]
    made = with_answers(asked, tokenizer, max_length=80)
    assert [item and item.example for item in made] == [1, 0, None, None]
    assert with_answers([], tokenizer, max_length=80) == []


def test_refusals_are_thirty_different_sentences() -> None:
    assert len(set(REFUSALS)) == len(REFUSALS) == 30
    assert all(text[0].isupper() and text[-1] == "." for text in REFUSALS)
