"""Charts of what a method tells of itself: its own curves, its loss terms, its gradient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zlib import crc32

from dashboard.language import _
from dashboard.live_figure import Chart, Trace, payload
from dashboard.theme import FIFTH, FORGET, HEALTHY, ORIGINAL, UNLEARNED
from unlearning.methods import METHODS
from unlearning.methods.base import Reported
from unlearning.runs.view import View

SLOTS = 6
"""Charts that the page has room for."""
PARCEL = 5
"""Steps that a live run collects before these charts grow: they are many, and a tick is small."""
COLOURS = (UNLEARNED, FORGET, HEALTHY, FIFTH, ORIGINAL)
DASHES = ("solid", "dash", "dot", "dash", "dot")
RUN_CURVES = frozenset({"forget_nll", "learning_rate", "gradient_norm"})
BLANK = Chart("own", "", ())
"""Nothing to draw: the browser hides the place, and what it held of another run."""


def own_charts(view: View) -> list[Chart]:
    """At most `SLOTS` charts: what the method declares, what it does not, terms, gradient."""
    told = METHODS[view.method].reports if view.method in METHODS else ()
    charts = [_declared(view, heading, told) for heading in dict.fromkeys(r.chart for r in told)]
    known = {reported.key for reported in told}
    for name in _names(view, "extra/"):
        if name not in known:
            words = name.replace("_", " ")
            charts.append(
                Chart("", words.capitalize(), (Trace(f"extra/{name}", words, UNLEARNED),))
            )
    terms = _names(view, "term/")
    if len(terms) > 1:
        charts.append(Chart("", _("Terms of the loss"), _traces([(f"term/{n}", n) for n in terms])))
    charts.append(
        Chart("", _("Length of the gradient"), _traces([("gradient_norm", _("before clipping"))]))
    )
    there = [chart for chart in charts if any(trace.key in view.series for trace in chart.traces)]
    return [
        # Another curve makes another chart: the browser is told of it.
        replace(chart, key=f"own-{crc32(repr(chart).encode()):08x}")
        for chart in there[:SLOTS]
    ]


def own_payload(view: View, place: int, held: Any, run_id: str, live: bool) -> dict | None:
    """What the browser lacks of the chart at that place; while a run is live, in parcels."""
    charts = own_charts(view)
    chart = charts[place] if place < len(charts) else BLANK
    news = payload(view, chart, held, run_id, told=True)
    if news is None or "chart" in news or not live:
        return news
    new = max((len(part["x"]) for part in news["traces"].values()), default=0)
    return news if new > PARCEL else None


def _declared(view: View, heading: str, told: tuple[Reported, ...]) -> Chart:
    group = [reported for reported in told if reported.chart == heading]
    pairs = [(_key(reported.key), reported.words) for reported in group]
    there = [pair for pair in pairs if pair[0] in view.series]
    return Chart(
        "", heading, _traces(there), direction=group[0].direction, y_range=group[0].y_range
    )


def _key(name: str) -> str:
    return name if name in RUN_CURVES else f"extra/{name}"


def _traces(pairs: list[tuple[str, str]]) -> tuple[Trace, ...]:
    """Text to forget and text to keep have their colours; colour is never the only difference."""
    traces, free = [], [c for c in COLOURS if c not in (FORGET, UNLEARNED)]
    for i, (key, words) in enumerate(pairs[: len(COLOURS)]):
        colour = COLOURS[i]
        if "forget" in words or "retain" in words or "keep" in words:
            colour = FORGET if "forget" in words else UNLEARNED
        elif any("forget" in w or "retain" in w for _, w in pairs):
            colour = free[min(i, len(free) - 1)]
        traces.append(Trace(key, words, colour, DASHES[i]))
    return tuple(traces)


def _names(view: View, prefix: str) -> list[str]:
    return [key.removeprefix(prefix) for key in view.series if key.startswith(prefix)]
