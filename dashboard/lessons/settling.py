"""UNDIAL: a goal to arrive at."""

from __future__ import annotations

from dashboard.language import _
from dashboard.lessons.base import (
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

SETTLED = 0.15
"""Share of the whole rise that the last third may still bring."""


def explain(found: Found) -> Outcome:
    view = found.view
    losses = points(view, "forget_nll")
    if len(losses) < 6:
        return UNMEASURED
    third = len(losses) // 3
    # Means over thirds: single steps see different texts.
    first, middle, last = (
        sum(value for _, value in part) / len(part)
        for part in (losses[:third], losses[third:-third], losses[-third:])
    )
    top = max(middle, last) - first
    late = last - middle
    choice = 2 if late < -SETTLED * top or top <= 0 else 1 if late <= SETTLED * top else 0
    student, goal = ends(view, "extra/student_probability"), ends(view, "extra/target_probability")
    return Outcome(
        choice,
        said(
            forgetting(view),
            keeping(view),
            _(
                "The loss on the text to forget was {first:.2g} nats in the first third of the "
                "steps, {middle:.2g} in the second and {last:.2g} in the last."
            ).format(first=first, middle=middle, last=last),
            _(
                "The goal gives a memorised word a probability of {goal_after:.2g}; the model "
                "was at {student_before:.2g} and came to {student_after:.2g}."
            ).format(goal_after=goal[1], student_before=student[0], student_after=student[1])
            if student and goal
            else "",
            _(
                "The gradient is the difference between what the model says and the goal, so it "
                "fades on arrival."
            ),
            _("It fell again: the term on the text to keep pulls too, on all that the texts share.")
            if choice == 2
            else "",
        ),
    )


LESSON = Lesson(
    key="settling",
    title="UNDIAL: a goal to arrive at",
    idea=(
        "The untouched model writes down, for every place of the text, what it would have said, "
        "with the score of the memorised word lowered by a fixed amount. The model is then "
        "trained in the ordinary way to say just that. So the runner-up takes the place of the "
        "secret.",
        "Only the twelve records are forgotten here; the next lesson goes on from this run.",
    ),
    formula=r"\tilde p = \mathrm{softmax}(z^{\theta_0} - \gamma\,e_{x_t}),\qquad "
    r"\nabla_z\,\mathrm{CE}(\tilde p,\,p_\theta) = p_\theta - \tilde p",
    formula_told="The gradient in the scores is what the model says less what it should say: "
    "bounded, and zero at the goal.",
    question="After half of the forty steps it has forgotten much. What does the rest bring?",
    choices=(
        "The loss on the text goes on rising as before",
        "It settles near its goal",
        "The text comes back by a good part",
    ),
    watch="The loss on the text to forget: whether it runs away or bends.",
    explain=explain,
    settings={
        "method": "undial",
        "forget": "preset:world/forget/record",
        "steps": 40,
        "stop_when_forgotten": False,
    },
)
