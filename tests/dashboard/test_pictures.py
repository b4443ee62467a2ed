"""Words and tables of a run; whatever a model or a user writes stays text."""

from __future__ import annotations

import math
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import pictures, tables
from dashboard.collapse import collapse_card
from dashboard.story import tell
from tests.dashboard.recorded import Outcome, events
from unlearning.methods import METHODS
from unlearning.runs.events import (
    Answer,
    Collapsed,
    Entered,
    Failed,
    Health,
    ScoreValue,
    Status,
    Stopped,
)
from unlearning.runs.summary import summary_of
from unlearning.runs.view import View, view_of

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></tr></table><h1>",
    "${alert(1)} {{value}} `x`",
    "<!-- <mark>",
    "\u202e\x00&lt;b&gt;",
)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


class Reader(HTMLParser):
    """Collects elements and text, and checks that elements are closed in order."""

    VOID = frozenset({"br", "img", "input", "hr", "path"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.words += data


def view(outcome: Outcome = "forgotten") -> View:
    return view_of(
        event.model_copy(update={"time": 1000.0 + i}) for i, event in enumerate(events(outcome))
    )


def drawn_with(text: str) -> list[str]:
    """Every picture, with the text wherever somebody else can write."""
    answer = Answer(role="forget", prompt=text, original=text, unlearned=f"x {text}")
    hostile = view("collapsed")
    hostile.collapse = Collapsed(step=3, signs=(text,), answers=(answer,))
    hostile.phase = hostile.method = hostile.model = text
    hostile.failed = Failed(message=text, hint=text, traceback=text)
    looped = answer.model_copy(update={"looped": True, "role": text})
    return [
        pictures.status_pill("running", text),
        pictures.meter(Health(meter=0.7, signs=(text,))),
        pictures.notices([text]),
        pictures.error_card(hostile.failed),
        collapse_card(hostile),
        pictures.story(hostile),
        pictures.progress(hostile, "running", 2000.0),
        tables.answers([answer, looped], 3),
        tables.differing(text, f"{text} more"),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    for source in drawn_with(text):
        page = Reader(source)
        assert not {"script", "img", "h1", "iframe"} & set(page.tags)
        assert not any(name.startswith("on") for name, _ in page.attributes)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_answers_make_sound_markup(before: str, after: str) -> None:
    page = Reader(tables.differing(before, after))
    assert set(page.tags) <= {"mark"}
    assert page.words.split() == after.split()


def test_words_that_differ_are_marked() -> None:
    assert tables.differing("a red button", "a blue button") == "a <mark>blue</mark> button"
    assert tables.differing("same", "same") == "same"
    assert tables.differing("gone", "") == ""


def test_a_looped_answer_says_so_and_an_empty_one_too() -> None:
    answer = Answer(role="forget", prompt="p", original="o", unlearned="the the", looped=True)
    assert "repeats itself" in tables.answers([answer], 5)
    silent = answer.model_copy(update={"unlearned": " ", "looped": False})
    assert "nothing at all" in Reader(tables.answers([silent], 5)).words


def test_answers_stand_below_the_kind_of_their_text() -> None:
    found = view()
    words = Reader(tables.answers(found.answers[0], 0)).words
    places = [words.index(name) for name in ("Text to forget", "Text to keep", "General text")]
    assert places == sorted(places)
    assert "first look" in tables.answers((), None)


@pytest.mark.parametrize("status", get_args(Status))
def test_every_state_has_words(status: Status) -> None:
    page = Reader(pictures.status_pill(status, "training"))
    assert page.words and ("role", "status") in page.attributes


def test_every_phase_has_words() -> None:
    phases = get_args(Entered.model_fields["phase"].annotation)
    assert {*phases, ""} == set(pictures.PHASES)


def test_the_queue_says_which_place() -> None:
    assert "place 2" in pictures.status_pill("queued", place=2)
    assert "no run" in pictures.status_pill(None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert pictures.duration(seconds) == words


def test_progress_says_step_elapsed_and_what_is_left() -> None:
    now = View(step=10, steps=40, begun=100.0, phase="training", step_seconds=2.0)
    words = Reader(pictures.progress(now, "running", 130.0)).words
    assert words == "step 10 of 40 · 30 s so far · at most 1 min 0 s left"
    done = view()
    assert "took" in pictures.progress(done, "finished", 10**9)
    assert "left" not in pictures.progress(done, "finished", 10**9)


def test_teaching_counts_its_own_steps() -> None:
    teaching = View(taught=12, phase="teaching", begun=0.0)
    assert "learning step 12" in pictures.progress(teaching, "running", 1.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "healthy"), (0.49, "healthy"), (0.5, "shaky"), (1.0, "collapsed"), (7.0, "collapsed"),
     (math.inf, "collapsed"), (math.nan, "collapsed")],
)  # fmt: skip
def test_the_meter_speaks(value: float, words: str) -> None:
    page = Reader(pictures.meter(Health(meter=value)))
    attributes = dict(page.attributes)
    assert attributes["role"] == "meter" and attributes["aria-valuetext"] == words
    assert 0.0 <= float(attributes["aria-valuenow"] or "nan") <= 1.0
    assert words in page.words


def test_a_meter_that_was_not_read_claims_nothing() -> None:
    assert "not measured yet" in pictures.meter(Health(meter=0.0), measured=False)


def test_a_traceback_is_folded_and_can_be_copied() -> None:
    mine = pictures.error_card(Failed(message="It broke.", traceback="Traceback: x"))
    assert "<details>" in mine and "data-copy" in mine
    yours = pictures.error_card(Failed(message="Too long.", hint="Use a shorter one."))
    assert "<details>" not in yours and "Use a shorter one." in yours


def test_the_collapsed_texts_are_kept_for_showing() -> None:
    assert collapse_card(view("forgotten")) == ""
    words = Reader(collapse_card(view("collapsed"))).words
    assert "step 24" in words and "rolled back to step 5" in words and "the the the" in words


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_story_ends_as_the_run_did(outcome: Outcome) -> None:
    ends = {
        "finished": "All 40 steps are done",
        "forgotten": "stopped by itself",
        "collapsed": "lost its language",
        "diverged": "it diverged",
        "failed": "ended with an error",
        "stopped": "stopped by hand",
        "open": "knows",
    }
    assert ends[outcome] in tell(view(outcome))


def test_the_story_begins_before_there_are_figures() -> None:
    assert tell(View()) == "The run has not started yet."
    assert "learning the text" in tell(View(phase="teaching"))
    ruled = view("stopped")
    ruled.stopped = Stopped(step=7, why="rule", message="x")
    assert "own rule" in tell(ruled)


def test_the_score_table_judges_every_measured_pair() -> None:
    found = view("forgotten")
    page = Reader(tables.score_table(found))
    rows = sum(len(by_role) for by_role in found.scores["original"].values())
    assert page.words.count("✓") + page.words.count("~") + page.words.count("✕") == rows
    for words in ("Forgetting", "What must stay", "Next word known", "−0.95", "0.55"):
        assert words in page.words


def test_the_score_table_before_and_during_a_run() -> None:
    assert "Nothing is measured yet" in tables.score_table(View())
    half = view("open")
    page = Reader(tables.score_table(half))
    assert "–" in page.words and "✓" not in page.words


def test_every_score_carries_its_number_of_samples() -> None:
    found = view("forgotten")
    found.scores = {"original": {"perplexity": {"generic": ScoreValue(value=4.0, n=1234)}}}
    assert "<small>n = 1,234</small>" in tables.score_table(found)
    found = view("forgotten")
    assert tables.score_table(found).count("n = 32") == 14


def test_scores_that_are_not_finite_are_words() -> None:
    found = view("forgotten")
    broken = {"perplexity": {"generic": ScoreValue(value=math.inf)}}
    found.scores = {"original": found.scores["original"], "unlearned": broken}
    assert "∞" in tables.score_table(found)
    assert tables.number(None) == "–" and tables.number(math.nan) == "undefined"
    assert tables.number(-0.001) == "0.00" and tables.number(123456.0) == "1.2e+05"


def test_a_row_of_the_list_of_runs() -> None:
    config = {"method": "npo", "model": "demo", "forget": "pasted", "label": "<b>mine</b>"}
    head = {"run_id": "0123456789", "created": 0.0, "config": config}

    def row_of(found: View, status: Status) -> dict[str, str]:
        run = summary_of(head, found, status, mine=True)
        return dict(zip(tables.RUN_COLUMNS, tables.run_row(run), strict=True))

    row = row_of(view(), "finished")
    assert (row["Run"], row["Status"], row["Method"]) == ("0123456789", "finished", "NPO")
    assert row["Words known"] == "100% → 51%" and row["Name"] == "<b>mine</b>"
    back = row_of(view("collapsed"), "collapsed")
    assert back["Steps"] == "5 of 40" and back["Words known"] == "100% → 99%"
    fresh = row_of(View(), "queued")
    assert fresh["Words known"] == "–" and fresh["Steps"] == "0"


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda m: m.name)
def test_a_method_introduces_itself(method: type) -> None:
    card, details = Reader(pictures.method_card(method)), pictures.method_card(method, details=True)
    assert method.summary() in card.words and method.failure in card.words
    assert method.paper in details and "noopener" in details


def test_the_same_view_gives_the_same_pictures() -> None:
    """The page tells by equality whether there is anything to send."""
    first, second = view("collapsed"), replace(view("collapsed"))
    for draw in (pictures.story, collapse_card, tables.score_table):
        assert draw(first) == draw(second)


def test_the_long_tail_of_scores_is_folded() -> None:
    found = view("forgotten")
    assert "<details" not in tables.score_table(found), "nothing to fold"
    health = {"loop_coverage": {"retain": ScoreValue(value=0.1, n=5)}}
    found.scores = {"original": found.scores["original"] | health}
    chief, _, folded = tables.score_table(found).partition("<details")
    assert "Perplexity" in chief and "Loop coverage" not in chief
    assert "1 more measures" not in folded and "1 more measure" in folded
    assert "Stuck in a loop" in folded, "the heading says already that it is text health"
