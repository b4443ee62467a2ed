"""Learn: lessons that press the real buttons. Predict, run, and explain what really came."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard.controls import PRESS, Controls
from dashboard.language import N_, _
from dashboard.lesson_runs import attacked, explanation, first_label, prepared, run_of
from dashboard.lesson_words import body, glossary, opened_by, waiting
from dashboard.lessons import LESSONS
from dashboard.lessons.base import Lesson
from dashboard.page import QUIET, Page, Watched, shown
from unlearning.errors import UserError

NAME, TITLE, ALIGNMENT = "learn", N_("Learn"), "right"

MATHS = [{"left": "$$", "right": "$$", "display": True}]
"""KaTeX comes with Gradio and loads nothing from outside."""
DOES = {"run": N_("Do it: fill in Set up and start"), "attack": N_("Do it: start the attack")}


class _Room:
    """One lesson's widgets."""

    def __init__(self, lesson: Lesson, number: int) -> None:
        key = lesson.key
        with gr.Column(visible=number == 1, elem_classes="lesson") as self.column:
            gr.HTML(body(lesson, number), apply_default_css=False)
            gr.Markdown(f"$${lesson.formula}$$", latex_delimiters=MATHS, elem_classes="formula")
            gr.HTML(f'<p class="note">{_(lesson.formula_told)}</p>', apply_default_css=False)
            self.guess = gr.Radio(
                [(_(words), i) for i, words in enumerate(lesson.choices)],
                value=None,
                label=_("Your prediction. {question}").format(question=_(lesson.question)),
                elem_id=f"guess-{key}",
                elem_classes="guess",
            )
            with gr.Row(elem_classes="lesson-acts"):
                self.do = gr.Button(
                    _(DOES[lesson.act]),
                    variant="primary",
                    scale=0,
                    min_width=250,
                    elem_id=f"do-{key}",
                )
                self.explain = gr.Button(
                    _("Explain what came of it"), scale=0, min_width=210, elem_id=f"explain-{key}"
                )
                self.ask = gr.Button(
                    _("Ask both models"), scale=0, min_width=150, elem_id=f"ask-{key}"
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
                [(f"{i}  {_(lesson.title)}", lesson.key) for i, lesson in enumerate(LESSONS, 1)],
                value=LESSONS[0].key,
                label=_("Lessons"),
                elem_id="lesson",
            )
        with gr.Column(scale=3, min_width=300):
            rooms = [_Room(lesson, i) for i, lesson in enumerate(LESSONS, 1)]
    with gr.Accordion(_("Glossary"), open=False, elem_id="glossary"):
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

    _wire_return(page, choice, rooms)
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


def _wire_attack(page: Page, controls: Controls, lesson: Lesson, room: _Room) -> None:
    def prepare(run_id: str, key: str) -> list[Any]:
        with shown():
            return [attacked(page, run_id, key), gr.Tabs(selected="stress")]

    pressed = room.do.click(prepare, [page.run, page.key], [page.run, page.tabs], **QUIET)
    page.acted(pressed)
    pressed.success(None, js=PRESS % {"id": "attack-relearn"}, **QUIET)


def _wire_explain(page: Page, lesson: Lesson, room: _Room) -> None:
    def explain(run_id: str, key: str, guess: int | None) -> str:
        with shown():
            return explanation(page, lesson, run_id, key, guess)

    asked = [page.run, page.key, room.guess]
    room.explain.click(explain, asked, room.told, queue=False, **QUIET)


def _wire_return(page: Page, choice: gr.Radio, rooms: list[_Room]) -> None:
    """Whoever comes back to a lesson finds it explained, if it has been done."""
    by_key = {lesson.key: (lesson, room) for lesson, room in zip(LESSONS, rooms, strict=True)}

    def look(values: dict[Any, Any]) -> dict[Any, Any]:
        lesson, room = by_key[values[choice]]
        try:
            told = explanation(page, lesson, values[page.run], values[page.key], values[room.guess])
        except UserError:  # not done yet
            told = waiting(lesson)
        return {room.told: told}

    inputs = {page.run, page.key, choice, *(room.guess for room in rooms)}
    told = [room.told for room in rooms]
    for comes in (page.tab.select, choice.input):
        comes(look, inputs, told, queue=False, **QUIET)


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
