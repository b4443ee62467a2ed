"""A chart that grows in place while a run goes on.

`gr.Plot` builds its chart anew at every update and loses zoom and legend. Here a `gr.HTML` keeps
one Plotly node, and its value is a small JSON payload with what is new since the browser last
drew. The browser writes back what it holds ("drawn"), and that is the next payload's cursor: a
lost, late or doubled tick loses nothing. Drawing itself stands in assets/page/live_figure.js.
"""

from __future__ import annotations

import html
import json
import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import gradio as gr

from dashboard.language import _
from unlearning.runs.view import Series, View

THINNED = 400
"""Points of a curve that are sent at most; more are thinned to least and greatest of each bin."""
HELD = 2 * THINNED
"""Points a browser may pile up before it gets the thinned curve anew."""

PAGE_ASSETS = Path(__file__).resolve().parents[1] / "assets" / "page"
PLOTLY = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
TEMPLATE = """<figure class="figure" data-chart="%s" data-plotly="%s">
<figcaption class="figure-head">
<span class="figure-title"></span> <span class="figure-direction"></span>
</figcaption>
<div class="figure-plot" role="img"></div>
<div class="figure-foot"><span class="figure-legend"></span>
<span class="figure-summary"></span></div>
</figure>"""


@dataclass(frozen=True, slots=True)
class Trace:
    """One curve: which series of the view, and how it is drawn and called."""

    key: str
    """Key in `View.series`."""
    name: str
    colour: str
    """CSS colour with 3:1 contrast on both themes."""
    dash: Literal["solid", "dash", "dot"] = "solid"


@dataclass(frozen=True, slots=True)
class Chart:
    """One small chart with one message."""

    key: str
    """Unique on the page, letters and hyphens."""
    title: str
    traces: tuple[Trace, ...]
    direction: str = ""
    """Which way is good, in words: '↑ should rise'."""
    level: str = ""
    """Metric whose never-saw-it level is drawn as a horizontal line; empty draws none."""
    y_range: tuple[float, float] | None = None
    """Fixed range; None follows the data."""
    along_run: bool = True
    """Whether x spans the whole run and bears its marks (teaching has steps of its own)."""
    font: int = 11
    """Size of its labels in pixels; margins grow along."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line with a label: something happened at that step."""

    step: int
    text: str
    kind: Literal["good", "bad", "plain"]


def live_figure(chart: Chart, height: int = 180) -> gr.HTML:
    """The component. Use it as input and as output of the tick: see `payload`."""
    drawing, library = PAGE_ASSETS / "live_figure.js", _address(PLOTLY)
    gr.set_static_paths([PLOTLY, drawing])
    return gr.HTML(
        value=None,
        html_template=TEMPLATE % (_attribute({**spelled(chart), "height": height}), library),
        js_on_load="window.letheFigure(element, props, watch);",
        head=f'<script src="{_address(drawing)}"></script>',
        apply_default_css=False,
        elem_id=f"figure-{chart.key}",
        elem_classes="live-figure",
    )


def spelled(chart: Chart) -> dict[str, Any]:
    """The chart as the browser gets it, in the language of the page."""
    traces = [{**asdict(trace), "name": _(trace.name)} for trace in chart.traces]
    words = {"title": _(chart.title), "direction": _(chart.direction)}
    return {**asdict(chart), **words, "traces": traces}


def _attribute(value: Any) -> str:
    """JSON inside a template's attribute. Not a property: what is mounted late loses those."""
    return (
        html.escape(json.dumps(value, ensure_ascii=False))
        .replace("{", "&#123;")
        .replace("}", "&#125;")
    )


def payload(
    view: View, chart: Chart, held: Any = None, run_id: str = "", *, told: bool = False
) -> dict[str, Any] | None:
    """What the browser lacks, or None when it has drawn everything.

    Args:
        view: The run; only its curves, marks and levels are read.
        chart: What to draw of it.
        held: The component's value as the tick received it. Whatever is not an honest report of
            this run counts as "holds nothing", and the whole chart is sent.
        run_id: Tells runs apart.
        told: The component was not built for this chart, so that the browser must be told of it.

    Returns:
        run: identity of run and revision; a change makes the browser start over.
        traces: {key: {from, x, y}}; points from step `from` on, or the whole curve if None.
            Values have 4 significant digits; None is a gap (a value that was not finite).
        marks, levels, steps, summary: small, always whole.
        chart: the chart, where `told` and the browser draws another.
        tag: short hash of all the rest and of the last points; equal means all is drawn.
    """
    run = f"{run_id}/{view.begun}/{view.revision}" + f"/{chart.key}" * told
    rest = {
        "marks": [asdict(mark) for mark in _marks(view, chart)],
        "levels": _levels(view, chart),
        "steps": max(view.steps, view.step) if chart.along_run else None,
        "summary": summary(view, chart),
    }
    curves = {trace.key: view.curve(trace.key) for trace in chart.traces}
    curves = {key: series for key, series in curves.items() if series.steps}
    ends = [(key, series.steps[-1], series.values[-1]) for key, series in curves.items()]
    tag = sha256(repr((rest, ends)).encode()).hexdigest()[:12]
    drawn = _drawn(held, run)
    if drawn["tag"] == tag:
        return None
    if told and not drawn["tag"]:
        rest["chart"] = spelled(chart)
    traces = {key: _part(series, drawn["traces"].get(key)) for key, series in curves.items()}
    return {"run": run, "tag": tag, "traces": traces, **rest}


