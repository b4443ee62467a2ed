"""Mean teacher."""

from __future__ import annotations

from dashboard.language import _
from dashboard.lessons.base import (
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

PLATEAU = 0.2
"""Share of the whole fall up to which the first third of the way counts as a plateau."""


def explain(found: Found) -> Outcome:
    view = found.view
    recited = points(view, RECITED)
    if len(recited) < 3:
        return UNMEASURED
    lowest = min(value for _, value in recited)
    fall, reach = recited[0][1] - lowest, next(s for s, v in recited if v == lowest)
    early = next(v for s, v in reversed(recited) if s <= max(reach / 3, recited[1][0]))
    share = (recited[0][1] - early) / fall if fall > 0 else 0.0
    student, teacher = ends(view, "forget_nll"), ends(view, "extra/teacher_forget_nll")
    apart = ends(view, "extra/teacher_distance_relative")
    return Outcome(
        2 if fall < MOVED else 1 if share <= PLATEAU else 0,
        said(
            forgetting(view),
            _("In the first third of the way it lost {share:.0%} of what it lost in all.").format(
                share=share
            )
            if fall >= MOVED
            else "",
            _(
                "At the end the text costs the student {student_after:.2g} nats a token and the "
                "teacher {teacher_after:.2g}: the teacher follows behind."
            ).format(student_after=student[1], teacher_after=teacher[1])
            if student and teacher
            else "",
            _("Their weights were {apart_after:.1%} of the teacher's length apart.").format(
                apart_after=apart[1]
            )
            if apart
            else "",
            keeping(view),
        ),
    )


LESSON = Lesson(
    key="teacher",
    title="Mean teacher",
    idea=(
        "There are two copies of the model. The student is pushed away from the text to forget, "
        "but on ordinary text it must agree with the teacher; the teacher creeps after the "
        "student. So the pair can only drift where ordinary text hardly notices.",
        "The push is the negative log-unlikelihood: strongest on words known by heart, fading on "
        "those already forgotten.",
    ),
    formula=r"-\frac{1}{N}\sum_t\log\bigl(1 - p_\theta(x_t \mid x_{<t})\bigr) + \beta\,"
    r"\mathrm{KL}(p_\phi\,\|\,p_\theta)_{\text{general}},\qquad "
    r"\phi \leftarrow \phi + \delta\,(\theta - \phi)",
    formula_told="The student's loss, and how the teacher follows: a share delta of the way at "
    "every step.",
    question="How does the recited share fall?",
    choices=(
        "From the first steps on",
        "Hardly at first, then in a short stretch",
        "Not at all",
    ),
    watch="Words recited, look by look.",
    explain=explain,
    settings={"method": "mean_teacher"},
)
