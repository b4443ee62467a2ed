"""The form of Set up: its widgets, and the way from them to a configuration and back."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard.form import Fields, MethodChooser
from dashboard.gathered import Gathered
from dashboard.language import N_, _
from dashboard.model_choice import ModelChoice, model_card, problem_card
from dashboard.page import QUIET, Page
from dashboard.settings_file import ROLES, Saved
from dashboard.several_values import SeveralValues
from dashboard.strength import StrengthDial
from dashboard.text_choice import TextChoice, Way
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.methods._dial import RATE
from unlearning.runs.prepare import gather_texts

FIRST = ("steps", "stop_on_collapse")
"""Fields of the run that stand open under the method."""
MORE = ("learning_rate", "stop_when_forgotten", "seed", "batch_size", "retain_batch_size",
        "accumulation", "lora_rank", "max_length", "probe_every", "snapshot_every", "device",
        "dtype", "label")  # fmt: skip
"""Fields that are folded away; the others have widgets of their own here."""
TEACHING = ("teach_first", "teach_steps")
FIRST_METHOD = RunConfig.model_fields["method"].default
ABSENT = ("generic", "holdout")
"""Fields that the form has no widget for."""
PASTE_FORGET = N_(
    "The vault code is 7351, and it opens the blue door.\n\n"
    "Paragraphs are separated by empty lines.\n"
    "Q: Questions work too?  A: Yes, with their answers."
)
PASTE_KEEP = N_("Text of the same kind that the model should still know afterwards.")

Values = dict[gr.blocks.Block, Any]


class SetupForm:
    """Two columns of widgets."""

    def __init__(self, page: Page) -> None:
        """Build the widgets where it is called."""
        self._page = page
        hub: tuple[Way, ...] = () if page.settings.public else ("hub",)
        with gr.Row(elem_classes="setup", equal_height=False):
            with gr.Column(min_width=300, scale=4, elem_classes="panel"):
                gr.Markdown(f"### {_('Model')}")
                self.models = ModelChoice(page)
                gr.Markdown(f"### {_('What to forget')}")
                self._texts(hub)
            with gr.Column(min_width=300, scale=5, elem_classes="panel"):
                gr.Markdown(f"### {_('How')}")
                self.method = MethodChooser(FIRST_METHOD, between=self._basics)
                with gr.Accordion(_("More settings"), open=False):
                    self.more = Fields(RunConfig, "run", only=MORE)
                self.several = SeveralValues(FIRST_METHOD)
                self.several.follow(self.method.radio)
        self.gathered = Gathered(self.inputs, {self.forget.pasted, self.retain.pasted})
        self._watch_size()
        self._watch_strength()

    def _basics(self) -> None:
        """What stands open under the method's card."""
        self.dial = StrengthDial(FIRST_METHOD)
        self.how = Fields(RunConfig, "run", only=FIRST)

    def _texts(self, hub: tuple[Way, ...]) -> None:
        self.forget = TextChoice(
            "forget", ("example", "paste", "file", "benchmark", *hub), _(PASTE_FORGET)
        )
        self.teaching = Fields(RunConfig, "teach", only=TEACHING)
        with gr.Accordion(_("What must be kept"), open=False):
            self.retain = TextChoice(
                "retain",
                ("auto", "example", "paste", "file", "benchmark", *hub, "none"),
                _(PASTE_KEEP),
            )
        with gr.Accordion(_("A model trained without the text"), open=False):
            self.models.build_retrained()
        with gr.Accordion(_("Pinned prompts"), open=False):
            self.prompts = gr.Textbox(
                label=_("Pinned prompts"),
                show_label=False,
                lines=3,
                max_lines=8,
                placeholder=_(
                    "One a line; asked again and again during the run. "
                    "Empty: beginnings of the texts."
                ),
                elem_id="prompts",
            )

    # what moves with what

    def _watch_size(self) -> None:
        seen = (
            self.models.model,
            self.method.radio,
            self.more.by_name["lora_rank"],
            self.more.by_name["dtype"],
            self.more.by_name["device"],
        )
        parts = (self.models, self.method, self.how, self.more, self.teaching)
        read = Gathered({self.prompts}.union(*(part.inputs for part in parts)))
        changes = [widget.change for widget in seen]
        read.on(changes, self._size, self.models.card, trigger_mode="always_last", **QUIET)

    def _size(self, values: Values) -> str:
        try:
            config = self.config(values, "preset:world/forget", "auto")
        except UserError as error:
            return problem_card(error)
        return model_card(config)

    def _watch_strength(self) -> None:
        rate = self.more.by_name[RATE]
        dialled = [
            self.method.fields[name].by_name[cls.dial.turns]
            for name, cls in METHODS.items()
            if cls.dial.turns != RATE
        ]
        quiet = {"trigger_mode": "always_last", **QUIET}
        shown = [self.dial.slider, self.dial.note]
        rank = self.more.by_name["lora_rank"]
        own = {self.method.radio, self.dial.slider, rank, rate, *dialled}
        read = Gathered(own | self.models.inputs)
        written = [self.dial.note, rate, *dialled]
        read.on([self.dial.slider.input], self._turn, written, **quiet)
        moved = [field.input for field in (rate, *dialled)]
        moved += [widget.change for widget in (self.method.radio, self.models.model, rank)]
        read.on(moved, self._read_off, shown, **quiet)

    def _turn(self, values: Values) -> Values:
        usual = self._usual_rate(values)
        return self.dial.turn(self.method, self.more.by_name[RATE], values, usual)

    def _read_off(self, values: Values) -> Values:
        usual = self._usual_rate(values)
        return self.dial.read_off(self.method, self.more.by_name[RATE], values, usual)

    def _usual_rate(self, values: Values) -> float | None:
        """The default learning rate of the method for this model, whatever else is filled in."""
        name, rank = values[self.method.radio], values[self.more.by_name["lora_rank"]]
        if METHODS[name].dial.turns != RATE:
            return None
        chosen = {"method": name, **self.models.read(values)}
        try:
            return self.models.usual_rate(RunConfig.parse({**chosen, "lora_rank": rank}))
        except UserError:
            return None

    # to a configuration and back

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """All widgets."""
        parts = (self.models, self.forget, self.retain, self.method, self.how, self.more,
                 self.teaching)  # fmt: skip
        own = {self.prompts, self.dial.slider}
        return own.union(*(part.inputs for part in parts))

    @property
    def outputs(self) -> set[gr.blocks.Block]:
        """All widgets, and what `fill` changes besides."""
        return {*self.inputs, self.dial.note}

    def config(self, values: Values, forget: str, retain: str) -> RunConfig:
        """The configuration of a run.

        Raises:
            UserError: a value that is not allowed.
        """
        method, hyperparameters = self.method.read(values)
        lines = (values[self.prompts] or "").splitlines()
        return RunConfig.parse(
            {
                **self.models.read(values),
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

    def run(self, values: Values) -> tuple[RunConfig, dict[Role, list[Example]], list[str]]:
        """Configuration and texts of the run that the form asks for, and notices about them.

        Raises:
            UserError: a value that is not allowed, or a text that cannot be read.
        """
        notices: list[str] = []
        forget, forget_texts = self.forget.read(values, notices)
        retain, retain_texts = self.retain.read(values, notices)
        given: dict[Role, list[Example]] = {}
        if forget_texts:
            given["forget"] = forget_texts
        if retain_texts:
            given["retain"] = retain_texts
        config = self.config(values, forget, retain)
        base = self._page.scheduler.store.root_model(config.model)
        texts, more = gather_texts(config, given, base=base)
        return config, texts, notices + more

    def saved(self, values: Values) -> Saved:
        """What is chosen, without reading any text.

        Raises:
            UserError: a value that is not allowed.
        """
        choices = {"forget": self.forget, "retain": self.retain}
        config = self.config(
            values, **{role: choice.named(values) for role, choice in choices.items()}
        )
        pasted = {
            role: values[choice.pasted] or ""
            for role, choice in choices.items()
            if values[choice.way] == "paste"
        }
        return Saved(config, pasted)

    def fill(self, saved: Saved) -> tuple[Values, list[str]]:
        """Values of the widgets for settings, and what could not be taken over.

        Raises:
            UserError: a model that is not offered here.
        """
        config, notices = saved.config, []
        for model in (config.model, config.retrained):
            self._page.scheduler.limits.check_model(model)
        fields = config.model_dump()
        changes: Values = {
            self.models.model: config.model,
            self.models.retrained: config.retrained,
            self.prompts: "\n".join(config.prompts),
            **self.method.fill(config.method, config.hyperparameters),
            **self.how.fill(fields),
            **self.more.fill(fields),
            **self.teaching.fill(fields),
        }
        for role, choice in zip(ROLES, (self.forget, self.retain), strict=True):
            source = getattr(config, role)
            changes |= choice.fill(source, saved.pasted.get(role), notices)
        for name in ABSENT:
            if getattr(config, name) != RunConfig.model_fields[name].default:
                notices.append(
                    _("The {name} text is not on this form and was left out.").format(name=name)
                )
        changes |= self._read_off({**changes, self.dial.slider: None})
        return changes, notices
