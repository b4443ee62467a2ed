"""The bar above the tabs while a recording is played: where it is, pause, speed, leave."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from dashboard.language import _
from dashboard.page import QUIET, Page, Watched, shown
from dashboard.pictures import duration, escaped
from dashboard.playback import SPEEDS, Playback, begin, parse


def build(page: Page) -> None:
    """Build the bar; it is hidden while nothing is played."""
    with gr.Row(visible=False, elem_id="replay-bar") as bar:
        place = gr.HTML(apply_default_css=False, elem_id="replay-place")
        speed = gr.Dropdown(
            [(_("{speed}× speed").format(speed=speed), speed) for speed in SPEEDS],
            value=1,
            # A link may have named another one.
            allow_custom_value=True,
            label=_("Speed"),
            show_label=False,
            container=False,
            scale=0,
            min_width=120,
            elem_id="replay-speed",
        )
        hold = gr.Button(_("Pause"), scale=0, min_width=90, size="md", elem_id="replay-hold")
        again = gr.Button(
            _("From the start"), scale=0, min_width=120, size="md", elem_id="replay-again"
        )
        leave = gr.Button(
            _("End the replay"), scale=0, min_width=120, size="md", elem_id="replay-leave"
        )

    @page.shows(bar, place, speed, hold)
    def show(watched: Watched) -> dict[gr.blocks.Block, Any]:
        playback, now = watched.playback, time.time()
        if playback is None:
            return {bar: gr.update(visible=False)}
        return {
            bar: gr.update(visible=True),
            place: where(playback, now),
            speed: gr.update(value=playback.speed),
            hold: gr.update(value=_("Pause") if playback.moving(now) else _("Play")),
        }

    def toggle(text: str) -> str:
        chosen, now = _known(text), time.time()
        return (chosen.held(now) if chosen.moving(now) else chosen.going(now)).text()

    def change_speed(text: str, wanted: Any) -> str:
        chosen, now = _known(text), time.time()
        if wanted not in SPEEDS:
            return text
        held = chosen.held(now)
        if not chosen.moving(now):
            return Playback(chosen.run, wanted, held.at, None, chosen.length).text()
        return held.going(now, float(wanted)).text()

    def restart(text: str) -> str:
        chosen = _known(text)
        with shown():
            return begin(page.scheduler.store, chosen.run, time.time(), chosen.speed).text()

    acts = (
        (hold.click, toggle, [page.playback]),
        (speed.input, change_speed, [page.playback, speed]),
        (again.click, restart, [page.playback]),
        (leave.click, lambda _: "", [page.playback]),
    )
    for press, act, inputs in acts:
        page.acted(press(act, inputs, page.playback, queue=False, **QUIET))


def where(playback: Playback, now: float) -> str:
    """How far the recording has come, in words."""
    passed, length = (duration(s) for s in (playback.position(now), playback.length))
    share = playback.position(now) / playback.length if playback.length else 1.0
    state = _("Over") if playback.over(now) else _("Playing") if playback.moving(now) else _("Held")
    told = _("{passed} of {length}, long silences shortened").format(passed=passed, length=length)
    return (
        f"<p><b>{_('Recorded run')}</b> {escaped(playback.run)} · {state}, {told}</p>"
        f'<div class="bar" aria-hidden="true"><i style="width:{share:.1%}">'
        "</i></div>"
    )


def _known(text: str) -> Playback:
    chosen = parse(text)
    if chosen is None:
        raise gr.Error(
            _("No recording is being played."),
            title=_("That does not work yet"),
            print_exception=False,
        )
    return chosen
