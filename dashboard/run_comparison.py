"""Up to eight runs beside each other: curves, forgetting against utility, what differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from dashboard.language import N_, _
from dashboard.page import QUIET, Page, shown
from dashboard.run_downloads import SAVE, TEXT
from dashboard.run_figures import UTILITIES, Drawn, overlay, pareto, points
from dashboard.run_rows import check_readable, choices
from dashboard.run_styles import MOST, STYLES
from dashboard.run_tables import differences_table, figures_table
from unlearning.errors import UserError
from unlearning.exports.papers import bibtex
from unlearning.runs.groups import groups, member

NOTHING = N_("Choose two runs or more, or press “Add to comparison” on a run.")
NAMES = [(N_("Utility: words kept"), "kept"), (N_("Utility: general perplexity"), "perplexity")]


class Comparison:
    """The choice of runs and all that is drawn of them."""

    def __init__(self) -> None:
        self.made = gr.Textbox(visible="hidden")
        self.chosen = gr.Dropdown(
            [], value=[], multiselect=True, max_choices=MOST,
            label=_("Runs, up to {most}").format(most=MOST),
            elem_id="compared-runs",
            # An open page outlives a server that knew the choices.
            allow_custom_value=True,
        )  # fmt: skip
        with gr.Row(elem_classes="compare-runs"):
            self.utility = gr.Radio(
                [(_(words), name) for words, name in NAMES], value="kept", label=_("Utility"),
                show_label=False, container=False, elem_id="compared-utility", scale=2,
                min_width=320,
            )  # fmt: skip
            self.seeds = gr.Checkbox(
                True, label=_("Average over seeds"), elem_id="average-seeds", scale=1,
                min_width=190, container=False,
            )  # fmt: skip
            self.cite = gr.Button("BibTeX", size="sm", scale=0, min_width=90, elem_id="cite-runs")
        with gr.Row(equal_height=False, elem_classes="compared-charts"):
            with gr.Column(scale=3, min_width=320):
                self.overlay = gr.Plot(
                    visible=False, show_label=False, buttons=[], elem_id="overlay"
                )
            with gr.Column(scale=2, min_width=320):
                self.pareto = gr.Plot(visible=False, show_label=False, buttons=[], elem_id="pareto")
        self.table = gr.HTML(nothing(), apply_default_css=False, elem_id="compared-figures")
        self.differences = gr.HTML(apply_default_css=False, elem_id="run-differences")

    def bind(self, page: Page, tab: gr.Tab, add: gr.Button, run: gr.Textbox) -> None:
        """Draw when the choice changes, and when the figures come into view."""
        inputs = [self.chosen, self.seeds, self.utility, page.key]
        outputs = [self.table, self.overlay, self.pareto, self.differences]

        def draw(chosen: Any, seeds: bool, utility: str, key: str) -> list[Any]:
            with shown():
                return drawn(page, chosen, seeds, utility, key)

        def offer(chosen: Any, key: str) -> dict[str, Any]:
            return gr.update(choices=choices(page, key), value=list(chosen or []))

        def add_run(chosen: Any, run_id: str, key: str) -> Any:
            with shown():
                check_readable(page, run_id, key)
                ids = list(dict.fromkeys([*(chosen or []), run_id]))
                if len(ids) > MOST:
                    raise UserError(
                        f"{MOST} runs are compared already.", "Take one out under Compare runs."
                    )
            gr.Info(_("{count} to compare; see Compare runs.").format(count=len(ids)))
            return gr.update(choices=choices(page, key), value=ids)

        def cite(chosen: Any, key: str) -> str:
            with shown():
                return cited(page, chosen, key)

        self._drawing = {"fn": draw, "inputs": inputs, "outputs": outputs, **QUIET}
        self.draw_after(
            tab.select(offer, [self.chosen, page.key], self.chosen, queue=False, **QUIET)
        )
        for widget in (self.chosen, self.seeds, self.utility):
            widget.input(**self._drawing)
        add.click(add_run, [self.chosen, run, page.key], self.chosen, **QUIET)
        made = self.cite.click(cite, [self.chosen, page.key], self.made, **QUIET)
        made.success(None, self.made, None, js=SAVE, **QUIET)

    def draw_after(self, event: Any) -> None:
        """Draw the chosen runs once more after this event."""
        event.then(**self._drawing)


def lines(page: Page, chosen: Any, seeds: bool, key: str) -> list[Drawn]:
    """The lines to draw: one a run, or one for all seeds of the same settings.

    Raises:
        UserError: too many, or one that is gone or a stranger's.
    """
    ids = list(dict.fromkeys(str(run_id) for run_id in chosen or []))
    if len(ids) > MOST:
        raise UserError(f"{len(ids)} runs are chosen; {MOST} can be compared.", "Take some out.")
    for run_id in ids:
        check_readable(page, run_id, key)
    members = [member(page.scheduler.store, run_id) for run_id in ids]
    grouped = groups(members) if seeds else [[one] for one in members]
    return [Drawn(style, tuple(group)) for style, group in zip(STYLES, grouped, strict=False)]


def drawn(page: Page, chosen: Any, seeds: bool, utility: str, key: str) -> list[Any]:
    """Table, curves, plane and differences; a sentence where no run is chosen."""
    utility = utility if utility in UTILITIES else "kept"
    found = lines(page, chosen, seeds, key)
    if not found:
        hidden = gr.update(visible=False, value=None)
        return [nothing(), hidden, hidden, ""]
    table = figures_table(page.scheduler.store, found, points(found, utility))
    return [
        notes(found) + table,
        gr.update(visible=True, value=overlay(found)),
        gr.update(visible=True, value=pareto(found, utility)),
        differences_table(found),
    ]


def nothing() -> str:
    """Before runs are chosen."""
    return f'<p class="empty">{_(NOTHING)}</p>'


def notes(found: Sequence[Drawn]) -> str:
    """What makes a comparison lame."""
    members = [one for line in found for one in line.members]
    told = []
    if len({one.texts.get("forget") for one in members}) > 1:
        told.append(_("These runs forget different texts."))
    if len({one.config.get("model") for one in members}) > 1:
        told.append(_("They set out from different models."))
    return f'<p class="note">{" ".join(told)} {_("Compare with care.")}</p>' if told else ""


def cited(page: Page, chosen: Any, key: str) -> str:
    """BibTeX of the methods of the chosen runs, as a file for the browser to make.

    Raises:
        UserError: none is chosen.
    """
    ids = [str(run_id) for run_id in chosen or []]
    if not ids:
        raise UserError("No run is chosen.", "Choose the runs whose methods you cite.")
    for run_id in ids:
        check_readable(page, run_id, key)
    methods = [page.scheduler.store.config(run_id).method for run_id in ids]
    return json.dumps({"name": "methods.bib", "type": TEXT, "text": bibtex(methods)})
