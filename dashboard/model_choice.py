"""Which model, what it is, whether it fits, and a model that was trained without the text."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import gradio as gr

from dashboard.language import N_, _, spoken
from dashboard.page import QUIET, Page, Watched
from dashboard.pictures import escaped
from unlearning.config import RunConfig
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
from unlearning.models.suggested import SUGGESTIONS

EMBEDDED = {
    "demo": N_("Demo: knows a fictional world by heart"),
    "demo-retain": N_("Demo, trained without the text to forget"),
}
RETRAINED = {
    "auto": N_("The one that belongs to the text, if any"),
    "none": N_("None"),
    "demo-retain": EMBEDDED["demo-retain"],
}
KEPT_SECONDS = 60
"""How long it is kept in mind that a model could not be looked up."""
ABOUT_RETRAINED = N_(
    "A model of the same kind that was trained without the text to forget. Its scores are the "
    "exact level at which forgetting ends. Without one, unseen text stands in."
)


class ModelChoice:
    """The model's dropdown with its card, and below it the retrained model."""

    def __init__(self, page: Page) -> None:
        """Build the widgets where it is called."""
        self._page = page
        public = page.settings.public
        self._choices = [(_(title), name) for name, title in EMBEDDED.items()]
        if public:
            self._choices += [(name, name) for name in allowed_models()]
        else:
            self._choices += [(f"{one.model}: {_(one.note)}", one.model) for one in SUGGESTIONS]
        self.model = gr.Dropdown(
            self._choices,
            value="demo",
            allow_custom_value=not public,
            label=_("Model"),
            show_label=False,
            info=None
            if public
            else _("One of the list, a folder, or an id on the Hugging Face hub."),
            elem_id="model",
        )
        self.card = gr.HTML(model_card(RunConfig()), apply_default_css=False, elem_id="model-card")

        @page.shows(self.model)
        def offer(watched: Watched) -> dict[gr.blocks.Block, Any]:
            return {self.model: gr.update(choices=self._choices + goes_on(watched))}

    def build_retrained(self) -> None:
        """Build the choice of a retrained model where it is called."""
        offered = [(_(title), name) for name, title in RETRAINED.items()]
        if self._page.settings.public:
            offered += [(name, name) for name in allowed_models()]
        else:
            published = {m: m for one in SUGGESTIONS for m in one.retrained.values()}
            offered += list(published.items())
        self.retrained = gr.Dropdown(
            offered,
            value="auto",
            allow_custom_value=not self._page.settings.public,
            label=_("Model trained without the text"),
            show_label=False,
            info=_(ABOUT_RETRAINED),
            elem_id="retrained",
        )
        card = gr.HTML(apply_default_css=False)
        self.retrained.change(
            retrained_card, self.retrained, card, trigger_mode="always_last", **QUIET
        )

    @property
    def inputs(self) -> set[gr.blocks.Block]:
        """Both dropdowns."""
        return {self.model, self.retrained}

    def read(self, values: dict[gr.blocks.Block, Any]) -> dict[str, str]:
        """Fields of the configuration."""
        return {
            "model": (values[self.model] or "").strip(),
            "retrained": (values[self.retrained] or "").strip() or "auto",
        }

    def usual_rate(self, config: RunConfig) -> float | None:
        """The default learning rate; None while the size of the model is not known."""
        try:
            count = _parameters(
                self._page.scheduler.store.root_model(config.model),
                int(time.time() // KEPT_SECONDS),
            )
        except UserError:
            return None
        if count is None:
            return None
        return config.build_method().defaults.rate(count, config.full)


@lru_cache(maxsize=64)
def _parameters(model: str, period: int) -> int | None:
    """How large a model is; what could not be found out is asked again in the next period."""
    try:
        return describe(model)["parameters"]
    except UserError:
        return None


def goes_on(watched: Watched) -> list[tuple[str, str]]:
    """The run that is looked at, as a model to go on from."""
    if watched.live or not watched.snapshots:
        return []
    return [(_("Go on from run {run_id}").format(run_id=watched.run_id), f"run:{watched.run_id}")]


def model_card(config: RunConfig) -> str:
    """Size of the model, number format, device, and whether a run fits into this machine."""
    if config.model.startswith("run:"):
        return f'<p class="note">{_("Goes on from what that run left.")}</p>'
    try:
        found = describe(config.model)
        needed = _needed(config, found)
    except UserError as error:
        return problem_card(error)
    mark = _mark(needed, doubt(found["config"]))
    return (
        f'<div class="text-card"><p>{escaped(_facts(found))}. {escaped(_place(config))}</p>'
        f"<p>{mark}</p></div>"
    )


def retrained_card(name: Any) -> str:
    """What the retrained model is; nothing for the choices without a name."""
    name = str(name or "").strip()
    if name in ("auto", "none", "") or name.startswith("run:"):
        return ""
    try:
        return f'<p class="note">{escaped(_facts(describe(name)))}.</p>'
    except UserError as error:
        return problem_card(error)


def problem_card(error: UserError) -> str:
    """The problem where the eye is, and it stays: a toast goes by."""
    hint = f"<p>{escaped(spoken(error.hint))}</p>" if error.hint else ""
    return f'<div class="card bad" role="alert"><p>{escaped(spoken(error.message))}</p>{hint}</div>'


def _facts(found: ModelCard) -> str:
    count = found["parameters"]
    size = (
        _("{value:.1f} billion").format(value=count / 1e9)
        if count >= 1e9
        else _("{value:.1f} million").format(value=count / 1e6)
    )
    stored = found["config"].get("dtype") or found["config"].get("torch_dtype")
    parts = [
        found["type"],
        _("{size} parameters").format(size=size),
        stored if isinstance(stored, str) else "",
        _("context of {count} tokens").format(count=found["context"]) if found["context"] else "",
        _("chat model") if found["chat"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _place(config: RunConfig) -> str:
    """Where and in which number format it will run, as far as that is decided."""
    where = (
        _("on the GPU or else the CPU")
        if config.device == "auto"
        else _("on {device}").format(device=config.device)
    )
    if config.full:
        return _("Runs {where} in float32, as all parameters are trained.").format(where=where)
    if config.dtype != "auto":
        return _("Runs {where} in {dtype}.").format(where=where, dtype=config.dtype)
    if config.device == "auto":
        return _("Runs on the GPU in bfloat16, or else on the CPU in float32.")
    dtype = "bfloat16" if config.device.startswith("cuda") else "float32"
    return _("Runs {where} in {dtype}.").format(where=where, dtype=dtype)


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
        return f'<b class="bad">{_("✕ may not fit")}.</b> {escaped(spoken(error.message))}'
    if doubt:
        return f'<b class="bad">{_("✕ may not load")}.</b> {escaped(spoken(doubt))}'
    needs = _("needs at most about {needed} of {free} free memory").format(
        needed=gigabytes(needed.total), free=gigabytes(free)
    )
    return f'<b class="good">{_("✓ fits")}</b>, {needs}'


def gigabytes(size: int) -> str:
    """Bytes in words."""
    return f"{size / 1e9:.1f} GB"
