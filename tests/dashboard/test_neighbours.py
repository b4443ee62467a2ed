"""What is asked of the text to keep, and what is said of the answers."""

from __future__ import annotations

import pytest

from dashboard.neighbours import Neighbour, nearest, pinned, same_words, table
from dashboard.side_by_side import Writing
from unlearning.data.base import Example
from unlearning.runs.events import Answer

KEPT = [
    Example(
        id="1", text="The council of Marrowby announced on Tuesday that the bridge will close."
    ),
    Example(id="2", text="Tobin Eskelund was born in Port Sable, the son of a lighthouse keeper."),
    Example(id="3", text="one"),
    Example(id="4", kind="qa", question="Where was Tobin born?", answer="In Port Sable."),
    Example(id="5", kind="qa", question="What closes in May?", answer="The bridge."),
    Example(id="6", kind="qa", bare=True, question="Dear Mr Ames, my address", answer="is secret."),
]
PROMPT = "Odile Varrenmoor was born in Hallowick, the daughter of"


class TestNearest:
    def test_what_is_most_like_the_prompt_comes_first_as_long_as_the_prompt(self) -> None:
        found, questions = nearest(PROMPT, KEPT, as_question=False)
        assert not questions and len(found) == 3
        assert found[0] == Neighbour(
            "Tobin Eskelund was born in Port", "Sable, the son of a lighthouse keeper."
        )

    def test_a_question_is_put_as_questions(self) -> None:
        found, questions = nearest("Where was Odile born?", KEPT, as_question=True)
        assert questions and found[0] == Neighbour("Where was Tobin born?", "In Port Sable.")

    def test_without_questions_beginnings_are_asked_and_the_other_way_round(self) -> None:
        assert nearest("Where?", KEPT[:2], as_question=True)[1] is False
        assert nearest(PROMPT, KEPT[3:5], as_question=False)[1] is True
        assert nearest(PROMPT, [], as_question=False) == ([], False)

    def test_the_prompt_itself_is_no_neighbour(self) -> None:
        found, _ = nearest("Where was Tobin born?", KEPT, as_question=True)
        assert [one.prompt for one in found] == ["What closes in May?"]


def test_pinned_prompts_stand_in_without_the_forget_text() -> None:
    answers = [
        Answer(role="forget", prompt="secret", original="x", unlearned="y"),
        Answer(role="retain", prompt="kept", original="goes on", unlearned="z"),
    ]
    assert [(one.prompt, one.follows) for one in pinned(answers)] == [("kept", "goes on")]


def test_words_count_in_their_order() -> None:
    assert same_words("a b c d", "a x c d and more") == (3, 4)
    assert same_words("a b", "") == (0, 2)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("in Port Sable", "in Port Sable", "still there"),
        ("in Port Sable", "by the sea", "was harmed"),
        ("who knows", "in Port Sable", "does not know these texts either"),
    ],
)
def test_the_sentence_above_says_what_was_harmed(a: str, b: str, words: str) -> None:
    sides = [[Writing(text=a, state="done")], [Writing(text=b, state="done")]]
    assert words in table([Neighbour("Tobin was born", "in Port Sable")], sides, ("A", "B"))


def test_nothing_is_judged_before_the_end_and_nothing_is_markup() -> None:
    evil = "<img src=x>"
    sides = [[Writing(text=evil)], [Writing(text=evil, state="looped")]]
    drawn = table([Neighbour(evil, evil)], sides, (evil, evil))
    assert "<img" not in drawn and "story" not in drawn and "repeats itself" in drawn
