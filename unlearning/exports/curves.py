"""Small charts as inline SVG with a common cursor: for the report and for races.

Without any library, so that they open offline, follow the theme by CSS and can be refreshed in
place. `assets/page/curves.js` moves the cursor of all charts of a set together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from unlearning.runs.view import Series

WIDTH, HEIGHT = 380, 176
LEFT, RIGHT, TOP, BOTTOM = 42, 96, 27, 22
"""The right margin holds the curves' names, the top one what happened."""
MOST_POINTS = 500
HARD = "\u00a0"
"""A space at which no line ends."""
LINE = 12.0
"""Least distance between two names, in units of the picture."""

Scale = Callable[[float], float]
"""A value to its place in the picture."""
Look = Literal["forget", "kept", "healthy", "other", "original"]
DASHES = {"forget": "", "kept": "7 3", "healthy": "2 3", "other": "9 3 2 3", "original": "4 4"}
MARKERS = {"forget": "●", "kept": "■", "healthy": "▲", "other": "◆", "original": "○"}
"""Beside colour, so that no curve is told by colour alone."""


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    series: Series
    look: Look


@dataclass(frozen=True)
class Panel:
    """One small chart with one message."""

    title: str
    curves: tuple[Curve, ...]
    direction: str = ""
    """Which way is good, in words."""
    level: float | None = None
    """Height of the horizontal line of a model that never saw the text."""
    marks: tuple[tuple[int, str], ...] = ()
    """What happened, by step."""
    steps: int = 0
    """Right end of the axis at least."""
    bounds: tuple[float, float] | None = None
    """Fixed range; None follows the data."""


def panel_svg(panel: Panel) -> str:
    """The chart as an escaped figure; the values at the cursor stand below it."""
    low, high = _range(panel)
    last = max([panel.steps, 1, *(c.series.steps[-1] for c in panel.curves if c.series.steps)])

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    parts = [_grid(low, high, last, x, y)]
    if panel.level is not None and low <= panel.level <= high:
        at = f"{y(panel.level):.1f}"
        parts.append(f'<path class="level" d="M{LEFT} {at}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="quiet" x="{LEFT + 3}" y="{y(panel.level) - 3:.1f}">')
        parts.append("never saw it</text>")
    parts += [_path(curve, x, y) for curve in panel.curves]
    parts += [_mark(step, words, x, i) for i, (step, words) in enumerate(_marks(panel))]
    parts.append(_names(panel, y))
    parts.append(f'<path class="cursor" d="M0 {TOP}V{HEIGHT - BOTTOM}" visibility="hidden"/>')
    return (
        f'<figure class="curve" data-last="{last}" data-curves="{escape(_data(panel))}">'
        f'<figcaption><b>{escape(panel.title)}</b> <span class="quiet">'
        f"{escape(panel.direction)}</span></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told(panel))}">'
        f'{"".join(parts)}</svg><p class="at" aria-hidden="true">{escape(_ends(panel))}</p>'
        "</figure>"
    )


def told(panel: Panel) -> str:
    """The chart in a sentence: where each curve began and where it is."""
    parts = [panel.title]
    for curve in panel.curves:
        finite = [value for value in curve.series.values if math.isfinite(value)]
        if finite:
            parts.append(f"{curve.name} from {finite[0]:.3g} to {finite[-1]:.3g}")
    parts += [f"step {step}: {words}" for step, words in _marks(panel)]
    return "; ".join(parts) + "."