def summary(view: View, chart: Chart) -> str:
    """The chart in one line: where each curve began and where it is, and what happened."""
    parts = []
    for trace in chart.traces:
        finite = [v for v in view.curve(trace.key).values if math.isfinite(v)]
        if not finite:
            continue
        first, last = f"{finite[0]:.3g}", f"{finite[-1]:.3g}"
        parts.append(f"{_(trace.name)} {first}" + (f" → {last}" if len(finite) > 1 else ""))
    parts += [
        _("step {step}: {text}").format(step=mark.step, text=mark.text)
        for mark in _marks(view, chart)
    ]
    parts += [level["text"] for level in _levels(view, chart)]
    return "; ".join(parts) + "." if parts else _("Nothing measured yet.")


def thin(series: Series, most: int = THINNED) -> tuple[list[int], list[float | None]]:
    """At most `most` points: first, last, and least and greatest of equal bins in between.

    Values that are not finite become None (a gap); one a bin is kept, beyond that number.
    """
    points = list(zip(series.steps, series.values, strict=True))
    if len(points) > most:
        inner, bins = points[1:-1], most // 2 - 1
        kept = {points[0], points[-1]}
        for i in range(bins):
            bin_points = inner[i * len(inner) // bins : (i + 1) * len(inner) // bins]
            finite = [p for p in bin_points if math.isfinite(p[1])]
            if finite:
                kept |= {min(finite, key=_value), max(finite, key=_value)}
            if len(finite) < len(bin_points):
                kept.add(next(p for p in bin_points if not math.isfinite(p[1])))
        points = sorted(kept, key=lambda point: point[0])
    return [step for step, _ in points], [_rounded(value) for _, value in points]


def _value(point: tuple[int, float]) -> float:
    return point[1]


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _drawn(held: Any, run: str) -> dict[str, Any]:
    """What the browser says it holds; it comes from outside, so every part is checked."""
    nothing: dict[str, Any] = {"traces": {}, "tag": ""}
    drawn = held.get("drawn") if isinstance(held, Mapping) else None
    if not isinstance(drawn, Mapping) or drawn.get("run") != run:
        return nothing
    traces = drawn.get("traces")
    if not isinstance(traces, Mapping):
        return nothing
    honest = {
        str(key): ends
        for key, ends in traces.items()
        if isinstance(ends, list) and len(ends) == 2 and all(type(end) is int for end in ends)
    }
    return {"traces": honest, "tag": str(drawn.get("tag", ""))}


def _part(series: Series, ends: list[int] | None) -> dict[str, Any]:
    """The points from the last one held ([step, count]) on, or the whole curve.

    The last one goes along because a later point of the same step may have replaced it.
    """
    steps = series.steps
    start = bisect_left(steps, ends[0]) if ends else 0
    if ends is None or start == len(steps) or ends[1] + len(steps) - start > HELD:
        steps, values = thin(series)
        return {"from": None, "x": steps, "y": values}
    values = [_rounded(value) for value in series.values[start:]]
    return {"from": ends[0], "x": steps[start:], "y": values}


def _levels(view: View, chart: Chart) -> list[dict[str, Any]]:
    value = view.levels.scores.get(chart.level) if view.levels and chart.level else None
    if value is None or not math.isfinite(value):
        return []
    return [{"y": _rounded(value), "text": _("never-saw-it level {value:.2g}").format(value=value)}]


def _marks(view: View, chart: Chart) -> list[Mark]:
    """What happened, by step; events of one step share a line."""
    marks = _divergences(view, chart)
    if chart.along_run:
        if view.forgotten_at is not None:
            marks.append(Mark(view.forgotten_at, _("forgotten"), "good"))
        if view.collapse is not None:
            marks.append(Mark(view.collapse.step, _("collapsed"), "bad"))
        if view.rolled_back is not None:
            marks.append(Mark(view.rolled_back.to, _("rolled back to here"), "plain"))
    by_step: dict[int, list[Mark]] = {}
    for mark in marks:
        by_step.setdefault(mark.step, []).append(mark)
    return [
        Mark(step, ", ".join(mark.text for mark in same), min(same, key=_severity).kind)
        for step, same in sorted(by_step.items())
    ]


def _severity(mark: Mark) -> int:
    return ("bad", "plain", "good").index(mark.kind)


def _divergences(view: View, chart: Chart) -> list[Mark]:
    """The first value of each curve that is not finite: it must never look like a pause."""
    marks = []
    for trace in chart.traces:
        series = view.curve(trace.key)
        for step, value in zip(series.steps, series.values, strict=True):
            if not math.isfinite(value):
                # Short: it stands in the chart beside other labels.
                what = "NaN" if math.isnan(value) else "∞"
                marks.append(Mark(step, f"{_(trace.name)} {what}", "bad"))
                break
    return marks


@cache
def _address(path: Path) -> str:
    """Relative, so that it also holds behind a proxy or below another application; with a
    version, so that no browser keeps the script of an older release."""
    version = sha256(path.read_bytes()).hexdigest()[:8]
    return f"gradio_api/file={quote(path.as_posix(), safe='/:')}?v={version}"
