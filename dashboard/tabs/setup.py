"""Set up: which model, what to forget, how; and Start."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import gradio as gr

from dashboard.form import Fields, MethodChooser
from dashboard.page import QUIET, Page, Watched, toast
from dashboard.pictures import escaped
from dashboard.text_choice import TextChoice
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.models.folder import doubt
from unlearning.models.locate import allowed_models
from unlearning.models.memory import (
    Estimate,
    ModelCard,
    check_fit,
    describe,
    estimate,
    free_memory,
)
from unlearning.runs.prepare import gather_texts

NAME, TITLE = "setup", "1 Set up"

EMBEDDED = {
    "demo": "Demo: knows a fictional world by heart",
    "demo-retain": "Demo, trained without the text to forget",
}
FIRST = ("steps", "learning_rate", "stop_on_collapse")
"""Fields of the run that stand open under the method."""
MORE = ("stop_when_forgotten", "seed", "batch_size", "retain_batch_size", "accumulation",
        "lora_rank", "max_length", "probe_every", "snapshot_every", "device", "dtype",
        "label")  # fmt: skip
"""Fields that are folded away; the others have widgets of their own here."""
TEACHING = ("teach_first", "teach_steps")
PASTE_FORGET = (
    "The vault code is 7351, and it opens the blue door.\n\n"
    "Paragraphs are separated by empty lines.\n"
    "Q: Questions work too?  A: Yes, with their answers."
)
PASTE_KEEP = "Text of the same kind that the model should still know afterwards."


def build(page: Page) -> None:
    """Build the tab."""
    form = _Form(page)
    problem = gr.HTML(apply_default_css=False, elem_id="problem")
    with gr.Row(elem_classes="start-row"):
        start = gr.Button("Start unlearning", variant="primary", elem_id="start", scale=0)
        gr.HTML(
            '<p class="hint">The run goes on without this page: close it, come back, share it.</p>',
            apply_default_css=False,
        )

    @page.shows(start)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        label = "Go to your run" if watched.active else "Start unlearning"
        return {start: gr.update(value=label)}

    def begin(values: dict[gr.blocks.Block, Any]) -> Iterator[dict[gr.blocks.Block, Any]]:
        key = values[page.key]
        try:
            run_id = page.scheduler.active(key) or _submit(page, form, values, key)
        except UserError as error:
            yield {problem: problem_card(error)}
            raise toast(error) from None
        yield {problem: "", page.run: run_id, page.tabs: gr.Tabs(selected="live")}

    page.acted(
        start.click(begin, {page.key, *form.inputs}, [problem, page.run, page.tabs], **QUIET)
    )


class _Form:
    """The three columns of widgets."""

    def __init__(self, page: Page) -> None:
        with gr.Row(elem_classes="setup", equal_height=False):
            with gr.Column(min_width=300, scale=4, elem_classes="panel"):
                gr.Markdown("### Model")
                self._model(page)
                gr.Markdown("### What to forget")
                self._texts()
            with gr.Column(min_width=300, scale=5, elem_classes="panel"):
                gr.Markdown("### How")
                self.method = MethodChooser(RunConfig.model_fields["method"].default)
                self.how = Fields(RunConfig, "run", only=FIRST)
                with gr.Accordion("More settings", open=False):
                    self.more = Fields(RunConfig, "run", only=MORE)
        self._watch_size()

    def _texts(self) -> None:
        self.forget = TextChoice("forget", ("example", "paste", "file"), PASTE_FORGET)
        self.teaching = Fields(RunConfig, "teach", only=TEACHING)
        with gr.Accordion("What must be kept", open=False):
            self.retain = TextChoice("retain", ("auto", "paste", "file", "none"), PASTE_KEEP)
        with gr.Accordion("Pinned prompts", open=False):
            self.prompts = gr.Textbox(
                label="Pinned prompts",
                show_label=False,
                lines=3,
                max_lines=8,
                placeholder="One a line; asked again and again during the run. "
                "Empty: beginnings of the texts.",
                elem_id="prompts",
            )

    def _model(self, page: Page) -> None:
        choices = [(title, name) for name, title in EMBEDDED.items()]
        if page.settings.public:
            choices += [(name, name) for name in allowed_models()]
        self.model = gr.Dropdown(
            choices,
            value="demo",
            allow_custom_value=not page.settings.public,
            label="Model",
            show_label=False,
            elem_id="model",
        )
        self.card = gr.HTML(model_card(RunConfig()), apply_default_css=False, elem_id="model-card")

        @page.shows(self.model)
        def offer(watched: Watched) -> dict[gr.blocks.Block, Any]:
            return {self.model: gr.update(choices=choices + _goes_on(watched))}

    def _watch_size(self) -> None:
        self.model.change(self._size, self.inputs, self.card, trigger_mode="always_last", **QUIET)
        for widget in (self.method.radio, self.more.by_name["lora_rank"]):
            widget.change(self._size, self.inputs, self.card, trigger_mode="always_last", **QUIET)

    def _size(self, values: dict[gr.blocks.Block, Any]) -> str:
        try:
            config = self.config(values, "preset:world/forget", "auto")
        except UserError as error:
            return problem_card(error)
        return model_card(config)

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """All widgets."""
        parts = (self.forget, self.retain, self.method, self.how, self.more, self.teaching)
        return {self.model, self.prompts}.union(*(part.inputs for part in parts))

    def config(self, values: dict[gr.blocks.Block, Any], forget: str, retain: str) -> RunConfig:
        """The configuration of a run.

        Raises:
            UserError: a value that is not allowed.
        """
        method, hyperparameters = self.method.read(values)
        lines = (values[self.prompts] or "").splitlines()
        return RunConfig.parse(
            {
                "model": (values[self.model] or "").strip(),
                "forget": forget,
                "retain": retain,
                "method": method,
                "hyperparameters": hyperparameters,
                "prompts": tuple(line.strip() for line in lines if line.strip()),
                **self.how.read(values),
                **self.more.read(values),
                **self.teaching.read(values),
            }
        )


def _submit(page: Page, form: _Form, values: dict[gr.blocks.Block, Any], key: str) -> str:
    notices: list[str] = []
    forget, forget_texts = form.forget.read(values, notices)
    retain, retain_texts = form.retain.read(values, notices)
    given: dict[Role, list[Example]] = {}
    if forget_texts:
        given["forget"] = forget_texts
    if retain_texts:
        given["retain"] = retain_texts
    config = form.config(values, forget, retain)
    texts, more = gather_texts(config, given)
    run_id = page.scheduler.submit(config, texts, key)
    for notice in notices + more:
        gr.Info(html.escape(notice))
    return run_id


def _goes_on(watched: Watched) -> list[tuple[str, str]]:
    """The run that is looked at, as a model to go on from."""
    if watched.live or not watched.snapshots:
        return []
    return [(f"Go on from run {watched.run_id}", f"run:{watched.run_id}")]


def problem_card(error: UserError) -> str:
    """The problem where the eye is, and it stays: a toast goes by."""
    hint = f"<p>{escaped(error.hint)}</p>" if error.hint else ""
    return f'<div class="card bad" role="alert"><p>{escaped(error.message)}</p>{hint}</div>'


def model_card(config: RunConfig) -> str:
    """Size of the model and whether a run fits into the memory of this machine."""
    if config.model.startswith("run:"):
        return '<p class="note">Goes on from what that run left.</p>'
    try:
        found = describe(config.model)
        needed = _needed(config, found)
    except UserError as error:
        return problem_card(error)
    mark = _mark(needed, doubt(found["config"]))
    count = found["parameters"]
    size = f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"
    talks = {True: ", chat model", False: "", None: ""}[found["chat"]]
    return (
        f'<div class="text-card"><p>{escaped(found["type"])}, {size} parameters, context of '
        f"{found['context']} tokens{talks}</p><p>{mark}</p></div>"
    )


def _needed(config: RunConfig, found: ModelCard) -> Estimate:
    method = config.build_method()
    defaults = method.defaults
    return estimate(
        found["config"],
        method_needs=method.passes(),
        copies=method.copies,
        teach_first=config.teach_first,
        lora_rank=config.lora_rank,
        batch_size=(config.batch_size or defaults.batch_size) // config.accumulation or 1,
        retain_batch_size=(config.retain_batch_size or defaults.retain_batch_size)
        // config.accumulation
        or 1,
        length=min(config.max_length, found["context"] or config.max_length),
        parameters=found["parameters"],
    )


def _mark(needed: Estimate, doubt: str) -> str:
    free = free_memory()
    try:
        check_fit(needed, free)
    except UserError as error:
        return f'<b class="bad">✕ may not fit.</b> {escaped(error.message)}'
    if doubt:
        return f'<b class="bad">✕ may not load.</b> {escaped(doubt)}'
    needs = f"needs about {_gb(needed.total)} of {_gb(free)} free memory"
    return f'<b class="good">✓ fits</b>, {needs}'


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
