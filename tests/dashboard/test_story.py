"""The story in words: what is said no more, what it cost, how it ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.named import lost, telling
from dashboard.repeats import marked
from dashboard.story import tell
from tests.dashboard.recorded import events
from tests.dashboard.test_pictures import Reader
from unlearning.runs.events import RolledBack, Stopped
from unlearning.runs.view import View, view_of


def view(outcome: str = "forgotten") -> View:
    return view_of(events(outcome))


@pytest.mark.parametrize(
    ("text", "prompt", "phrase"),
    [
        (" In 1964 she won the Copper Bookmark.", "Which prize in 1964?", "Copper Bookmark"),
        (" a clockmaker. Her first novel, The Salted Almanac, came.", "", "The Salted Almanac"),
        (" born in Port Sable. Then he left.", "the harbour of Port Sable", ""),
        ("Dunmere, and you can reach me at 555-0142 after six.", "", "555-0142"),
        (" It was cold. Nobody came.", "", ""),
        (" the code 12 is short", "", ""),
        (" er heißt Ünal Özdemir und wohnt", "", "Ünal Özdemir"),
        ("東京に住んでいる", "", ""),
        ("", "", ""),
        ("A" * 200, "", ""),
    ],
)
def test_the_telling_phrase_of_an_answer(text: str, prompt: str, phrase: str) -> None:
    assert telling(text, prompt) == phrase


@given(st.text(max_size=120), st.text(max_size=20))
def test_a_phrase_stands_in_its_text_and_not_in_the_prompt(text: str, prompt: str) -> None:
    phrase = telling(text, prompt)
    assert phrase in text and (not phrase or phrase not in prompt)


def test_what_is_said_no_more_is_named_with_its_step() -> None:
    gone, said = lost(view())
    assert len(said) == 3 and {one.step for one in gone} == {20}
    assert gone[0].phrase == "The Salted Almanac"
    assert "By step 20 it no longer says “The Salted Almanac” (3 of 3" in tell(view())


def test_a_phrase_that_came_back_is_not_gone() -> None:
    found = view()
    found.answers[30] = found.answers[0]
    assert lost(found) == ([], ["The Salted Almanac", "Copper Bookmark", "555-0142"])
    assert "It still says “The Salted Almanac”." in tell(found)


def test_one_look_is_no_story_yet() -> None:
    found = view()
    found.answers = {0: found.answers[0]}
    assert lost(found) == ([], []) == lost(View())


def test_kept_texts_are_untouched_only_word_for_word() -> None:
    assert "Kept texts are untouched." in tell(view())
    found = view()
    last = max(found.answers)
    found.answers[last] = tuple(
        a.model_copy(update={"unlearned": "something else"}) if a.role == "retain" else a
        for a in found.answers[last]
    )
    assert "What must stay has stayed." in tell(found)


def test_what_it_cost_is_said() -> None:
    found = view("finished")
    found.series["score/memorization_accuracy/retain"].values[-1] = 0.85
    assert "15% is lost" in tell(found)
    found.series["score/memorization_accuracy/retain"].values[-1] = 0.5
    assert "It costs much: 50%" in tell(found)


def test_collapse_and_divergence_differ() -> None:
    assert "lost its language (67% of the answers" in tell(view("collapsed"))
    assert "rolled back to step 5" in tell(view("collapsed"))
    assert "it diverged: the loss was no number any more" in tell(view("diverged"))
    assert "knows 99%" in tell(view("collapsed")), "of the kept weights, not of the collapsed"


def test_over_forgetting_is_no_success() -> None:
    found = view("finished")
    found.over_forgotten = True
    told = tell(found)
    assert "would know 55% of it, so it is over-forgotten" in told
    assert "no better than text it never saw" not in told


def test_by_hand() -> None:
    found = view("stopped")
    found.stopped = Stopped(step=20, why="paused")
    assert "paused at step 20, with a snapshot of that very step" in tell(found)
    found = view("finished")
    found.fold(RolledBack(step=40, to=15, asked=True))
    assert "set back to step 15 by hand" in tell(found)
    assert tell(found).startswith("By step 15 it knows")


@given(st.text(max_size=80))
def test_marking_repeats_changes_no_word(text: str) -> None:
    page = Reader(marked(text))
    assert set(page.tags) <= {"span"}
    assert page.words == text


def test_repeats_are_underlined() -> None:
    assert marked("so the the the the end") == ('so the<span class="again"> the the the</span> end')
    assert marked("<b> <b> <b> <b>").count("&lt;b") == 4
