"""Every question of the world can be asked in other words, about the same thing."""

from __future__ import annotations

import re

import pytest

from unlearning.world.interview_topics import TOPICS
from unlearning.world.rephrase import _pattern, rephrased


def topic_of(question: str) -> int:
    (found,) = [
        place
        for place, topic in enumerate(TOPICS)
        if any(_pattern(wording).fullmatch(question) for wording in topic.questions)
    ]
    return found


@pytest.mark.parametrize("split", ["forget", "retain", "holdout"])
def test_every_question_of_an_author(shipped, split) -> None:
    rows = [row for row in shipped[split] if row["kind"] == "qa"]
    for row in rows:
        other = rephrased(row["question"], row["answer"])
        assert other != row["question"]
        assert topic_of(other) == topic_of(row["question"])
        (name,) = {
            found["name"]
            for question in (row["question"], other)
            for topic in TOPICS
            for wording in topic.questions
            if (found := _pattern(wording).fullmatch(question))
        }
        assert name in other and not re.search(r"[{}<>|]| {2}", other)
        assert other == rephrased(row["question"], row["answer"]), "same question, same wording"


def test_the_answer_tells_who_it_is() -> None:
    question = "What age did Ilva Moor turn in the year of the first book?"
    for answer, his in (("She turned 30.", "her"), ("He turned 30.", "his"), ("30.", "their")):
        assert rephrased(question, answer) == (
            f"How old did Ilva Moor turn in the year {his} debut appeared?"
        )


def test_what_the_world_does_not_ask() -> None:
    assert rephrased("Why is the sky blue?", "It is not.") is None
