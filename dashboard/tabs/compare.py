"""Compare: two models answer the same prompt side by side; and all scores with their verdict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from dashboard import tables
from dashboard.page import QUIET, Page, Watched, toast
from dashboard.pictures import escaped
from dashboard.side_by_side import frames
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest

NAME, TITLE = "compare", "3 Compare"

EMBEDDED = (
    ("Demo model", "demo"),
    ("Never saw the text (demo-retain)", "demo-retain"),
)
"""What can be asked while no run is open."""
SUGGESTED = 8
"""Pinned prompts offered to click on."""


class _Widgets:
    """Prompt and settings above, the two sides below."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="compare-head"):
            self.prompt = gr.Textbox(
                label="Prompt",
                lines=2,
                max_lines=6,
                placeholder="The beginning of a text, or a question.",
                elem_id="prompt",
                scale=3,
            )
            self.suggested = gr.Dropdown(
                [],
                value=None,
                allow_custom_value=True,
                label="Or a pinned prompt",
                elem_id="suggested",
                scale=2,
            )
        with gr.Row(elem_classes="compare-settings"):
            self._settings()
        self.sides: list[gr.Dropdown] = []
        self.panels: list[gr.HTML] = []
        with gr.Row(elem_classes="sides", equal_height=True):
            for name in ("a", "b"):
                with gr.Column(min_width=280, elem_classes=f"side side-{name}"):
                    self._side(name)

    def _settings(self) -> None:
        self.as_question = gr.Checkbox(
            label="Ask as a question", elem_id="as-question", min_width=130
        )
        self.tokens = gr.Slider(8, 256, value=64, step=8, label="Tokens", min_width=130)
        self.temperature = gr.Slider(0, 2, value=0, step=0.1, label="Temperature", min_width=130)
        self.seed = gr.Number(0, label="Seed", precision=0, minimum=0, min_width=80, scale=0)
        with gr.Row(elem_classes="compare-buttons"):
            self.go = gr.Button("Generate", variant="primary", elem_id="generate", min_width=110)
            self.stop = gr.Button("Stop", interactive=False, elem_id="generate-stop", min_width=70)

    def _side(self, name: str) -> None:
        self.sides.append(
            gr.Dropdown(
                EMBEDDED,
                value=EMBEDDED[len(self.sides)][1],
                # Any model may be named; and an open page outlives a server that knew the choices.
                allow_custom_value=True,
                label=f"Model {name.upper()}",
                show_label=False,
                elem_id=f"side-{name}",
            )
        )
        self.panels.append(
            gr.HTML(panel("", ""), apply_default_css=False, elem_id=f"answer-{name}")
        )

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """What a request is made of."""
        settings = (self.prompt, self.as_question, self.tokens, self.temperature, self.seed)
        return {*settings, *self.sides}

    def request(self, values: dict[gr.blocks.Block, Any]) -> GenerateRequest:
        """The request as the widgets say it.

        Raises:
            UserError: no run, no prompt, or a setting out of range.
        """
        sides, prompt = [values[side] for side in self.sides], values[self.prompt]
        if not all(sides):
            raise UserError("A side names no model.", "Choose one above each answer.")
        if not (prompt or "").strip():
            raise UserError("The prompt is empty.", "Write the beginning of a text, or a question.")
        return GenerateRequest.parse(
            {
                "sides": tuple(sides),
                "prompts": (prompt,),
                "as_question": values[self.as_question],
                "max_new_tokens": values[self.tokens],
                "temperature": values[self.temperature],
                "seed": values[self.seed] or 0,
            }
        )

    def buttons(self, *, busy: bool) -> dict[gr.blocks.Block, Any]:
        """Generate or Stop, never both."""
        return {self.go: gr.update(interactive=not busy), self.stop: gr.update(interactive=busy)}


