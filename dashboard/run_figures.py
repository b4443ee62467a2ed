"""Finished figures of several runs: their curves over each other, and forgetting against utility.

Transparent, so that they stand on both themes; the stylesheet colours their texts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.language import N_, _
from dashboard.live_figure import thin
from dashboard.run_styles import Style
from dashboard.theme import ORIGINAL
from unlearning.runs.groups import Mean, Member, dominated, mean_curve
from unlearning.runs.view import Series
from unlearning.sweeps.figures import FIGURES

GREY = "#808080"
RECITED = "memorization_accuracy"
CURVES = (
    (f"score/{RECITED}/forget", N_("Recited, to forget ↓")),
    (f"score/{RECITED}/retain", N_("Recited, to keep ↑")),
    ("score/perplexity/generic", N_("General perplexity")),
    ("health", N_("Collapse meter ↓")),
)
POINTS = 200
HEIGHT = 385
UTILITIES = {
    "kept": N_("Words recited of the text to keep ↑"),
    "perplexity": N_("Perplexity of general text, times the original's ↓"),
}
"""What may stand on the axis of utility; keys of `sweeps.figures.FIGURES`."""


@dataclass(frozen=True)
class Drawn:
    """One line of the figures: a run, or runs that differ in the seed alone."""

    style: Style
    members: tuple[Member, ...]


def overlay(drawn: Sequence[Drawn]) -> go.Figure:
    """Four small figures with the curves of all; the letter stands at the end of each."""
    figure = make_subplots(
        rows=2, cols=2, horizontal_spacing=0.09, vertical_spacing=0.17,
        subplot_titles=[_(title) for key, title in CURVES],
    )  # fmt: skip
    for place, (key, _title) in enumerate(CURVES):
        row, column = place // 2 + 1, place % 2 + 1
        ends = []
        for one in drawn:
            curves = [m.view.curve(key) for m in one.members]
            for trace in _lines(one, [curve for curve in curves if curve.steps]):
                figure.add_trace(trace, row=row, col=column)
                if trace.name:
                    ends += _end(one.style, trace)
        _letters(figure, ends, row, column)
        level = _level([member for one in drawn for member in one.members])
        if level is not None and place == 0:
            figure.add_hline(
                y=level, line={"color": GREY, "width": 1.2, "dash": "dot"}, row=row, col=column,
                annotation={"text": _("never saw it"), "font": {"size": 10}},
                annotation_position="bottom left",
            )  # fmt: skip
    figure.update_annotations(font_size=12)
    figure.update_xaxes(rangemode="tozero", tickformat="d")
    return _finished(figure, HEIGHT)


def _lines(one: Drawn, curves: Sequence[Series]) -> list[go.Scatter]:
    if not curves:
        return []
    line = {"color": one.style.colour, "dash": one.style.dash, "width": 2.25}
    if len(curves) == 1:
        steps, values = thin(curves[0], POINTS)
        return [_line(one.style, steps, values, line)]
    found = mean_curve(curves)
    band = _band(one.style, found)
    steps, values = thin(Series(found.steps, found.means), POINTS)
    return [*band, _line(one.style, steps, values, line)]


def _line(style: Style, steps: Sequence[int], values: Sequence[float | None], line) -> go.Scatter:
    return go.Scatter(
        x=list(steps),
        y=list(values),
        mode="lines+markers" if len(steps) <= 60 else "lines",
        line=line,
        marker={"color": style.colour, "symbol": style.marker, "size": 6},
        name=style.letter,
        hovertemplate=f"{style.letter}: %{{y:.3~g}} {_('at step')} %{{x}}<extra></extra>",
    )


def _band(style: Style, found: Mean) -> list[go.Scatter]:
    """One standard deviation to either side of the mean."""
    sides = [
        (step, centre - width, centre + width)
        for step, centre, width in zip(found.steps, found.means, found.deviations, strict=True)
        if width is not None
    ]
    steps = [step for step, _, _ in sides]
    return [
        go.Scatter(
            x=[*steps, *reversed(steps)],
            y=[*(low for _, low, _ in sides), *(high for _, _, high in reversed(sides))],
            fill="toself", fillcolor=style.colour, opacity=0.16, mode="none", hoverinfo="skip",
        )
    ]  # fmt: skip


def _end(style: Style, trace: go.Scatter) -> list[tuple[float, float, str]]:
    finite = [(x, y) for x, y in zip(trace.x, trace.y, strict=True) if y is not None]
    return [(*finite[-1], style.letter)] if finite else []


def _letters(figure: go.Figure, ends: Sequence[tuple[float, float, str]], row, column) -> None:
    """Letters at the ends of the lines."""
    for x, y, letters in _apart(ends):
        figure.add_annotation(
            x=x, y=y, text=f"<b>{''.join(letters)}</b>", showarrow=False, xanchor="left", xshift=5,
            row=row, col=column,
        )  # fmt: skip


def _apart(ends: Sequence[tuple[float, float, str]]) -> list[tuple[float, float, list[str]]]:
    """Places and their labels; labels that would meet share one."""
    if not ends:
        return []
    wide, high = (max(axis) - min(axis) or 1.0 for axis in list(zip(*ends, strict=True))[:2])
    shared: list[tuple[float, float, list[str]]] = []
    for x, y, letter in sorted(ends):
        near = next(
            (i for i, (u, v, _) in enumerate(shared)
             if abs(x - u) <= 0.05 * wide and abs(y - v) <= 0.07 * high),
            None,
        )  # fmt: skip
        if near is None:
            shared.append((x, y, [letter]))
        else:
            u, v, letters = shared[near]
            shared[near] = (max(u, x), v, [*letters, letter])
    return shared


def _letter(drawn: Drawn) -> str:
    collapsed = any(member.view.collapse is not None for member in drawn.members)
    return drawn.style.letter + ("✕" if collapsed else "")


@dataclass(frozen=True)
class Point:
    """A line's place in the plane of forgetting and utility: means over its seeds."""

    drawn: Drawn
    forgetting: float
    utility: float
    values: tuple[tuple[float, float], ...]
    """Each seed's own."""
    better: str
    """Letter of one that is better in both, empty on the front."""


