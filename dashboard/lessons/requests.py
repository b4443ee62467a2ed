"""UNDIAL and sequential requests."""

from __future__ import annotations

from dashboard.language import _
from dashboard.lessons.base import (
    GENERAL,
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

DEARER = 1.5
"""Factor on the perplexity of general text from which the language counts as harmed."""
STAYED = 0.85


def explain(found: Found) -> Outcome:
    view, first = found.view, found.beside
    recited, kept = points(view, RECITED), ends(view, KEPT)
    general = ends(view, GENERAL)
    if not recited or general is None:
        return UNMEASURED
    start = ends(first, GENERAL) if first is not None else None
    dearer = general[1] / (start or general)[0]
    forgot = recited[0][1] - recited[-1][1] >= MOVED
    harmed = dearer > DEARER or view.collapse is not None
    harmed = harmed or (kept is not None and kept[1] < STAYED * kept[0])
    return Outcome(
        2 if not forgot else 0 if harmed else 1,
        said(
            forgetting(view),
            keeping(view),
            _(
                "From before the first request to after the second, general text became "
                "{dearer:.2f} times as surprising."
            ).format(dearer=dearer)
            if start
            else "",
            _("The collapse meter stands at {meter:.2f}.").format(meter=view.health.meter),
            _(
                "Whether the records of the first request stayed forgotten, this run does not "
                "measure. Ask both models in Compare: A knows them, B has met both requests."
            ),
        ),
    )


LESSON = Lesson(
    key="requests",
    title="Requests in a row",
    idea=(
        "People do not ask all at once. This run goes on from the model of the lesson before, "
        "which has forgotten the records, and forgets another text: the authors with their "
        "questions and answers.",
        "The model as it is now writes down the predictions to copy, so every request has a goal "
        "of its own. Methods without a goal add up their damage.",
    ),
    formula=r"\theta_0 \xrightarrow{\ \text{records}\ } \theta_1 "
    r"\xrightarrow{\ \text{authors}\ } \theta_2,\qquad "
    r"\tilde p_2 = \mathrm{softmax}(z^{\theta_1} - \gamma\,e_{x_t})",
    formula_told="The second request starts from what the first one left, and that is also what "
    "its goal is made of.",
    question="After the second request, what is left of the language?",
    choices=(
        "It is harmed: the requests add up",
        "It holds, and the second text is forgotten too",
        "The second text cannot be forgotten any more",
    ),
    watch="Perplexity of what must stay, and the collapse meter.",
    explain=explain,
    settings={
        "method": "undial",
        "model": "run:settling",
        "forget": "preset:world/forget/author",
        "steps": 40,
        "stop_when_forgotten": False,
    },
    beside="settling",
)
