"""NGDiff's balance."""

from __future__ import annotations

from dashboard.language import _
from dashboard.lessons.base import (
    KEPT,
    MOVED,
    RECITED,
    UNMEASURED,
    Found,
    Lesson,
    Outcome,
    ends,
    forgetting,
    keeping,
    points,
    said,
)

STAYED = 0.9
"""Share of what was known of the text to keep that must be left."""


def explain(found: Found) -> Outcome:
    view = found.view
    recited, kept = points(view, RECITED), ends(view, KEPT)
    if not recited or kept is None:
        return UNMEASURED
    norms = [points(view, f"extra/{role}_gradient_norm") for role in ("forget", "retain")]
    cosine, rate = ends(view, "extra/gradient_cosine"), ends(view, "learning_rate")
    lengths = ""
    if all(norms) and norms[1][0][1] and norms[1][-1][1]:
        first, last = norms[0][0][1] / norms[1][0][1], norms[0][-1][1] / norms[1][-1][1]
        lengths = _(
            "The forget gradient was {first:.2g} times as long as the other at the first "
            "step and {last:.2g} times at the last; each counted as one."
        ).format(first=first, last=last)
    forgot = recited[0][1] - min(value for _, value in recited) >= MOVED
    stayed = kept[1] >= STAYED * kept[0]
    return Outcome(
        2 if not forgot else 1 if stayed else 0,
        said(
            forgetting(view),
            keeping(view),
            lengths,
            _(
                "Their cosine went from {cosine_before:.2f} to {cosine_after:.2f}: at 1 both "
                "texts would pull the same way and nothing could be forgotten without harm."
            ).format(cosine_before=cosine[0], cosine_after=cosine[1])
            if cosine
            else "",
            _(
                "The learning rate, read off a parabola, went from {rate_before:.2g} to "
                "{rate_after:.2g}."
            ).format(rate_before=rate[0], rate_after=rate[1])
            if rate
            else "",
        ),
    )


LESSON = Lesson(
    key="balance",
    title="NGDiff's balance",
    idea=(
        "In gradient difference the two texts pull with whatever strength their gradients happen "
        "to have, and that changes all the time. NGDiff shortens both gradients to length one at "
        "every step before it combines them.",
        "How far to walk it finds by itself: it looks a little ahead and a little behind on the "
        "text to keep and lays a parabola through what it sees.",
    ),
    formula=r"g = \frac{g_R}{\lVert g_R\rVert} - \frac{g_F}{\lVert g_F\rVert},\qquad "
    r"g_R^\top g = \lVert g_R\rVert\,(1 - \cos\vartheta) \ge 0",
    formula_told="To first order no step raises the loss on the text to keep, nor lowers the loss "
    "on the text to forget, whatever their sizes.",
    question="The two gradients differ in length. Which text wins?",
    choices=(
        "The text to forget: what must stay is torn along",
        "Neither: one is forgotten and the other stays",
        "The text to keep: nothing is forgotten",
    ),
    watch="Both curves of words recited, and how the loss on the text to forget rises.",
    explain=explain,
    settings={"method": "ngdiff"},
)
