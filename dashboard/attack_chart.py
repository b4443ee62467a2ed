"""The curves of attacks as inline SVG: no script, crisp at every width.

Lines are stretched with the box and keep their thickness; words stand beside them as HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.language import N_, _
from dashboard.pictures import escaped
from unlearning.attacks.base import Side
from unlearning.attacks.relearn import Curve, Look
from unlearning.runs.events import ScoreValue

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
    return figure(
        HEADING,
        "".join(_line(side, found[side].looks, last) for side in sides),
        "".join(_entry(side, found[side].looks) for side in sides),
        ". ".join(_told(side, found[side].looks) for side in sides),
        (_("before"), _("after {last} training steps").format(last=last)),
    )


def figure(
    heading: str, lines: str, legend: str, told: str, under: Sequence[str], *, kind: str = ""
) -> str:
    """Lines on a grid from 0 to 100 % with a legend; `told` says them in words.

    `under` stands below the plot, spread evenly; all but the heading is translated already.
    """
    grid = "".join(
        f'<line class="grid" x1="0" x2="100" y1="{height(value):g}" y2="{height(value):g}"/>'
        for value in GRID
    )
    ticks = "".join(
        f'<span class="tick" style="top:{height(value):g}%">{value:.0%}</span>' for value in GRID
    )
    below = "".join(f"<span>{escaped(words)}</span>" for words in under)
    return (
        f'<figure class="{f"curves {kind}".strip()}"><figcaption><b>{escaped(_(heading))}</b>'
        f'</figcaption><div class="curves-plot" role="img" aria-label="{escaped(told)}.">{ticks}'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'{grid}{lines}</svg></div><div class="curves-steps">{below}</div>'
        f'<p class="curves-legend">{legend}</p></figure>'
    )


def height(value: float) -> float:
    """Of a share, from the top, in percent."""
    return 100 - 100 * min(max(value, 0.0), 1.0)


def _line(side: Side, looks: Sequence[Look], last: int) -> str:
    if len(looks) == 1:  # measured as it is, without training
        return level(side, looks[0].unseen)
    points = [(100 * look.step / last, look.unseen) for look in looks]
    return band(side, points) + row(side, points)


def level(kind: str, score: ScoreValue) -> str:
    """A line across; `kind` is its class."""
    return f'<path class="{kind}" d="M0 {height(score.value):.2f}H100"/>'


def row(kind: str, points: Sequence[tuple[float, ScoreValue]]) -> str:
    """A line through scores at places from 0 to 100, with its dots."""
    path = "L".join(f"{x:.2f} {height(score.value):.2f}" for x, score in points)
    dots = "".join(f"M{x:.2f} {height(score.value):.2f}h0" for x, score in points)
    return f'<path class="{kind}" d="M{path}"/><path class="{kind} dots" d="{dots}"/>'


def band(kind: str, points: Sequence[tuple[float, ScoreValue]]) -> str:
    """The intervals of such scores."""
    known = [(x, s.low, s.high) for x, s in points if s.low is not None and s.high is not None]
    corners = [(x, high) for x, _, high in known] + [(x, low) for x, low, _ in reversed(known)]
    around = " ".join(f"{x:.2f},{height(value):.2f}" for x, value in corners)
    return f'<polygon class="{kind}" points="{around}"/>'


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
