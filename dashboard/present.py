"""The present view, for a projector: two texts, one chart, the meter. It is only watched.

The same page draws it, so that it follows the same run through the same ticks; the address
(`?view=present&run=ID`) decides in the browser which of the two is shown.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard import pictures, tables
from dashboard.language import N_, _
from dashboard.live_figure import Chart, Trace
from dashboard.notes import nothing
from dashboard.page import Page, Watched
from dashboard.pictures import escaped
from dashboard.tabs.live import RECITED
from dashboard.theme import FORGET, UNLEARNED
from unlearning.methods import METHODS
from unlearning.runs.events import Answer

CHART = Chart(
    "present",
    N_("Words recited"),
    (
        Trace(f"score/{RECITED}/forget", N_("text to forget"), FORGET),
        Trace(f"score/{RECITED}/retain", N_("text to keep"), UNLEARNED, "dash"),
    ),
    direction=N_("↓ to the never-saw-it level"),
    level=RECITED,
    font=17,
)
HEIGHT = 250
HINT = N_("<kbd>B</kbd> blurs the texts · <kbd>←</kbd> <kbd>→</kbd> another prompt")
TOLD = '<p class="present-told" role="status" aria-live="polite"></p>'


def build(page: Page) -> None:
    """Build the view; a style sheet shows it in place of everything else."""
    with gr.Column(elem_id="present"):
        head = gr.HTML(apply_default_css=False, elem_id="present-head")
        texts = gr.HTML(apply_default_css=False, elem_id="present-texts")
        with gr.Row(elem_id="present-foot"):
            page.figure(CHART, HEIGHT)
            meter = gr.HTML(apply_default_css=False, elem_id="present-meter")
        hint = f'<p class="present-hint">{_(HINT)}</p>{TOLD}'
        gr.HTML(hint, apply_default_css=False, elem_id="present-hint")

    @page.shows(head, texts, meter)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        view = watched.view
        return {
            head: headline(watched),
            texts: pairs(watched),
            meter: pictures.meter(view.health, "health" in view.series) if watched.run_id else "",
        }


def headline(watched: Watched) -> str:
    """What is being done to which model, and how far it is."""
    if not watched.run_id:
        return (
            "<h1>Lethe</h1><p>"
            + _(
                "No run is open. Open one on the page and follow its link "
                "<b>Present on a projector</b>."
            )
            + "</p>"
        )
    view = watched.view
    method = METHODS[view.method].title if view.method in METHODS else view.method
    title = (
        _("{method} on {model}").format(method=method, model=view.model)
        if method
        else _("Starting")
    )
    step = (
        _("step {step} of {steps}").format(step=view.step, steps=view.steps) if view.steps else ""
    )
    recorded = _("recorded run") if watched.playback is not None else ""
    turn = (
        _("collapsed at step {step}, rolled back").format(step=view.collapse.step)
        if view.collapse and view.rolled_back
        else ""
    )
    facts = " · ".join(escaped(fact) for fact in (step, turn, recorded) if fact)
    pill = pictures.status_pill(watched.status, view.phase, watched.place, recorded=bool(recorded))
    return f"<h1>{escaped(title)}</h1><p>{facts}</p>{pill}"


def pairs(watched: Watched) -> str:
    """Every pinned prompt with both answers at the latest look; the browser shows one of them."""
    view = watched.view
    steps = [step for step in view.answers if step <= view.step]
    if not steps:
        words = _("The answers appear with the first look at the model.") if watched.run_id else ""
        return f'<p class="empty">{words}</p>'
    step = max(steps)
    found = view.answers[step]
    return "".join(_pair(answer, step, i, len(found)) for i, answer in enumerate(found))


def _pair(answer: Answer, step: int, index: int, count: int) -> str:
    role = _(tables.ROLES.get(answer.role, answer.role))
    place = _("{index} of {count}").format(index=index + 1, count=count)
    looped = f'<span class="looped">{_("repeats itself")}</span>' if answer.looped else ""
    after = (
        escaped(answer.unlearned.strip())
        if answer.looped
        else tables.differing(answer.original, answer.unlearned)
    )
    return (
        f'<section class="said-pair" data-pair="{index}"{" hidden" if index else ""}>'
        f'<p class="said-prompt"><span class="role {escaped(answer.role)}">{escaped(role)}, '
        f'{place}</span> <span class="veiled">{escaped(answer.prompt)}</span></p>'
        f'<div class="columns"><div class="original"><h2>{_("Original")}</h2>'
        f'<p class="veiled">{escaped(answer.original.strip()) or nothing()}</p></div>'
        f'<div class="unlearned"><h2>'
        f"{_('Unlearned, step {kept}').format(kept=step)}{looped}</h2>"
        f'<p class="veiled">{after or nothing()}</p></div></div></section>'
    )
