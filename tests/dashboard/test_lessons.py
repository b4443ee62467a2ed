"""Lessons: their settings are real, their buttons fill the real form, their words read the run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dashboard import Settings, build
from dashboard.identity import new_key
from dashboard.lesson_words import explained, glossary
from dashboard.lessons import LESSONS
from dashboard.lessons.base import Found, Lesson
from dashboard.page import Page
from dashboard.tabs.learn import explanation
from tests.dashboard.player import Player
from tests.dashboard.recorded import events, record
from tests.dashboard.test_build import filled, functions, handler, wait_for_end
from unlearning.config import RunConfig
from unlearning.data.sources import load
from unlearning.errors import UserError
from unlearning.runs.events import Answer, Health, Levels, Stopped
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.view import View, view_of

OWNER = new_key()
BY_KEY = {lesson.key: lesson for lesson in LESSONS}
RUNS = [lesson for lesson in LESSONS if lesson.act == "run"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Page:
    made: list[Page] = []
    original = Page.__init__

    def remember(self: Page, *given: Any) -> None:
        original(self, *given)
        made.append(self)

    store = RunStore(tmp_path_factory.mktemp("lessons"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "__init__", remember)
        build(Scheduler(store, Player(store)), settings=Settings(secret="s" * 24))
    return made[0]


@pytest.fixture
def page(built: Page, tmp_path: Path) -> Page:
    """The same page over runs of its own."""
    store = RunStore(tmp_path / "runs")
    built.scheduler = Scheduler(store, Player(store, pause=0.001))
    return built


def press(page: Page, lesson: Lesson, key: str = OWNER) -> str:
    """What the lesson's button puts into the form, and Start with it; returns the run's id."""
    prepares = [f.fn for f in functions(page) if f.fn and f.fn.__name__ == "prepare"]
    updates = prepares[LESSONS.index(lesson)](key)
    begin = handler(page, "begin")
    values = filled(begin) | {page.key: key}
    for component, value in updates.items():
        if component in values:
            values[component] = value["value"] if isinstance(value, dict) else value
    (shown,) = list(begin.fn(values))
    return shown[page.run]


@pytest.mark.parametrize("lesson", RUNS, ids=lambda lesson: lesson.key)
def test_the_settings_of_a_lesson_are_a_run(lesson: Lesson) -> None:
    config = RunConfig.parse(lesson.settings)
    assert config.method == lesson.settings["method"]
    if not lesson.text:
        assert load(config.forget)
    if config.model.startswith("run:"):
        assert config.model.removeprefix("run:") == lesson.beside


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)
def test_a_lesson_is_whole(lesson: Lesson) -> None:
    assert len(lesson.choices) == 3 and lesson.question.endswith("?")
    assert lesson.idea and lesson.formula and lesson.formula_told.endswith(".")
    assert lesson.beside in ("", *BY_KEY)


@pytest.mark.parametrize(
    "lesson", [one for one in RUNS if one.key != "requests"], ids=lambda x: x.key
)
def test_its_button_fills_the_form_and_the_form_starts_that_run(page: Page, lesson: Lesson) -> None:
    run_id = press(page, lesson)
    store = page.scheduler.store
    source = {"forget": "pasted-forget.txt"} if lesson.text else {}
    expected = RunConfig.parse({**lesson.settings, **source, "label": lesson.label})
    assert store.config(run_id) == expected
    if lesson.text:
        assert store.texts(run_id)["forget"][0].text == lesson.text
    wait_for_end(page, run_id)


def test_what_was_typed_before_does_not_leak_into_a_lesson(page: Page) -> None:
    prepare = next(f.fn for f in functions(page) if f.fn and f.fn.__name__ == "prepare")
    by_id = {c.elem_id: value for c, value in prepare(OWNER).items()}
    assert by_id["run-steps"] == "20" and by_id["run-learning_rate"] == ""
    assert by_id["run-seed"] == 0 and by_id["retain-way"] == "auto" and by_id["prompts"] == ""
    assert by_id["teach-teach_first"] is True and by_id["method-undial-strength"] == 10.0


def test_the_second_request_goes_on_from_the_first(page: Page) -> None:
    with pytest.raises(Exception, match="Do that lesson first"):
        press(page, BY_KEY["requests"])
    first = press(page, BY_KEY["settling"])
    wait_for_end(page, first)
    second = press(page, BY_KEY["requests"])
    wait_for_end(page, second)
    config = page.scheduler.store.config(second)
    assert config.model == f"run:{first}" and config.forget == "preset:world/forget/author"


def test_a_lesson_waits_for_the_run_that_is_live(page: Page) -> None:
    page.scheduler.worker.pause = 0.05
    run_id = press(page, BY_KEY["collapse"])
    with pytest.raises(Exception, match="still waiting or running"):
        press(page, BY_KEY["balance"])
    assert "is at step" in explanation(page, BY_KEY["collapse"], run_id, OWNER, 1)
    page.scheduler.stop(run_id, OWNER)
    wait_for_end(page, run_id)


def test_the_explanation_is_of_the_open_run_or_the_latest(page: Page) -> None:
    store, lesson = page.scheduler.store, BY_KEY["collapse"]
    with pytest.raises(UserError, match="no run yet"):
        explanation(page, lesson, "", OWNER, None)
    asked = {"owner": OWNER, "label": lesson.label, "method": "gradient_ascent"}
    old = record(store, outcome="collapsed", **asked)
    record(store, outcome="forgotten", **asked)
    record(store, outcome="forgotten", owner=new_key(), label=lesson.label)
    assert "✓ You expected: It forgets the text, and its language" in explanation(
        page, lesson, "", OWNER, 0
    )
    told = explanation(page, lesson, old, OWNER, 0)
    assert "✕ You expected" in told and "It came: It forgets the text, and then it loses" in told
    assert old in told and "At step 24 the meter called it a collapse" in told


def curve(view: View, name: str, *values: float) -> None:
    for step, value in enumerate(values):
        view._add(name, 5 * step, value)


def forgotten(*recited: float, **series: tuple[float, ...]) -> View:
    """A run that ended, with those looks."""
    view = View(status="finished", method="undial", model="demo", step=40, steps=40)
    view.levels = Levels(source="holdout", scores={"memorization_accuracy": 0.55})
    curve(view, "score/memorization_accuracy/forget", *recited)
    for name, values in series.items():
        curve(view, name.replace("__", "/"), *values)
    return view


KEPT, GENERAL = "score__memorization_accuracy__retain", "score__perplexity__generic"
DOWN = (1.0, 0.9, 0.7, 0.5)


@pytest.mark.parametrize(
    ("key", "view", "choice", "words"),
    [
        ("memorising", forgotten(1.0, teach__memorized=(0.6, 1.0), teach__loss=(3.0, 0.1)),
         1, "55%"),
        ("collapse", forgotten(1.0, 0.99), 2, "did not collapse"),
        ("collapse", forgotten(*DOWN), 0, "did not collapse"),
        ("collapse", view_of(events("collapsed")), 1, "67% of the answers"),
        ("retain", forgotten(1.0, 0.98), 0, "held the text to forget"),
        ("retain", forgotten(*DOWN), None, "Do the lesson on gradient ascent"),
        ("balance", forgotten(*DOWN, **{KEPT: (1.0, 0.97)}), 1, "97%"),
        ("balance", forgotten(*DOWN, **{KEPT: (1.0, 0.4)}), 0, "40%"),
        ("balance", forgotten(1.0, 1.0, **{KEPT: (1.0, 1.0)}), 2, "100%"),
        ("settling", forgotten(*DOWN, forget_nll=(0, 1, 2, 3, 3, 3, 3, 3, 3)), 1, "in the last"),
        ("settling", forgotten(*DOWN, forget_nll=(0, 1, 2, 3, 4, 5, 6, 7, 8)), 0, "in the last"),
        ("settling", forgotten(*DOWN, forget_nll=(0, 1, 2, 5, 5, 5, 3, 3, 3)), 2, "in the last"),
        ("requests", forgotten(*DOWN, **{GENERAL: (2.0, 2.2)}), 1, "Ask both models"),
        ("requests", forgotten(*DOWN, **{GENERAL: (2.0, 9.0)}), 0, "meter"),
        ("requests", forgotten(1.0, 1.0, **{GENERAL: (2.0, 2.0)}), 2, "meter"),
        ("lookalikes", forgotten(*DOWN, extra__samples_remaining=(78, 60, 9),
                                 extra__samples_returned=(0, 0, 0)), 0, "first left it at step 5"),
        ("lookalikes", forgotten(*DOWN, extra__samples_remaining=(78, 60, 9),
                                 extra__samples_returned=(0, 2, 3)), 1, "3 times"),
        ("lookalikes", forgotten(*DOWN, extra__samples_remaining=(78, 78)), 2, "All 78"),
        ("teacher", forgotten(1.0, 0.99, 0.98, 0.97, 0.6, 0.5, 0.5), 1, "of what it lost in all"),
        ("teacher", forgotten(1.0, 0.8, 0.7, 0.6, 0.55, 0.52, 0.5), 0, "of what it lost in all"),
        ("teacher", forgotten(1.0, 1.0, 1.0), 2, "100%"),
    ],
)  # fmt: skip
def test_what_came_is_read_from_the_run(
    key: str, view: View, choice: int | None, words: str
) -> None:
    outcome = BY_KEY[key].explain(Found(view))
    assert outcome.choice == choice
    assert words in " ".join(outcome.told)


def test_both_runs_are_compared_where_they_forgot_equally() -> None:
    alone = forgotten(*DOWN, **{KEPT: (1.0, 0.8, 0.6, 0.4)})
    held = forgotten(1.0, 0.95, 0.85, 0.7, **{KEPT: (1.0, 1.0, 0.97, 0.95)})
    outcome = BY_KEY["retain"].explain(Found(held, alone))
    assert outcome.choice == 1
    assert "at most 70%, this one still knows 95% of the words to keep" in outcome.told[2]
    assert "without a retain set 60%" in outcome.told[2]
    assert BY_KEY["retain"].explain(Found(alone, alone)).choice == 2


@pytest.mark.parametrize(
    ("verdict", "choice"),
    [
        ("It relearns no faster than a model that never saw the text: …", 0),
        ("Suppressed, not removed: …", 1),
        ("Not forgotten in the first place: …", 2),
        ("In between: …", None),
        ("No verdict: …", None),
    ],
)
def test_the_attack_is_told_with_its_verdict(verdict: str, choice: int | None) -> None:
    report = {"attack": "relearn", "verdict": verdict, "excess_before": 0.1, "excess": 0.6}
    found = Found(forgotten(*DOWN), None, ({"attack": "prompts", "verdict": "x"}, report))
    outcome = BY_KEY["gone"].explain(found)
    assert outcome.choice == choice and verdict in outcome.told
    assert "0.10 before the attack and at 0.60 after" in outcome.told[-1]
    assert BY_KEY["gone"].explain(Found(forgotten(*DOWN))).choice is None


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)
@pytest.mark.parametrize("view", [View(), forgotten(math.nan), forgotten(0.0, 0.0, 0.0)])
def test_a_run_without_figures_decides_nothing_and_breaks_nothing(
    lesson: Lesson, view: View
) -> None:
    view.status = "stopped"
    outcome = lesson.explain(Found(view, View()))
    assert outcome.told and all(sentence.strip() for sentence in outcome.told)


def test_words_of_a_run_are_text_and_never_markup() -> None:
    view = forgotten(*DOWN)
    view.model = view.method = "<b>x</b>"
    view.health = Health(meter=0.1, signs=("<b>sign</b>",))
    view.answers[0] = (Answer(role="forget", prompt="<b>", original="", unlearned=""),)
    view.stopped = Stopped(step=4, why="rule", message="<b>rule</b>")
    curve(view, "extra/samples_remaining", 3, 2)
    for lesson in LESSONS:
        assert "<b>" not in explained(lesson, "<b>id</b>", Found(view, view), 1)
    assert "<dt>" in glossary()
