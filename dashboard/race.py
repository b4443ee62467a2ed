"""A race: several methods on the same text with the same seed, on charts with one cursor."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from dashboard import pictures
from dashboard.language import N_, _, spoken
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.run_comparison import Comparison
from dashboard.run_rows import check_readable, choices, steps_in
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.exports.curves import Curve, Panel, curve_set
from unlearning.exports.verdict import verdict
from unlearning.methods import METHODS
from unlearning.runs.events import Status
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.runs.view import LIVE, View

RECITED = "memorization_accuracy"
FIRST = ("gradient_ascent", "npo", "undial")
"""Methods of the first race: one that breaks, one that brakes, one that holds."""
OWN = ("hyperparameters", "learning_rate", "batch_size", "retain_batch_size", "steps",
       "stop_when_forgotten", "label")  # fmt: skip
"""Settings in which every method takes its own default."""
ABOUT = N_(
    "Share of words recited of the text to forget and of the text to keep, and the collapse "
    "meter, on the same axes. The slider moves one cursor through all."
)
NOTHING = N_(
    "No race yet. Choose two methods or more; they run one after another, and their charts "
    "appear here."
)


class Race:
    """Who races, and how it goes."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="race-form"):
            self.methods = gr.Dropdown(
                [(cls.title, name) for name, cls in METHODS.items()],
                value=[name for name in FIRST if name in METHODS],
                multiselect=True,
                label=_("Methods, each with its own defaults"),
                elem_id="race-methods",
                scale=4,
                min_width=260,
            )
            self.steps = gr.Textbox(
                label=_("Steps of each"), placeholder=_("as the method says"), max_lines=1,
                elem_id="race-steps", scale=1, min_width=170,
            )  # fmt: skip
            self.start = gr.Button(
                _("Start the race"), variant="primary", scale=0, elem_id="start-race"
            )
        self.ground = gr.HTML(ground(""), apply_default_css=False, elem_id="race-ground")
        self.charts = gr.HTML(nothing(), apply_default_css=False, elem_id="race")
        self.compare = gr.Button(
            _("Compare the racers"), visible=False, scale=0, elem_id="compare-racers"
        )

    def bind(self, page: Page, chosen: gr.Textbox, compared: Comparison, parts: gr.Tabs) -> None:
        """Wire the start; the charts follow the run that is looked at. `compared` and `parts`
        are where racers are compared in detail."""

        @page.shows(self.charts, self.compare)
        def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
            racing = _racers(page, watched.run_id)
            return {
                self.charts: standings(page, racing),
                self.compare: gr.update(visible=len(racing) > 1),
            }

        def start_race(methods: Any, steps: Any, run_id: str, key: str) -> str:
            with shown():
                ids = race(page, list(methods or []), steps_in(steps), run_id, key)
            gr.Info(_("{count} methods race, one after another.").format(count=len(ids)))
            return ids[0]

        begin = [self.methods, self.steps, chosen, page.key]
        page.acted(self.start.click(start_race, begin, page.run, **QUIET))
        chosen.change(ground, chosen, self.ground, queue=False, **QUIET)

        def compare(run_id: str, key: str) -> list[Any]:
            ids = _racers(page, run_id)
            there = gr.update(choices=choices(page, key), value=ids)
            return [there, gr.Tabs(selected="compared")]

        opened = [compared.chosen, parts]
        pressed = self.compare.click(compare, [page.run, page.key], opened, queue=False, **QUIET)
        compared.draw_after(pressed)


def nothing() -> str:
    """Before the first race."""
    return f'<p class="empty">{_(NOTHING)}</p>'


def ground(run_id: str) -> str:
    """Where the racers set out from."""
    where = (
        _("of run {run}").format(run=pictures.escaped(run_id))
        if run_id
        else _("of the built-in example")
    )
    words = _(
        "They race on the text, the model and the seed {where}. To take those of another run, "
        "choose it under All runs."
    )
    return f'<p class="hint">{words.format(where=where)}</p>'


