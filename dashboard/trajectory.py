"""The run as a path: what it forgot against what it kept, beside the ends of earlier runs.

Same protocol as the live figures: a small payload with what the browser lacks, and the browser
says what it has drawn. Drawing stands in assets/page/trajectory.js.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import gradio as gr

from dashboard.earlier import Earlier
from dashboard.language import _, plural
from unlearning.runs.tradeoff import (
    COLLAPSED_BELOW,
    OVER_FORGOTTEN,
    Point,
    front,
    level_of,
    path,
)
from unlearning.runs.view import View

MOST = 60
"""Points of the path that are sent at most."""
LOWEST = 0.4
"""Where the scale of what is kept begins, unless something lies below."""
TEMPLATE = """<figure class="figure trajectory">
<figcaption class="figure-head">
<span class="figure-title">%s</span>
</figcaption>
<div class="trajectory-plot" role="img"></div>
<p class="trajectory-summary"></p>
</figure>"""


def trajectory() -> gr.HTML:
    """The component. Use it as input and as output of the tick."""
    return gr.HTML(
        value=None,
        html_template=TEMPLATE % _("Forgetting against what is kept"),
        js_on_load="window.letheTrajectory(element, props, watch);",
        apply_default_css=False,
        elem_id="trajectory",
    )


def payload(
    view: View,
    earlier: Sequence[Earlier],
    held: Any = None,
    run_id: str = "",
    at: int | None = None,
) -> dict[str, Any] | None:
    """What the browser lacks, or None when it has drawn everything.

    Args:
        view: The run.
        earlier: Ends of earlier runs.
        held: The component's value as the tick received it; not trusted.
        run_id: Tells runs apart.
        at: The step that is looked back at.

    Returns:
        path: [step, forgotten, kept] from the first look to the last, thinned.
        now, at: such a point, or None. level, over: on the scale of forgetting, or None.
        marks: [forgotten, kept, words, kind]. earlier: [forgotten, kept, words, kind], left out
            where the browser has it. right, bottom: ends of the scales.
    """
    points = path(view)
    level = level_of(view)
    ends = [(one.forgotten, one.kept) for one in earlier]
    tags = [_tag(ends)]
    content = {
        "path": [_plain(point) for point in _thin(points)],
        "now": _plain(_at(points, view.step)),
        "at": _plain(next((point for point in points if point.step == at), None)),
        "level": level,
        "over": None if level is None else level + OVER_FORGOTTEN,
        "collapse": COLLAPSED_BELOW,
        "marks": _marks(view, points),
        "right": _right(level, [p.forgotten for p in points] + [x for x, _ in ends]),
        "bottom": min([LOWEST, *(p.kept for p in points), *(y for _, y in ends)]),
        "summary": summary(view, points, earlier, level),
    }
    content = {key: _short(value) for key, value in content.items()}
    run = f"{run_id}/{view.begun}/{view.revision}"
    tags.append(_tag((run, content)))
    drawn = held.get("drawn") if isinstance(held, Mapping) else None
    drawn = drawn if isinstance(drawn, Mapping) else {}
    if drawn.get("tag") == "/".join(tags):
        return None
    content |= {"run": run, "tag": "/".join(tags)}
    if str(drawn.get("tag", "")).partition("/")[0] != tags[0] or drawn.get("run") != run:
        content["earlier"] = _earlier(earlier, ends, level)
    return content


def summary(
    view: View, points: Sequence[Point], earlier: Sequence[Earlier], level: float | None
) -> str:
    """The picture in a sentence or two."""
    here = _at(points, view.step)
    if here is None:
        return _("The path begins with the first look at the model.")
    told = _("Step {step}: {forgotten:.0%} forgotten, {kept:.0%} kept.").format(
        step=here.step, forgotten=here.forgotten, kept=here.kept
    )
    best = front([(one.forgotten, one.kept) for one in earlier if not one.collapsed], level)
    if not earlier:
        return told
    count = plural(
        len(earlier), "{count} earlier run on this text", "{count} earlier runs on this text"
    ).format(count=len(earlier))
    if not best:
        return f"{told} {count}."
    healthy = [one for one in earlier if not one.collapsed]
    top = healthy[best[-1]]
    return _(
        "{told} Of {count}, {name} forgot most without going too far: {forgotten:.0%}, "
        "with {kept:.0%} kept."
    ).format(told=told, count=count, name=top.name, forgotten=top.forgotten, kept=top.kept)


def _earlier(
    earlier: Sequence[Earlier], ends: Sequence[tuple[float, float]], level: float | None
) -> list[list[Any]]:
    """By forgetting, so that the front can be joined in order."""
    healthy = [i for i, one in enumerate(earlier) if not one.collapsed]
    best = {healthy[i] for i in front([ends[i] for i in healthy], level)}
    drawn = []
    for i, one in enumerate(earlier):
        kind = "collapsed" if one.collapsed else "front" if i in best else "beaten"
        words = _("{name}, run {run_id}, step {step}").format(
            name=one.name, run_id=one.run_id, step=one.step
        )
        drawn.append([*map(_rounded, ends[i]), words, kind])
    return sorted(drawn, key=lambda point: point[0])


def _marks(view: View, points: Sequence[Point]) -> list[list[Any]]:
    marks = []
    if view.forgotten_at is not None:
        marks.append(
            (
                view.forgotten_at,
                _("forgotten, step {forgotten_at}").format(forgotten_at=view.forgotten_at),
                "good",
            )
        )
    if view.collapse is not None:
        marks.append(
            (view.collapse.step, _("collapsed, step {step}").format(step=view.collapse.step), "bad")
        )
    there = {point.step: point for point in points}
    return [
        [there[step].forgotten, there[step].kept, words, kind]
        for step, words, kind in marks
        if step in there
    ]


def _at(points: Sequence[Point], step: int) -> Point | None:
    return max((point for point in points if point.step <= step), default=None)


def _thin(points: Sequence[Point]) -> Sequence[Point]:
    """Evenly spread, with the first and the last."""
    if len(points) <= MOST:
        return points
    return [points[i * (len(points) - 1) // (MOST - 1)] for i in range(MOST)]


def _right(level: float | None, forgotten: Sequence[float]) -> float:
    """The end of the scale of forgetting: room beyond the level, and for everything drawn."""
    least = 0.5 if level is None else level + 2 * OVER_FORGOTTEN
    return min(1.0, max([least, *(value + 0.05 for value in forgotten)]))


def _plain(point: Point | None) -> list[Any] | None:
    return None if point is None else list(point)


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(part) for part in value]
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float) -> float:
    return round(value, 3)


def _tag(value: Any) -> str:
    return sha256(repr(value).encode()).hexdigest()[:10]
