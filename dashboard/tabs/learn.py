"""Learn: lessons that press the real buttons. Predict, run, and explain what really came."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import gradio as gr

from dashboard.controls import PRESS, Controls
from dashboard.lesson_words import body, explained, glossary, opened_by, waiting
from dashboard.lessons import LESSONS
from dashboard.lessons.base import Found, Lesson
from dashboard.page import QUIET, Page, Watched, shown
from unlearning.errors import UserError
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import obstacle
from unlearning.runs.view import LIVE

NAME, TITLE, ALIGNMENT = "learn", "Learn", "right"

MATHS = [{"left": "$$", "right": "$$", "display": True}]
"""KaTeX comes with Gradio and loads nothing from outside."""
DOES = {"run": "Do it: fill in Set up and start", "attack": "Do it: start the attack"}


class _Room:
    """One lesson's widgets."""

    def __init__(self, lesson: Lesson, number: int) -> None:
        key = lesson.key
        with gr.Column(visible=number == 1, elem_classes="lesson") as self.column:
            gr.HTML(body(lesson, number), apply_default_css=False)
            gr.Markdown(f"$${lesson.formula}$$", latex_delimiters=MATHS, elem_classes="formula")
            gr.HTML(f'<p class="note">{lesson.formula_told}</p>', apply_default_css=False)
            self.guess = gr.Radio(
                [(words, i) for i, words in enumerate(lesson.choices)],
                value=None,
                label=f"Your prediction. {lesson.question}",
                elem_id=f"guess-{key}",
                elem_classes="guess",
            )
            with gr.Row(elem_classes="lesson-acts"):
                self.do = gr.Button(
                    DOES[lesson.act], variant="primary", scale=0, min_width=250, elem_id=f"do-{key}"
                )
                self.explain = gr.Button(
                    "Explain what came of it", scale=0, min_width=210, elem_id=f"explain-{key}"
                )
                self.ask = gr.Button(
                    "Ask both models", scale=0, min_width=150, elem_id=f"ask-{key}"
                )
            self.told = gr.HTML(
                waiting(lesson), apply_default_css=False, elem_id=f"told-{key}"
            )  # fmt: skip


def build(page: Page) -> None:
    """Build the tab; Set up, Compare and Stress tests are there already."""
    controls = Controls()
    with gr.Row(elem_classes="learn", equal_height=False):
        with gr.Column(scale=1, min_width=230, elem_classes="lesson-list"):
            choice = gr.Radio(
                [(f"{i}  {lesson.title}", lesson.key) for i, lesson in enumerate(LESSONS, 1)],
                value=LESSONS[0].key,
                label="Lessons",
                elem_id="lesson",
            )
        with gr.Column(scale=3, min_width=300):
            rooms = [_Room(lesson, i) for i, lesson in enumerate(LESSONS, 1)]
    with gr.Accordion("Glossary", open=False, elem_id="glossary"):
        gr.HTML(glossary(), apply_default_css=False)

    columns = [room.column for room in rooms]
    choice.change(
        lambda key: [gr.Column(visible=lesson.key == key) for lesson in LESSONS],
        choice,
        columns,
        queue=False,
        **QUIET,
    )

    @page.shows(choice)
    def follow(watched: Watched) -> dict[gr.blocks.Block, Any]:
        """A lesson's run that is opened turns to its lesson."""
        label = first_label(page.scheduler.store, watched.run_id)
        lesson = next((lesson for lesson in LESSONS if lesson.label == label), None)
        return {choice: gr.update(value=lesson.key) if lesson else gr.update()}

    for lesson, room in zip(LESSONS, rooms, strict=True):
        _wire_explain(page, lesson, room)
        _wire_ask(page, controls, lesson, room)
        (_wire_run if lesson.act == "run" else _wire_attack)(page, controls, lesson, room)


def _wire_run(page: Page, controls: Controls, lesson: Lesson, room: _Room) -> None:
    def prepare(key: str) -> dict[Any, Any]:
        with shown():
            if page.scheduler.active(key) is not None:
                raise UserError(
                    "A run of yours is still waiting or running.",
                    "Wait for its end, or stop it; then do the lesson.",
                )
            settings = prepared(page, lesson, key)
        updates = controls.fill(settings, lesson.text, lesson.label)
        return {**updates, page.tabs: gr.Tabs(selected="setup")}

    outputs = [page.tabs, *controls.filled(lesson.settings["method"])]
    pressed = room.do.click(prepare, page.key, outputs, **QUIET)
    pressed.success(None, js=PRESS % {"id": "start"}, **QUIET)


def prepared(page: Page, lesson: Lesson, key: str) -> dict[str, Any]:
    """The lesson's settings; a model that an earlier lesson left is named.

    Raises:
        UserError: that lesson has not been done.
    """
    settings = dict(lesson.settings)
    model = settings.get("model", "")
    if model.startswith("run:"):
        before = next(one for one in LESSONS if one.key == model.removeprefix("run:"))
        run_id = latest(page, before, key, ended=True)
        if run_id is None:
            raise UserError(
                f"This lesson goes on from the run of “{before.title}”.",
                "Do that lesson first, and wait for its end.",
            )
        settings["model"] = f"run:{run_id}"
    return settings


