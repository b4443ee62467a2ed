"""Gradient ascent and collapse."""

from __future__ import annotations

from dashboard.language import _, spoken
from dashboard.lessons.base import (
    GENERAL,
    MOVED,
    RECITED,
    UNMEASURED,
    Found,
    Lesson,
    Outcome,
    ends,
    level,
    points,
    reached,
    said,
)


def explain(found: Found) -> Outcome:
    view = found.view
    recited, general, never = points(view, RECITED), ends(view, GENERAL), level(view)
    if not recited:
        return UNMEASURED
    arrived = reached(view, RECITED, never) if never is not None else None
    fell = recited[0][1] - min(value for _, value in recited)
    if view.collapse is not None:
        choice = 1 if fell >= MOVED else None
        signs = "; ".join(map(spoken, view.collapse.signs))
        turn = _("At step {step} the meter called it a collapse: {signs}.").format(
            step=view.collapse.step, signs=signs
        )
    else:
        choice = 2 if fell < MOVED else 0
        turn = _(
            "In {step} steps it did not collapse; nothing in the method ends it, so more "
            "steps go further."
        ).format(step=view.step)
    return Outcome(
        choice,
        said(
            _(
                "At step {arrived} it knew no more of the text than a model that never saw it "
                "({never:.0%})."
            ).format(arrived=arrived, never=never)
            if arrived is not None
            else _("The recited share went from {first:.0%} to {last:.0%}.").format(
                first=recited[0][1], last=recited[-1][1]
            ),
            turn,
            _(
                "Meanwhile the perplexity of general text went from {general_before:.3g} to "
                "{general_after:.3g}."
            ).format(general_before=general[0], general_after=general[1])
            if general
            else "",
            _(
                "The push is weak while a word is certain and strongest once it is unlikely. So "
                "the start is slow and nothing tells it when to end: what it tears at is shared "
                "with all other text."
            ),
        ),
    )


LESSON = Lesson(
    key="collapse",
    title="Gradient ascent and collapse",
    idea=(
        "The simplest way to forget is to train with the sign turned round: every step makes the "
        "text a little less likely. There is no second text that must stay, and no goal at which "
        "it would be done.",
    ),
    formula=r"\mathcal{L} = \frac{1}{N}\sum_t \log p_\theta(x_t \mid x_{<t}),\qquad "
    r"\frac{\partial\mathcal{L}}{\partial z_{x_t}} \propto 1 - p_\theta(x_t \mid x_{<t})",
    formula_told="The loss has no lower bound, and its gradient in the score of a word is near 0 "
    "where the word is known by heart and near 1 where it is forgotten.",
    question="Forty steps of it: what becomes of the model?",
    choices=(
        "It forgets the text, and its language stays",
        "It forgets the text, and then it loses its language",
        "The text stays known",
    ),
    watch="The collapse meter in the sidebar, and the pinned answers to text that should stay.",
    explain=explain,
    settings={"method": "gradient_ascent"},
)
