"""Time travel: a slider over the looks at the model. What it shows is in the log already.

The browser keeps the chosen step (`Page.at`); here is what the slider must know of the run.
Drawing and keys stand in assets/page/travel.js.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import gradio as gr

from dashboard.language import _
from dashboard.page import Watched
from unlearning.runs.view import View

TEMPLATE = """<div class="travel" hidden>
<label class="travel-name" for="travel-step">%s</label>
<div class="travel-track">
<input type="range" id="travel-step" min="0" max="0" value="0" step="1">
<div class="travel-marks" aria-hidden="true"></div>
</div>
<output class="travel-at" for="travel-step"></output>
<label class="travel-follow"><input type="checkbox" checked> %s</label>
</div>"""
CHOSEN = "(value) => (value && value.chosen) || ''"
"""Hands the chosen step from the slider to the page."""


def slider() -> gr.HTML:
    """The component. Use it as input and as output of the tick."""
    return gr.HTML(
        value=None,
        html_template=TEMPLATE % (_("Look back"), _("follow latest")),
        js_on_load="window.letheTravel(element, props, watch, trigger);",
        apply_default_css=False,
        elem_id="travel",
    )


def payload(view: View, held: Any = None, run_id: str = "") -> dict[str, Any] | None:
    """What the slider must know, or None when it knows.

    Returns:
        id: the run. run: identity of run and revision; a change lets the slider follow again.
        looks: steps that were looked at, as runs [first, last, stride]. marks: [step, words, kind].
        now: the step shown while following. steps: of the whole run.
    """
    looks = sorted(view.answers)
    content = {
        "id": run_id,
        "run": f"{run_id}/{view.begun}/{view.revision}",
        "looks": stretches(looks),
        "now": shown_step(view),
        "steps": max(view.steps, view.step),
        "marks": _marks(view),
    }
    tag = sha256(repr(content).encode()).hexdigest()[:10]
    drawn = held.get("drawn") if isinstance(held, Mapping) else None
    if isinstance(drawn, Mapping) and drawn.get("tag") == tag:
        return None
    return {**content, "tag": tag}


def shown_step(view: View) -> int | None:
    """The look that stands for the kept weights: after a roll-back that is not the latest."""
    return max((step for step in view.answers if step <= view.step), default=None)


def stretches(steps: Sequence[int]) -> list[list[int]]:
    """Rising steps as [first, last, stride]: a long run in a few numbers."""
    found: list[list[int]] = []
    for step in steps:
        last = found[-1] if found else None
        if last and last[0] == last[1]:
            found[-1] = [last[0], step, step - last[0]]
        elif last and step - last[1] == last[2]:
            last[1] = step
        else:
            found.append([step, step, 1])
    return found


def kept_before(watched: Watched) -> int | None:
    """The snapshot to go on from: the last one that is not after the step looked at."""
    most = watched.view.step if watched.at is None else watched.at
    return max((step for step in watched.snapshots if step <= most), default=None)


def _marks(view: View) -> list[list[Any]]:
    marks: list[list[Any]] = []
    if view.forgotten_at is not None:
        marks.append([view.forgotten_at, _("forgotten"), "good"])
    if view.collapse is not None:
        marks.append([view.collapse.step, _("collapsed"), "bad"])
    if view.rolled_back is not None:
        marks.append([view.rolled_back.to, _("kept"), "plain"])
    elif view.ended is not None and view.ended.best_step not in (None, view.ended.step):
        marks.append([view.ended.best_step, _("best"), "plain"])
    return [mark for mark in marks if mark[0] in view.answers]
