"""Compare: two models answer the same prompt side by side; text to keep; and all scores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from dashboard import neighbours, tables
from dashboard.answer_panel import panel
from dashboard.ballot import at_strength
from dashboard.blind_vote import Voting
from dashboard.compare_form import CompareForm
from dashboard.identity import is_key
from dashboard.language import N_, _
from dashboard.page import QUIET, Page, Watched, toast
from dashboard.side_by_side import Writing, frames
from dashboard.side_choices import Choice, all_choices, named, strength_slider
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest

NAME, TITLE = "compare", N_("3 Compare")

SUGGESTED = 8
"""Pinned prompts offered to click on."""
NEIGHBOUR_TOKENS = 40
"""As many as the judged words of a neighbour may need."""
NO_NEIGHBOURS = N_("The answers appear here.")

Values = dict[gr.blocks.Block, Any]
Draw = Callable[[list[Writing]], Values]
Asked = tuple[GenerateRequest, Draw, Draw]
"""What is asked, what draws a frame, and what the last frame adds."""


class _Answering:
    """Two buttons that ask, one that stops: per visitor one request at a time."""

    def __init__(self, page: Page, form: CompareForm, also: gr.Button) -> None:
        self._page, self._form, self._also = page, form, also
        self._stopping: dict[str | None, threading.Event] = {}
        form.stop.click(self.stop, None, None, queue=False, **QUIET)

    def buttons(self, *, busy: bool) -> Values:
        """Asking or Stop, never both."""
        asking = gr.update(interactive=not busy)
        return {
            self._form.go: asking,
            self._also: asking,
            self._form.blind: asking,
            self._form.stop: gr.update(interactive=busy),
        }

    def stream(
        self,
        values: Values,
        visitor: gr.Request,
        make: Callable[[], Asked],
    ) -> Iterator[Values]:
        """Ask and draw."""
        stopped = self._stopping[visitor.session_hash] = threading.Event()
        try:
            request, draw, ended = make()
            yield self.buttons(busy=True)
            answers: list[Writing] = []
            for answers in frames(self._page.scheduler, request, values[self._page.key], stopped):
                yield draw(answers)
            last = ended(answers)
        except UserError as error:
            yield self.buttons(busy=False)
            raise toast(error) from None
        finally:
            self._stopping.pop(visitor.session_hash, None)
        yield self.buttons(busy=False) | last

    def stop(self, visitor: gr.Request) -> None:
        """End this visitor's request."""
        if visitor.session_hash in self._stopping:
            self._stopping[visitor.session_hash].set()


def build(page: Page) -> None:
    """Build the tab."""
    form = CompareForm()
    voting = Voting()
    with gr.Column(elem_classes="neighbours-panel") as beside:
        with gr.Row(elem_classes="neighbours-head"):
            gr.HTML(_(ABOUT_NEIGHBOURS), apply_default_css=False)
            also = gr.Button(
                _("Ask about text to keep"), elem_id="ask-neighbours", scale=0, min_width=240
            )
        kept = gr.HTML(
            f'<p class="empty">{_(NO_NEIGHBOURS)}</p>',
            apply_default_css=False,
            elem_id="neighbours",
        )
    scores = gr.HTML(apply_default_css=False, elem_id="scores")

    def choices(watched: Watched, key: Any) -> list[Choice]:
        return all_choices(watched, page.scheduler.store, key if is_key(key) else "")

    @page.shows(form.suggested, scores)
    def show(watched: Watched) -> Values:
        return {
            # Choices alone: what was chosen stays chosen.
            form.suggested: gr.update(choices=suggestions(watched)),
            scores: tables.score_table(watched.view),
        }

    def change_run(run_id: str, key: str) -> list[dict[str, Any]]:
        found = choices(page.watched(run_id, key), key)
        return [gr.update(choices=found, value=value) for _, value in found[:2]]

    def look_again(run_id: str, key: str) -> list[dict[str, Any]]:
        return [gr.update(choices=choices(page.watched(run_id, key), key))] * len(form.sides)

    asked = {"inputs": [page.run, page.key], "outputs": form.sides, "queue": False, **QUIET}
    reopened = page.run.change(change_run, **asked)
    # New snapshots and runs, when somebody comes to choose.
    for looks in (page.tab.select, *(side.focus for side in form.sides)):
        looks(look_again, **asked)
    form.suggested.input(lambda text: text, form.suggested, form.prompt, queue=False, **QUIET)
    for side, slider in zip(form.sides, form.strengths, strict=True):
        side.change(
            lambda side, blind: gr.skip() if blind else strength_slider(page.scheduler.store, side),
            [side, form.blind],
            slider,
            queue=False,
            **QUIET,
        )
    voting.bind(page, form, beside, reopened)
    answering = _Answering(page, form, also)
    _wire_prompt(page, form, answering, voting, also)
    _wire_neighbours(page, form, answering, also, kept, choices)