def thinned(series: Series, most: int = MOST_POINTS) -> list[tuple[int, float]]:
    """First, last, and least and greatest of equal bins in between; NaN keeps its place."""
    points = list(zip(series.steps, series.values, strict=True))
    if len(points) <= most:
        return points
    bins, inner = max(most // 2 - 1, 1), points[1:-1]
    kept = {0: points[0], len(points): points[-1]}
    for i in range(bins):
        first = i * len(inner) // bins
        part = list(enumerate(inner[first : (i + 1) * len(inner) // bins], first + 1))
        odd = [one for one in part if not math.isfinite(one[1][1])]
        finite = [one for one in part if math.isfinite(one[1][1])]
        for one in (
            *(odd[:1]),
            *((min(finite, key=_height), max(finite, key=_height)) if finite else ()),
        ):
            kept[one[0]] = one[1]
    return [kept[place] for place in sorted(kept)]


def _height(one: tuple[int, tuple[int, float]]) -> float:
    return one[1][1]


def _range(panel: Panel) -> tuple[float, float]:
    if panel.bounds is not None:
        return panel.bounds
    values = [v for curve in panel.curves for v in curve.series.values if math.isfinite(v)]
    if panel.level is not None and math.isfinite(panel.level):
        values.append(panel.level)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    # Near the ends of what a float holds a difference would be infinite.
    low, high = max(min(low, 1e300), -1e300), max(min(high, 1e300), -1e300)
    air = (high - low) * 0.06 or abs(high) * 0.05 or 0.5
    return low - air, high + air


def _grid(low: float, high: float, last: int, x: Scale, y: Scale) -> str:
    parts = []
    for value in _ticks(low, high):
        at = y(value)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}"/>')
        words = f"{value:.4g}".replace("-", "−")
        parts.append(
            f'<text class="quiet" text-anchor="end" x="{LEFT - 5}" y="{at + 3.5:.1f}">'
            f"{words}</text>"
        )
    for step in sorted({0, last // 2, last}):
        parts.append(
            f'<text class="quiet" text-anchor="middle" x="{x(step):.1f}" y="{HEIGHT - 7}">'
            f"{step}</text>"
        )
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers within the range."""
    for parts in (3, 4, 6):
        rough = (high - low) / parts
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough * 0.99)
        first = math.ceil(low / step)
        found = [(first + i) * step for i in range(6) if (first + i) * step <= high]
        if len(found) > 1:
            break
    # Beside a great number a small step may vanish.
    return list(dict.fromkeys(found)) or [low, high]


def _path(curve: Curve, x: Scale, y: Scale) -> str:
    parts, pen = [], "M"
    points = thinned(curve.series)
    for step, value in points:
        if not math.isfinite(value):
            pen = "M"
            continue
        parts.append(f"{pen}{x(step):.1f} {y(value):.1f}")
        pen = "L"
    # A point of its own would have no length, and be no line.
    dot = "h0.1" if len(parts) == 1 else ""
    dash = f' stroke-dasharray="{DASHES[curve.look]}"' if DASHES[curve.look] else ""
    return f'<path class="line {curve.look}" d="{"".join(parts)}{dot}"{dash}/>' if parts else ""


def _marks(panel: Panel) -> list[tuple[int, str]]:
    """What happened, and where a curve stops being a number: that must not look like a pause."""
    marks = dict(panel.marks)
    for curve in panel.curves:
        for step, value in zip(curve.series.steps, curve.series.values, strict=True):
            if not math.isfinite(value):
                words = f"{curve.name} {'NaN' if math.isnan(value) else '∞'}"
                marks[step] = f"{marks[step]}, {words}" if step in marks else words
                break
    return sorted(marks.items())


def _mark(step: int, words: str, x: Scale, place: int) -> str:
    at = x(step)
    left = at > (LEFT + WIDTH - RIGHT) / 2
    return (
        f'<path class="mark" d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        f'<text x="{at + (-3 if left else 3):.1f}" y="{TOP - 15 + 11 * (place % 2)}" '
        f'text-anchor="{"end" if left else "start"}">{escape(words)}</text>'
    )


def _names(panel: Panel, y: Scale) -> str:
    """Names at the ends of the lines, moved apart where they would meet."""
    ends = []
    for curve in panel.curves:
        finite = [value for value in curve.series.values if math.isfinite(value)]
        if finite:
            ends.append([y(finite[-1]) + 3.5, curve])
    ends.sort(key=lambda end: end[0])
    for place in range(1, len(ends)):
        ends[place][0] = max(ends[place][0], ends[place - 1][0] + LINE)
    lowest = HEIGHT - BOTTOM + 4
    if ends and ends[-1][0] > lowest:
        ends[-1][0] = lowest
        for place in range(len(ends) - 2, -1, -1):
            ends[place][0] = min(ends[place][0], ends[place + 1][0] - LINE)
    return "".join(
        f'<text x="{WIDTH - RIGHT + 5}" y="{at:.1f}"><tspan class="{curve.look}">'
        f"{MARKERS[curve.look]}</tspan> {escape(curve.name)}</text>"
        for at, curve in ends
    )


def _data(panel: Panel) -> str:
    """Names and points for the cursor; numbers as words, since JSON has no infinity."""
    return json.dumps(
        [
            [
                f"{MARKERS[curve.look]} {curve.name}".replace(" ", HARD),
                [step for step, _ in thinned(curve.series)],
                [f"{value:.3g}" for _, value in thinned(curve.series)],
            ]
            for curve in panel.curves
            if curve.series.steps
        ]
    )


def _ends(panel: Panel) -> str:
    return "  ".join(
        f"{MARKERS[curve.look]} {curve.name} {curve.series.values[-1]:.3g}".replace(" ", HARD)
        for curve in panel.curves
        if curve.series.values
    )


def curve_set(name: str, panels: Sequence[Panel], last: int) -> str:
    """Charts side by side under one slider over the steps; `name` is unique on the page."""
    if not panels:
        return ""
    label = f"{name}-step"
    return (
        f'<div class="curve-set" data-set="{escape(name)}">'
        f'<div class="curve-slider"><label for="{escape(label)}">Step</label>'
        f'<input type="range" id="{escape(label)}" min="0" max="{last}" value="{last}" step="1">'
        f'<output for="{escape(label)}">{last}</output></div>'
        f'<div class="curve-grid">{"".join(panel_svg(panel) for panel in panels)}</div></div>'
    )