def _wire_attack(page: Page, controls: Controls, lesson: Lesson, room: _Room) -> None:
    def prepare(run_id: str, key: str) -> list[Any]:
        with shown():
            return [attacked(page, run_id, key), gr.Tabs(selected="stress")]

    pressed = room.do.click(prepare, [page.run, page.key], [page.run, page.tabs], **QUIET)
    page.acted(pressed)
    pressed.success(None, js=PRESS % {"id": "attack-relearn"}, **QUIET)


def attacked(page: Page, run_id: str, key: str) -> str:
    """The run that is open, or the newest own one, with weights to attack.

    Raises:
        UserError: there is none.
    """
    mine = [run.run_id for run in page.scheduler.summaries(key) if run.mine]
    for found in [run_id] * (run_id in mine) + mine:
        if page.scheduler.status(found) not in LIVE and _attackable(page.scheduler.store, found):
            return found
    raise UserError(
        "None of your runs has ended with weights that could be attacked.",
        "Do another lesson first, such as the one on UNDIAL.",
    )


def _attackable(store: RunStore, run_id: str) -> bool:
    try:
        return obstacle(store, run_id) is None
    except UserError:  # damaged, or deleted meanwhile
        return False


def _wire_explain(page: Page, lesson: Lesson, room: _Room) -> None:
    def explain(run_id: str, key: str, guess: int | None) -> str:
        with shown():
            return explanation(page, lesson, run_id, key, guess)

    def explain_quietly(run_id: str, key: str, guess: int | None) -> str:
        try:
            return explanation(page, lesson, run_id, key, guess)
        except UserError:  # not done yet
            return waiting(lesson)

    asked = {"inputs": [page.run, page.key, room.guess], "outputs": room.told, "queue": False}
    room.explain.click(explain, **asked, **QUIET)
    page.tab.select(explain_quietly, **asked, **QUIET)


def explanation(page: Page, lesson: Lesson, run_id: str, key: str, guess: Any) -> str:
    """What came of the lesson's run, as HTML.

    Raises:
        UserError: there is no run to explain.
    """
    found = run_of(page, lesson, run_id, key)
    view = page.scheduler.view(found)
    before = next((one for one in LESSONS if one.key == lesson.beside), None)
    earlier = latest(page, before, key, ended=True) if before else None
    evidence = Found(
        view,
        page.scheduler.view(earlier) if earlier else None,
        tuple(page.scheduler.store.attacks(found)),
    )
    return explained(lesson, found, evidence, guess if isinstance(guess, int) else None)


def run_of(page: Page, lesson: Lesson, run_id: str, key: str) -> str:
    """The run that a lesson explains: the one that is open if it is of this lesson.

    Raises:
        UserError: the lesson has not been done.
    """
    if lesson.act == "attack":
        return attacked(page, run_id, key)
    if label_of(page.scheduler.store, run_id) == lesson.label:
        return run_id
    found = latest(page, lesson, key)
    if found is None:
        raise UserError("This lesson has no run yet.", "Predict, then press the blue button.")
    return found


def latest(page: Page, lesson: Lesson, key: str, *, ended: bool = False) -> str | None:
    """This browser's newest run of a lesson."""
    return next(
        (
            run.run_id
            for run in page.scheduler.summaries(key)
            if run.mine and run.label == lesson.label and not (ended and run.status in LIVE)
        ),
        None,
    )


def label_of(store: RunStore, run_id: str) -> str:
    """Under what name a run stands in the list; empty where there is no such run."""
    try:
        return store.config(run_id).label if run_id else ""
    except UserError:
        return ""


@lru_cache(maxsize=256)
def first_label(store: RunStore, run_id: str) -> str:
    """The same, read once: every tick of every viewer asks."""
    return label_of(store, run_id)


def _wire_ask(page: Page, controls: Controls, lesson: Lesson, room: _Room) -> None:
    sides = [controls.by_id["side-a"], controls.by_id["side-b"]]
    prompt = controls.by_id["prompt"]

    def ask(run_id: str, key: str) -> dict[Any, Any]:
        with shown():
            found = run_of(page, lesson, run_id, key)
            before, words = opened_by(page.scheduler, lesson, found)
        named = (f"original:{before}", f"run:{found}")
        chosen = {
            side: gr.update(choices=[(text, text) for text in named], value=name)
            for side, name in zip(sides, named, strict=True)
        }
        return {page.run: found, page.tabs: gr.Tabs(selected="compare"), prompt: words, **chosen}

    asked = room.ask.click(
        ask, [page.run, page.key], [page.run, page.tabs, prompt, *sides], **QUIET
    )
    page.acted(asked)