def _wire_prompt(
    page: Page, form: CompareForm, answering: _Answering, voting: Voting, also: gr.Button
) -> None:
    def generate(values: Values, visitor: gr.Request) -> Iterator[Values]:
        def make() -> Asked:
            request = form.request(values)
            if values[form.blind]:
                ballot = voting.ask(request, values)
                return (
                    ballot.request,
                    lambda answers: voting.draw(ballot, answers),
                    lambda _: voting.ended(ballot, values),
                )
            return request, lambda answers: draw(request, answers), lambda _: {}

        def draw(request: GenerateRequest, answers: list[Writing]) -> Values:
            each = len(request.prompts)
            sides = [answers[:each], answers[each:]]
            return {
                box: panel(request.prompts[0], sides[side], sides[1 - side], side)
                for side, box in enumerate(form.panels)
            }

        yield from answering.stream(values, visitor, make)

    # Not `cancels=`: a frame under way would arrive after it and leave the buttons wrong.
    form.go.click(
        generate,
        {page.key, page.run, form.blind, *form.inputs},
        [*form.panels, form.go, form.stop, form.blind, also, *voting.outputs],
        concurrency_limit=None,
        **QUIET,
    )


def _wire_neighbours(
    page: Page,
    form: CompareForm,
    answering: _Answering,
    also: gr.Button,
    kept: gr.HTML,
    choices: Callable[[Watched, Any], list[Choice]],
) -> None:
    def ask_neighbours(values: Values, visitor: gr.Request) -> Iterator[Values]:
        def make() -> Asked:
            watched = page.watched(values[page.run], values[page.key])
            found, as_question = neighbours_of(
                page, watched, values[form.prompt] or "", bool(values[form.as_question])
            )
            request = GenerateRequest.parse(
                {
                    "sides": form.chosen(values),
                    "strengths": form.strength(values),
                    "prompts": tuple(one.prompt for one in found),
                    "as_question": as_question,
                    "max_new_tokens": NEIGHBOUR_TOKENS,
                }
            )
            known = choices(watched, values[page.key])
            names = [
                at_strength(named(side, known), request.strength(i))
                for i, side in enumerate(request.sides)
            ]
            each = len(found)

            def draw(answers: list[Writing]) -> Values:
                return {kept: neighbours.table(found, [answers[:each], answers[each:]], names)}

            return request, draw, lambda _: {}

        yield from answering.stream(values, visitor, make)

    also.click(
        ask_neighbours,
        {page.key, page.run, form.prompt, form.as_question, *form.sides, *form.strengths},
        [kept, form.go, form.stop, form.blind, also],
        concurrency_limit=None,
        **QUIET,
    )


ABOUT_NEIGHBOURS = N_(
    "<h3>What should stay</h3><p class='note'>Both sides go on with texts of the same kind that "
    "should be kept, those most like the prompt first: here one sees what was harmed.</p>"
)


def neighbours_of(
    page: Page, watched: Watched, prompt: str, as_question: bool
) -> tuple[list[neighbours.Neighbour], bool]:
    """What to ask of the kept text, and whether as questions. Whoever only watches a run gets
    its pinned prompts, not its texts.

    Raises:
        UserError: no run, or nothing that it keeps is known yet.
    """
    if not watched.run_id:
        raise UserError(
            "No run is open, so it is not known what should be kept.",
            "Open one under Runs, or start one in Set up.",
        )
    if watched.owned:
        texts = page.scheduler.store.texts(watched.run_id).get("retain", [])
        found, questions = neighbours.nearest(prompt, texts, as_question)
        if found:
            return found, questions
    found = neighbours.pinned(next(iter(watched.view.answers.values()), ()))
    if not found:
        raise UserError("This run keeps no text that could be asked about.")
    return found, False


def suggestions(watched: Watched) -> list[str]:
    """Pinned prompts of the run, as they were asked."""
    answers = next(iter(watched.view.answers.values()), ())
    return list(dict.fromkeys(answer.prompt for answer in answers))[:SUGGESTED]
