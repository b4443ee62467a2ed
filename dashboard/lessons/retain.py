"""Why a retain set."""

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
    at,
    forgetting,
    keeping,
    points,
    reached,
    said,
)
from unlearning.runs.view import View

CLEAR = 0.02
"""Difference in the kept share that counts as one."""


def explain(found: Found) -> Outcome:
    view = found.view
    recited = points(view, RECITED)
    if not recited:
        return UNMEASURED
    told = said(forgetting(view), keeping(view))
    if recited[0][1] - min(value for _, value in recited) < MOVED:
        return Outcome(
            0, (*told, _("The pull on the text to keep held the text to forget as well."))
        )
    pair = _at_equal_forgetting(view, found.beside) if found.beside is not None else None
    if pair is None:
        hint = _("Do the lesson on gradient ascent as well: then both runs are compared here.")
        return Outcome(None, (*told, hint))
    share, mine, theirs = pair
    told += (
        _(
            "Where both runs recite at most {share:.0%}, this one still knows {mine:.0%} of "
            "the words to keep, the one without a retain set {theirs:.0%}."
        ).format(share=share, mine=mine, theirs=theirs),
    )
    if mine - theirs > CLEAR:
        return Outcome(1, (*told, _("What is in the retain batch is held; what is not, drifts.")))
    return Outcome(2, (*told, _("At this strength the retain set made no clear difference.")))


def _at_equal_forgetting(mine: View, theirs: View) -> tuple[float, float, float] | None:
    """The lowest recited share that both reach, and what each still keeps there."""
    curves = [points(view, RECITED) for view in (mine, theirs)]
    if not all(curves):
        return None
    share = max(min(value for _, value in curve) for curve in curves)
    kept = []
    for view in (mine, theirs):
        step = reached(view, RECITED, share)
        value = at(view, KEPT, step) if step is not None else None
        if value is None:
            return None
        kept.append(value)
    return share, kept[0], kept[1]


LESSON = Lesson(
    key="retain",
    title="Why a retain set",
    idea=(
        "The same gradient ascent with one term more: each step also trains, in the ordinary way, "
        "on text of the same kind that must stay. This is gradient difference.",
        "Do the lesson on gradient ascent first; the explanation compares both runs where they "
        "have forgotten equally much.",
    ),
    formula=r"\mathcal{L} = -\,\mathrm{NLL}_\theta(\text{forget}) + w_R\,"
    r"\mathrm{NLL}_\theta(\text{retain}),\qquad w_R = 1",
    formula_told="Two forces: one without a limit pushes the text to forget away, one pulls the "
    "text to keep back to where it was.",
    question="Compared with gradient ascent alone, what does the second term change?",
    choices=(
        "Nothing is forgotten any more",
        "It forgets, and more of what must stay has stayed",
        "It forgets, and as much is lost as without",
    ),
    watch="The blue curve of words recited: the text to keep.",
    explain=explain,
    settings={"method": "gradient_ascent", "hyperparameters": {"retain_weight": 1.0}},
    beside="collapse",
)