def race(page: Page, methods: list[str], steps: int | None, run_id: str, key: str) -> list[str]:
    """Queue the racers; returns their ids.

    Raises:
        UserError: the run that they are to follow, a method, or a limit.
    """
    if run_id:
        check_readable(page, run_id, key)
        base, texts = page.scheduler.store.config(run_id), page.scheduler.store.texts(run_id)
    else:
        base = RunConfig()
        texts = gather_texts(base)[0]
    configs = racing_configs(base, methods, steps)
    return page.scheduler.race(configs, texts, key, what=_("methods"))


def racing_configs(base: RunConfig, methods: list[str], steps: int | None) -> list[RunConfig]:
    """The same run for each of the methods.

    Raises:
        UserError: an unknown method, or steps out of range.
    """
    kept = {k: v for k, v in base.model_dump(mode="json").items() if k not in OWN}
    label = _("race of {count}").format(count=len(set(methods)))
    return [
        RunConfig.parse({**kept, "method": name, "steps": steps, "label": label})
        for name in dict.fromkeys(methods)
    ]


def _racers(page: Page, run_id: str) -> list[str]:
    try:
        return page.scheduler.store.racers(run_id) if run_id else []
    except UserError:  # deleted meanwhile
        return []


def standings(page: Page, racers: list[str]) -> str:
    """The charts of all racers on the same axes, and a row for each."""
    found: list[tuple[str, View, Status]] = []
    for run_id in racers:
        try:
            found.append((run_id, page.scheduler.view(run_id), page.scheduler.status(run_id)))
        except UserError:  # deleted meanwhile
            continue
    if not found:
        return nothing()
    last = max(1, *(max(view.steps, view.step) for _, view, _ in found))
    names = _names(page.scheduler.store, [one for one, *_ in found])
    panels = [_panel(names[one], one, view, last) for one, view, _ in found]
    body = "".join(_row(page, names[one[0]], *one) for one in found)
    return (
        f'<p class="hint">{_(ABOUT)}</p>'
        f"{curve_set('race', panels, last)}"
        f'<div class="wide-table" tabindex="0" role="region" '
        f'aria-label="{_("Standings of the race")}">'
        f'<table class="runs-table"><thead><tr><th scope="col">{_("Racer")}</th>'
        f'<th scope="col">{_("State")}</th>'
        f'<th scope="col">{_("What became of it")}</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _names(store: RunStore, racers: list[str]) -> dict[str, str]:
    """What sets the racers apart: their methods, or the label where the method is the same."""
    configs = {run_id: store.config(run_id) for run_id in racers}
    if len({config.method for config in configs.values()}) < len(configs):
        return {run_id: config.label or config.method for run_id, config in configs.items()}
    return {
        run_id: METHODS[config.method].title if config.method in METHODS else config.method
        for run_id, config in configs.items()
    }


def _panel(name: str, run_id: str, view: View, last: int) -> Panel:
    curves = (
        Curve(_("to forget"), view.curve(f"score/{RECITED}/forget"), "forget"),
        Curve(_("to keep"), view.curve(f"score/{RECITED}/retain"), "kept"),
        Curve(_("collapse"), view.curve("health"), "healthy"),
    )
    level = view.levels.scores.get(RECITED) if view.levels else None
    marks = []
    if view.forgotten_at is not None:
        marks.append((view.forgotten_at, _("forgotten")))
    if view.collapse is not None:
        marks.append((view.collapse.step, _("collapsed")))
    return Panel(
        name,
        curves,
        run_id,
        level if level is not None and math.isfinite(level) else None,
        tuple(marks),
        last,
        (-0.02, 1.02),
    )


def _row(page: Page, name: str, run_id: str, view: View, status: Status) -> str:
    place = page.scheduler.place(run_id)
    words = "" if status in LIVE else spoken(verdict(view))
    if status == "running" and view.steps:
        words = _("step {step} of {steps}").format(step=view.step, steps=view.steps)
    return (
        f'<tr><th scope="row">{pictures.escaped(name)} '
        f"<small>{pictures.escaped(run_id)}</small></th>"
        f"<td>{pictures.status_pill(status, view.phase, place)}</td>"
        f"<td>{pictures.escaped(words)}</td></tr>"
    )