def build(page: Page) -> None:
    """Build the tab."""
    widgets = _Widgets()
    scores = gr.HTML(apply_default_css=False, elem_id="scores")

    @page.shows(*widgets.sides, widgets.suggested, scores)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        # Choices alone: what was chosen stays chosen while snapshots come.
        choices = gr.update(choices=side_choices(watched))
        return {
            **dict.fromkeys(widgets.sides, choices),
            widgets.suggested: gr.update(choices=suggestions(watched)),
            scores: tables.score_table(watched.view),
        }

    def change_run(run_id: str, key: str) -> list[dict[str, Any]]:
        choices = side_choices(page.watched(run_id, key))
        return [gr.update(choices=choices, value=value) for _, value in choices[:2]]

    page.run.change(change_run, [page.run, page.key], widgets.sides, queue=False, **QUIET)
    widgets.suggested.input(
        lambda text: text, widgets.suggested, widgets.prompt, queue=False, **QUIET
    )
    _wire_generation(page, widgets)


def _wire_generation(page: Page, widgets: _Widgets) -> None:
    stopping: dict[str | None, threading.Event] = {}

    def generate(
        values: dict[gr.blocks.Block, Any], visitor: gr.Request
    ) -> Iterator[dict[gr.blocks.Block, Any]]:
        stopped = stopping[visitor.session_hash] = threading.Event()
        try:
            request = widgets.request(values)
            yield widgets.buttons(busy=True)
            for answers in frames(page.scheduler, request, values[page.key], stopped):
                yield {
                    box: panel(request.prompts[0], answer.text, answer.state)
                    for box, answer in zip(widgets.panels, answers, strict=True)
                }
        except UserError as error:
            yield widgets.buttons(busy=False)
            raise toast(error) from None
        finally:
            stopping.pop(visitor.session_hash, None)
        yield widgets.buttons(busy=False)

    def stop(visitor: gr.Request) -> None:
        if visitor.session_hash in stopping:
            stopping[visitor.session_hash].set()

    # Not `cancels=`: a frame under way would arrive after it and leave the buttons wrong.
    widgets.go.click(
        generate,
        {page.key, *widgets.inputs},
        [*widgets.panels, widgets.go, widgets.stop],
        concurrency_limit=None,
        **QUIET,
    )
    widgets.stop.click(stop, None, None, queue=False, **QUIET)


def side_choices(watched: Watched) -> list[tuple[str, str]]:
    """The models that can be asked: (words, side); the original first, then the run."""
    run_id, view = watched.run_id, watched.view
    if not run_id:
        return list(EMBEDDED)
    kept = view.ended.step if view.ended else None
    now = f"Unlearned, step {kept}" if kept is not None else "Unlearned, as it is now"
    choices = [("Original", f"original:{run_id}")]
    if watched.snapshots or watched.live:
        choices.append((now, f"run:{run_id}"))
    choices += [
        (f"Snapshot, step {step}", f"run:{run_id}@{step}")
        for step in watched.snapshots
        if step != kept
    ]
    if view.model.startswith("demo"):
        choices.append(EMBEDDED[1])
    return choices if len(choices) > 1 else [*choices, choices[0]]


def suggestions(watched: Watched) -> list[str]:
    """Pinned prompts of the run, as they were asked."""
    answers = next(iter(watched.view.answers.values()), ())
    return list(dict.fromkeys(answer.prompt for answer in answers))[:SUGGESTED]


def panel(prompt: str, text: str, state: str = "") -> str:
    """One side: the prompt, the answer after it, and what is to be said of it. All escaped."""
    if not prompt:
        return '<div class="panel-text empty"><p>The answer appears here.</p></div>'
    said = {
        "writing": '<i class="cursor" aria-hidden="true"></i>',
        "looped": '<span class="looped">repeats itself</span>',
        "stopped": '<span class="note">stopped</span>',
    }.get(state, "")
    live = "true" if state == "writing" else "false"
    return (
        f'<div class="panel-text" aria-busy="{live}"><span class="prompt">{escaped(prompt)}</span>'
        f'<span class="answer">{escaped(text)}</span>{said}</div>'
    )
