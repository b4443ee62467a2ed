"""The models that can stand on a side of Compare, in words."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import gradio as gr

from dashboard.language import N_, _
from dashboard.page import Watched
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.store import RunStore

Choice = tuple[str, str]
"""What is read, and the side of a request."""

EMBEDDED = (
    (N_("Demo model"), "demo"),
    (N_("Never saw the text (demo-retain)"), "demo-retain"),
)
"""What can be asked while no run is open."""
MOST_RUNS = 12
"""Other runs offered, newest first; any run can be typed as run:ID or run:ID@STEP."""
ALL_WEIGHTS = N_("All weights of this run were trained; there is no adapter to turn.")
LOOK_SECONDS = 10.0
"""How old the list of other runs may be: it reads the disk."""


def embedded() -> list[Choice]:
    """`EMBEDDED` in the language of the page."""
    return [(_(words), side) for words, side in EMBEDDED]


def side_choices(watched: Watched) -> list[Choice]:
    """The original first, then the run that is looked at."""
    run_id, view = watched.run_id, watched.view
    if not run_id:
        return embedded()
    kept = view.ended.step if view.ended else None
    now = (
        _("Unlearned, step {kept}").format(kept=kept)
        if kept is not None
        else _("Unlearned, as it is now")
    )
    choices = [(_("Original"), f"original:{run_id}")]
    if watched.snapshots or watched.live:
        choices.append((now, f"run:{run_id}"))
    choices += [
        (_("Snapshot, step {step}").format(step=step), f"run:{run_id}@{step}")
        for step in watched.snapshots
        if step != kept
    ]
    if view.model.startswith("demo"):
        choices.append(embedded()[1])
    return choices if len(choices) > 1 else [*choices, choices[0]]


def all_choices(watched: Watched, store: RunStore, key: str) -> list[Choice]:
    """The same, then the retrained model that the run names, then other runs of this browser."""
    choices = side_choices(watched)
    if watched.owned and watched.run_id:
        choices += _retrained(store, watched.run_id)
    choices += other_runs(store, key, watched.run_id)
    there: set[str] = set()
    return [c for c in choices if not (c[1] in there or there.add(c[1]))] or choices


def _retrained(store: RunStore, run_id: str) -> list[Choice]:
    try:
        model = store.config(run_id).retrained
    except UserError:
        return []
    return (
        [(_("Never saw the text ({model})").format(model=model), model)]
        if model not in ("", "auto", "none")
        else []
    )


def other_runs(store: RunStore, key: str, but: str = "") -> list[Choice]:
    """Kept weights and snapshots of this browser's newest runs."""
    found = _own_runs(store, key, int(time.monotonic() // LOOK_SECONDS))
    return [choice for run_id, choices in found if run_id != but for choice in choices]


@lru_cache(maxsize=64)
def _own_runs(store: RunStore, key: str, _: int) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    found = []
    for run_id in store.ids():
        try:
            if store.owned_by(run_id, key):
                found.append((run_id, tuple(_of_run(store, run_id))))
        except (UserError, OSError):  # unreadable, or deleted while this looks
            continue
        if len(found) > MOST_RUNS:
            break
    return tuple(found)


def _of_run(store: RunStore, run_id: str) -> list[Choice]:
    steps = store.snapshots(run_id)
    if not steps:
        return []
    config = store.config(run_id)
    method = METHODS[config.method].title if config.method in METHODS else config.method
    name = _("Run {run_id}, {name}").format(run_id=run_id, name=config.label or method)
    return [
        (_("{name}: as kept").format(name=name), f"run:{run_id}"),
        *(
            (_("{name}: step {step}").format(name=name, step=step), f"run:{run_id}@{step}")
            for step in steps
        ),
    ]


def named(side: str, choices: list[Choice]) -> str:
    """What a side is called; a model that was typed is called by its name."""
    return next((words for words, value in choices if value == side), side)


def strength_slider(store: RunStore, side: Any) -> dict[str, Any]:
    """How the strength of a side is offered: for runs alone, and only to those with an adapter."""
    kind, rest = str(side or "").partition(":")[::2]
    if kind != "run":
        return gr.update(visible=False, value=1)
    try:
        full = store.config(rest.partition("@")[0]).full
    except UserError:
        return gr.update(visible=False, value=1)
    if full:
        return gr.update(visible=True, interactive=False, value=1, info=_(ALL_WEIGHTS))
    return gr.update(visible=True, interactive=True, info=None)