def points(drawn: Sequence[Drawn], utility: str) -> list[Point]:
    """Every line that was measured to its end. Forgetting is best at the never-saw-it level,
    where that is known: beyond it is no gain."""
    level = _level([member for one in drawn for member in one.members])
    measured = []
    for one in drawn:
        values = tuple(v for v in (_values(m, utility) for m in one.members) if v is not None)
        if values:
            mean = tuple(sum(axis) / len(values) for axis in zip(*values, strict=True))
            measured.append((one, mean, values))
    costs = [
        (abs(x - level) if level is not None else x, y if utility == "perplexity" else -y)
        for _, (x, y), _ in measured
    ]
    letters = [one.style.letter for one, _, _ in measured]
    return [
        Point(one, x, y, values, "" if better is None else letters[better])
        for (one, (x, y), values), better in zip(measured, dominated(costs), strict=True)
    ]


def _values(member: Member, utility: str) -> tuple[float, float] | None:
    before, after = (member.view.scores.get(stage, {}) for stage in (_("original"), "unlearned"))
    x, y = FIGURES["recited"].of(before, after), FIGURES[utility].of(before, after)
    there = x is not None and y is not None and math.isfinite(x) and math.isfinite(y)
    return (x, y) if there else None


def pareto(drawn: Sequence[Drawn], utility: str) -> go.Figure:
    """Forgetting against utility; what another run beats in both stands hollow."""
    figure, found = go.Figure(), points(drawn, utility)
    level = _level([member for one in drawn for member in one.members])
    if level is not None:
        figure.add_vline(
            x=level, line={"color": GREY, "width": 1.4, "dash": "dot"},
            annotation={"text": _("never saw it"), "font": {"size": 11}},
            annotation_position="top right",
        )  # fmt: skip
    begin = _begin([member for one in drawn for member in one.members], utility)
    if begin is not None:
        figure.add_trace(_mark(*begin, ORIGINAL, "circle-open", _("original")))
    for point in found:
        style = point.drawn.style
        if len(point.values) > 1:
            xs, ys = zip(*point.values, strict=True)
            figure.add_trace(
                go.Scatter(x=xs, y=ys, mode="markers", hoverinfo="skip", opacity=0.45,
                           marker={"color": style.colour, "symbol": style.marker, "size": 6})
            )  # fmt: skip
        look = style.marker + ("-open" if point.better else "")
        figure.add_trace(_mark(point.forgetting, point.utility, style.colour, look, style.letter))
    ends = [(p.forgetting, p.utility, _letter(p.drawn)) for p in found]
    ends += [(*begin, _("original"))] if begin is not None else []
    for x, y, letters in _apart(ends):
        figure.add_annotation(
            x=x, y=y, text=f"<b>{' '.join(letters)}</b>", showarrow=False, yanchor="bottom",
            yshift=8,
        )  # fmt: skip
    front = sorted((p.forgetting, p.utility) for p in found if not p.better)
    if len(front) > 1:
        figure.add_trace(
            go.Scatter(x=[x for x, _ in front], y=[y for _, y in front], mode="lines",
                       line={"color": GREY, "width": 1.2}, hoverinfo="skip")
        )  # fmt: skip
    figure.update_xaxes(title_text=_("← Words recited of the text to forget"), automargin=True)
    figure.update_yaxes(title_text=_(UTILITIES[utility]), automargin=True)
    if utility == "perplexity":
        figure.update_yaxes(autorange="reversed")
    return _finished(figure, HEIGHT)


def _mark(x: float, y: float, colour: str, symbol: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=[x], y=[y], mode="markers", name=name,
        marker={"color": colour, "symbol": symbol, "size": 12, "line": {"width": 2}},
        hovertemplate=f"{name}: {_('recited')} %{{x:.3~g}}, {_('kept')} %{{y:.3~g}}<extra></extra>",
        cliponaxis=False,
    )  # fmt: skip


def _level(members: Sequence[Member]) -> float | None:
    """The never-saw-it level, where all runs that know one agree on it."""
    known = {
        round(member.view.levels.scores[RECITED], 4)
        for member in members
        if member.view.levels and RECITED in member.view.levels.scores
    }
    value = known.pop() if len(known) == 1 else None
    return value if value is not None and math.isfinite(value) else None


def _begin(members: Sequence[Member], utility: str) -> tuple[float, float] | None:
    """Where the runs set out from, if that is one place."""
    found = set()
    for member in members:
        before: Mapping = member.view.scores.get(_("original"), {})
        x, y = FIGURES["recited"].of(before, before), FIGURES[utility].of(before, before)
        if x is not None and y is not None:
            found.add((round(x, 3), round(y, 3)))
    return found.pop() if len(found) == 1 else None


def _finished(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        template=None, height=height, showlegend=False, dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "size": 12}, margin={"l": 48, "r": 26, "t": 30, "b": 40},
    )  # fmt: skip
    figure.update_xaxes(showgrid=False, zeroline=False, linecolor=GREY, tickcolor=GREY)
    figure.update_yaxes(gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    return figure
