"""What is asked of the two sides of Compare: prompt, sampling, models; and where answers stand."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard.answer_panel import VIEWS, empty, inspector, legends
from dashboard.ballot import closed_name
from dashboard.language import _
from dashboard.page import QUIET
from dashboard.side_choices import EMBEDDED, embedded
from unlearning.errors import UserError
from unlearning.runs.requests import MOST_STRENGTH, GenerateRequest

MOST_SAMPLES = 8
SHOW_VIEW = """(view, numbers) => {
  const shown = document.getElementById("comparison").dataset;
  shown.view = view;
  shown.numbers = numbers;
}"""
"""The words carry all their figures: the browser changes between the views by itself."""


class CompareForm:
    """Prompt and settings above, the two sides below."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="compare-head"):
            self._ask()
        sampling = gr.Accordion(_("Sampling"), open=False, elem_id="sampling")
        with sampling, gr.Row(elem_classes="compare-settings"):
            self._sampling()
        self.sides: list[gr.Dropdown] = []
        self.strengths: list[gr.Slider] = []
        self.names: list[gr.HTML] = []
        self.panels: list[gr.HTML] = []
        with gr.Column(elem_id="comparison"):
            with gr.Row(elem_classes="sides"):
                for name in ("a", "b"):
                    with gr.Column(min_width=280, elem_classes=f"side side-{name}"):
                        self._side(name)
            self._views()

    def _ask(self) -> None:
        self.prompt = gr.Textbox(
            label=_("Prompt"),
            lines=3,
            max_lines=6,
            placeholder=_("The beginning of a text, or a question."),
            elem_id="prompt",
            scale=3,
        )
        with gr.Column(scale=2, min_width=280, elem_classes="compare-ask"):
            self.suggested = gr.Dropdown(
                [],
                value=None,
                allow_custom_value=True,
                label=_("Or a pinned prompt"),
                elem_id="suggested",
            )
            with gr.Row(elem_classes="compare-buttons"):
                self.go = gr.Button(
                    _("Generate"), variant="primary", elem_id="generate", min_width=110
                )
                self.stop = gr.Button(
                    _("Stop"), interactive=False, elem_id="generate-stop", min_width=70
                )
                self.as_question = gr.Checkbox(
                    label=_("Ask as a question"), elem_id="as-question", min_width=130
                )
            self.blind = gr.Checkbox(
                label=_("Vote blind: who is who is shown after the vote"), elem_id="blind"
            )

    def _sampling(self) -> None:
        self.tokens = gr.Slider(
            8, 256, value=64, step=8, label=_("Longest answer, tokens"), min_width=130
        )
        self.temperature = gr.Slider(
            0,
            2,
            value=0,
            step=0.1,
            label=_("Temperature, 0 = the likeliest word"),
            elem_id="temperature",
            min_width=130,
        )
        self.top_p = gr.Slider(
            0.05, 1, value=1, step=0.05, label=_("Top-p, 1 = all words"), min_width=130
        )
        self.samples = gr.Slider(
            1, MOST_SAMPLES, value=1, step=1, label=_("Samples"), elem_id="samples", min_width=110
        )
        self.seed = gr.Number(0, label=_("Seed"), precision=0, minimum=0, min_width=80, scale=0)

    def _side(self, name: str) -> None:
        place = len(self.sides)
        self.sides.append(
            gr.Dropdown(
                embedded(),
                value=EMBEDDED[place][1],
                # Any model may be named; and an open page outlives a server that knew the choices.
                allow_custom_value=True,
                label=_("Model {side}").format(side=name.upper()),
                show_label=False,
                elem_id=f"side-{name}",
            )
        )
        self.strengths.append(
            gr.Slider(
                0,
                MOST_STRENGTH,
                value=1,
                step=0.05,
                label=_("Adapter strength, 1 as trained"),
                visible=False,
                elem_id=f"strength-{name}",
                elem_classes="strength",
            )
        )
        closed = closed_name(place)
        self.names.append(
            gr.HTML(closed, visible=False, apply_default_css=False, elem_id=f"answer-name-{name}")
        )
        self.panels.append(gr.HTML(empty(), apply_default_css=False, elem_id=f"answer-{name}"))

    def _views(self) -> None:
        with gr.Row(elem_classes="compare-views"):
            self.view = gr.Radio(
                [(_(words), view) for words, view in VIEWS],
                value="text",
                label=_("View"),
                show_label=False,
                elem_id="view",
                scale=3,
            )
            self.numbers = gr.Checkbox(
                label=_("Numbers under the words"), elem_id="numbers", min_width=210, scale=0
            )
        gr.HTML(legends(), apply_default_css=False)
        gr.HTML(inspector(), apply_default_css=False)
        for widget in (self.view, self.numbers):
            widget.change(None, [self.view, self.numbers], None, js=SHOW_VIEW, **QUIET)

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """What a request is made of."""
        sampling = (self.tokens, self.temperature, self.top_p, self.samples, self.seed)
        return {self.prompt, self.as_question, *sampling, *self.sides, *self.strengths}

    def chosen(self, values: dict[gr.blocks.Block, Any]) -> tuple[str, ...]:
        """The two sides.

        Raises:
            UserError: one of them is empty.
        """
        sides = tuple(values[side] for side in self.sides)
        if not all(sides):
            raise UserError("A side names no model.", "Choose one above each answer.")
        return sides

    def strength(self, values: dict[gr.blocks.Block, Any]) -> tuple[float, ...]:
        """Of both sides; 1 where no run stands, or nothing is given."""
        return tuple(
            1.0
            if values[slider] is None or not str(values[side]).startswith("run:")
            else values[slider]
            for side, slider in zip(self.sides, self.strengths, strict=True)
        )

    def request(self, values: dict[gr.blocks.Block, Any]) -> GenerateRequest:
        """The request as the widgets say it; a sample is the same prompt once more.

        Raises:
            UserError: no model, no prompt, or a setting out of range.
        """
        sides, prompt = self.chosen(values), values[self.prompt]
        if not (prompt or "").strip():
            raise UserError("The prompt is empty.", "Write the beginning of a text, or a question.")
        samples = values[self.samples]
        if not isinstance(samples, int | float) or not 1 <= samples <= MOST_SAMPLES:
            raise UserError(
                f"{str(samples)[:40]} samples cannot be asked for.", f"Ask for 1 to {MOST_SAMPLES}."
            )
        if samples > 1 and values[self.temperature] == 0:
            raise UserError(
                "At temperature 0 every sample is the same.",
                "Raise the temperature, or ask for one sample.",
            )
        return GenerateRequest.parse(
            {
                "sides": sides,
                "strengths": self.strength(values),
                "prompts": (prompt,) * int(samples),
                "as_question": values[self.as_question],
                "max_new_tokens": values[self.tokens],
                "temperature": values[self.temperature],
                "top_p": values[self.top_p],
                "seed": values[self.seed] or 0,
                "judge": True,
            }
        )
