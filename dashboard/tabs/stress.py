"""Stress tests: is the text gone, or only unsaid? Attacks on an ended run, and what they found."""

from __future__ import annotations

from typing import Any

import gradio as gr

from dashboard import membership, pictures
from dashboard.attack_results import TITLES, results, title
from dashboard.form import Fields
from dashboard.language import N_, _, spoken
from dashboard.page import QUIET, Page, Watched, shown
from unlearning.attacks import ATTACKS, attack
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.stress.job import AttackJob, obstacle
from unlearning.runs.view import LIVE

NAME, TITLE = "stress", N_("4 Stress tests")

PLAIN = {
    "relearn": N_("Teach it a part of the text again: does the rest come back with it?"),
    "quantise": N_("Round its weights, as cheap copies do: does it come back?"),
    "prompts": N_("Ask for the text in other words, with hints, and many times."),
    "sequential": N_("Forget it in several requests: does the model wear out?"),
}
"""The attacks in a sentence; of others their own summary is shown."""
SIDES = {
    "original": N_("the original"),
    "control": N_("a model that never saw the text"),
    "unlearned": N_("the unlearned model"),
}


def order(name: str) -> int:
    """Place among the attacks on the page."""
    return list(TITLES).index(name) if name in TITLES else len(TITLES)


class _Widgets:
    """The run on top, a column for each attack, what is going on, and the results."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="attack-target"):
            self.run = gr.Dropdown(
                [],
                value=None,
                # An open page outlives a server that knew the choices.
                allow_custom_value=True,
                label=_("Run to attack"),
                elem_id="attack-run",
                scale=3,
            )
            self.step = gr.Dropdown(
                [(_("Kept at the end"), "")],
                value="",
                allow_custom_value=True,
                label=_("Weights"),
                elem_id="attack-step",
                scale=1,
                min_width=170,
            )
        self.buttons: dict[str, gr.Button] = {}
        self.fields: dict[str, Fields] = {}
        with gr.Row(elem_classes="attacks", equal_height=False):
            for name in sorted(ATTACKS, key=order):
                with gr.Column(min_width=180, elem_classes="attack"):
                    self._attack(name)
        with gr.Row(elem_classes="attack-now"):
            self.status = gr.HTML(apply_default_css=False, elem_id="attack-status")
            self.stop = gr.Button(
                _("Stop the attack"), variant="stop", visible=False, scale=0, elem_id="stop-attack"
            )
        self.results = gr.HTML(apply_default_css=False, elem_id="attack-results")

    def _attack(self, name: str) -> None:
        self.buttons[name] = gr.Button(
            title(name), variant="primary", interactive=False, elem_id=f"attack-{name}"
        )
        words = _(PLAIN.get(name) or ATTACKS[name].summary())
        gr.HTML(f'<p class="hint">{pictures.escaped(words)}</p>', apply_default_css=False)
        with gr.Accordion(_("Settings"), open=False, elem_id=f"settings-{name}"):
            self.fields[name] = Fields(ATTACKS[name], f"attack-{name}")


def build(page: Page) -> None:
    """Build the tab."""
    widgets = _Widgets()

    @page.shows(
        widgets.run,
        widgets.step,
        widgets.status,
        widgets.stop,
        widgets.results,
        *widgets.buttons.values(),
    )
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        job, why = watched.attack, hindrance(page, watched)
        live = job is not None and job.live
        ready = gr.update(interactive=not why and not live)
        return {
            widgets.run: gr.update(value=watched.run_id or None),
            widgets.step: gr.update(choices=step_choices(watched), value=""),
            widgets.status: status(job, watched.attack_place, why),
            widgets.stop: gr.update(visible=live and watched.owned),
            widgets.results: kept_results(page, watched),
            **dict.fromkeys(widgets.buttons.values(), ready),
        }

    explorer = membership.explorer()
    page.drawn(
        explorer, lambda watched, held: membership.payload(watched.view, held, watched.run_id)
    )
    _wire_run(page, widgets)
    for name in widgets.buttons:
        _wire_attack(page, widgets, name)

    def stop(run_id: str, key: str) -> None:
        with shown():
            page.scheduler.stop_attack(run_id, key)

    page.acted(widgets.stop.click(stop, [page.run, page.key], None, queue=False, **QUIET))


def _wire_run(page: Page, widgets: _Widgets) -> None:
    def offer(run_id: str, key: str) -> list[Any]:
        choices = run_choices(page, key)
        # Without an open run the newest own one is meant.
        chosen = run_id or (choices[0][1] if choices else "")
        return [gr.update(choices=choices, value=chosen or None), chosen]

    def choose(run_id: Any) -> str:
        with shown():
            page.scheduler.view(str(run_id or ""))
        return str(run_id)

    changed = [widgets.run, page.run]
    page.acted(page.tab.select(offer, [page.run, page.key], changed, queue=False, **QUIET))
    page.acted(widgets.run.input(choose, widgets.run, page.run, queue=False, **QUIET))


def _wire_attack(page: Page, widgets: _Widgets, name: str) -> None:
    fields = widgets.fields[name]

    def start_attack(values: dict[gr.blocks.Block, Any]) -> None:
        with shown():
            if not values[page.run]:
                raise UserError("No run is chosen.", "Choose a finished run above.")
            chosen = attack(name).parse(fields.read(values))
            step = step_of(values[widgets.step])
            page.scheduler.attack(values[page.run], chosen, values[page.key], step)

    page.acted(
        widgets.buttons[name].click(
            start_attack, {page.run, page.key, widgets.step, *fields.inputs}, None, **QUIET
        )
    )


def run_choices(page: Page, key: str) -> list[tuple[str, str]]:
    """Ended runs with weights, own ones first; strangers' only where everybody sees all."""
    found = [
        run
        for run in page.scheduler.summaries(key)
        if run.status not in LIVE and (run.mine or not page.settings.public)
    ]
    choices = []
    for run in sorted(found, key=lambda run: not run.mine):
        try:
            if obstacle(page.scheduler.store, run.run_id) is not None:
                continue
        except UserError:  # damaged, or deleted meanwhile
            continue
        method = METHODS[run.method].title if run.method in METHODS else run.method
        words = _("{run_id} · {method} on {model}, step {step}").format(
            run_id=run.run_id, method=method, model=run.model, step=run.step
        )
        choices.append((f"{words} · {run.label}" if run.label else words, run.run_id))
    return choices


