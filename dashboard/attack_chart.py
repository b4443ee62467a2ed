"""The curves of a relearning attack as inline SVG: no script, crisp at every width.

Lines are stretched with the box and keep their thickness; words stand beside them as HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.language import N_, _
from dashboard.pictures import escaped
from unlearning.attacks.base import Side
from unlearning.attacks.relearn import Curve, Look

SIDES: dict[Side, str] = {
    "original": N_("Original"),
    "control": N_("Never saw the text"),
    "unlearned": N_("Unlearned"),
}
"""Words for the models, in the order in which they are drawn."""
HEADING = N_("How much each model knows of the part that it is not shown")
GRID = (0.0, 0.5, 1.0)


def curves(found: Mapping[Side, Curve]) -> str:
    """Share of the unseen part that each model knows, by step."""
    last = max((look.step for curve in found.values() for look in curve.looks), default=0) or 1
    sides = [side for side in SIDES if side in found]
    lines = "".join(_line(side, found[side].looks, last) for side in sides)
    grid = "".join(
        f'<line class="grid" x1="0" x2="100" y1="{_y(value):g}" y2="{_y(value):g}"/>'
        for value in GRID
    )
    ticks = "".join(
        f'<span class="tick" style="top:{_y(value):g}%">{value:.0%}</span>' for value in GRID
    )
    legend = "".join(_entry(side, found[side].looks) for side in sides)
    told = ". ".join(_told(side, found[side].looks) for side in sides)
    return (
        f'<figure class="curves"><figcaption><b>{_(HEADING)}</b></figcaption>'
        f'<div class="curves-plot" role="img" aria-label="{escaped(told)}.">{ticks}'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f"{grid}{lines}</svg></div>"
        f'<div class="curves-steps"><span>{_("before")}</span>'
        f"<span>{_('after {last} training steps').format(last=last)}</span>"
        f'</div><p class="curves-legend">{legend}</p></figure>'
    )


def _y(value: float) -> float:
    """From the top, in percent."""
    return 100 - 100 * min(max(value, 0.0), 1.0)


def _line(side: Side, looks: Sequence[Look], last: int) -> str:
    points = [(100 * look.step / last, look.unseen) for look in looks]
    if len(points) == 1:  # measured as it is, without training: a level
        height = _y(points[0][1].value)
        return f'<path class="{side}" d="M0 {height:.2f}H100"/>'
    path = "L".join(f"{x:.2f} {_y(score.value):.2f}" for x, score in points)
    dots = "".join(f"M{x:.2f} {_y(score.value):.2f}h0" for x, score in points)
    known = [(x, s.low, s.high) for x, s in points if s.low is not None and s.high is not None]
    corners = [(x, high) for x, _, high in known] + [(x, low) for x, low, _ in reversed(known)]
    band = " ".join(f"{x:.2f},{_y(value):.2f}" for x, value in corners)
    return (
        f'<polygon class="{side}" points="{band}"/><path class="{side}" d="M{path}"/>'
        f'<path class="{side} dots" d="{dots}"/>'
    )


def _entry(side: Side, looks: Sequence[Look]) -> str:
    return (
        f'<span class="entry {side}"><i aria-hidden="true"></i>{_(SIDES[side])} '
        f"<b>{_values(looks)}</b></span>"
    )


def _told(side: Side, looks: Sequence[Look]) -> str:
    return f"{_(SIDES[side])}: {_values(looks)}"


def _values(looks: Sequence[Look]) -> str:
    first, last = looks[0].unseen.value, looks[-1].unseen.value
    return f"{first:.0%}" if len(looks) == 1 else f"{first:.0%} → {last:.0%}"