def step_choices(watched: Watched) -> list[tuple[str, str]]:
    """The weights that can be attacked: those kept at the end, and the snapshots."""
    kept = watched.view.ended.step if watched.view.ended else None
    last = (
        _("Kept at the end")
        if kept is None
        else _("Kept at the end, step {kept}").format(kept=kept)
    )
    return [(last, "")] + [
        (_("Step {step}").format(step=step), str(step)) for step in watched.snapshots
    ]


def step_of(value: Any) -> int | None:
    """The chosen snapshot; None for the weights kept at the end.

    Raises:
        UserError: what was typed is no number.
    """
    text = str(value or "").strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise UserError(
            f"{text[:40]!r} is not a step.", "Choose one of the list above the attacks."
        ) from None


def hindrance(page: Page, watched: Watched) -> str:
    """Why no attack can be started on the run, in a sentence; empty where one can."""
    if not watched.run_id:
        return _("No run is open. Choose a finished run above, or start one in Set up.")
    if watched.live:
        return _("The run is not over yet; it can be attacked once it has ended.")
    try:
        problem = obstacle(page.scheduler.store, watched.run_id)
    except UserError as error:
        problem = error
    if problem is not None:
        return spoken(f"{problem.message} {problem.hint}".strip())
    if not watched.owned:
        return _("This run belongs to somebody else: you see what was found, its owner attacks it.")
    return ""


def status(job: AttackJob | None, place: int | None, why: str) -> str:
    """What is going on, in a line; after a failure what to do."""
    if job is not None and job.live:
        return f'<p class="attack-line" role="status">{pictures.escaped(_going(job, place))}</p>'
    if job is None and not why:
        why = _("Choose an attack; what it finds is kept with the run.")
    if why or job is None:
        return f'<p class="empty" role="status">{pictures.escaped(why)}</p>'
    if job.state == "failed" and job.failed is not None:
        return pictures.error_card(job.failed)
    ended = {
        "stopped": _("{attack} was stopped; nothing of it is kept."),
        "finished": _("{attack} is done."),
    }
    words = ended.get(job.state, _("{attack} is over.")).format(attack=title(job.attack))
    return f'<p class="attack-line" role="status">{pictures.escaped(words)}</p>'


def _going(job: AttackJob, place: int | None) -> str:
    """Waiting, or which model is being attacked and what was seen last."""
    if job.state == "queued":
        where = _(", place {place} in the queue").format(place=place) if place else ""
        return _("{title} waits{where}.").format(title=title(job.attack), where=where)
    side, last = "", ""
    for line in job.told:
        name = line.partition(":")[0]
        if name in SIDES:
            side, last = _(SIDES[name]), ""
        elif line.startswith(" "):
            last = " ".join(line.split())
    parts = [
        _("{title} is under way").format(title=title(job.attack)),
        _("on {side}").format(side=side) if side else "",
    ]
    return " ".join(filter(None, parts)) + (f" · {last}" if last else " …")


def kept_results(page: Page, watched: Watched) -> str:
    """What attacks on the run found so far."""
    if not watched.run_id or watched.live:
        return ""
    try:
        return results(page.scheduler.store, watched.run_id)
    except UserError:  # deleted meanwhile
        return ""
