"""ICU's analogous set."""

from __future__ import annotations

from dashboard.language import _, spoken
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


def explain(found: Found) -> Outcome:
    view = found.view
    left, back = points(view, "extra/samples_remaining"), ends(view, "extra/samples_returned")
    if not left:
        return UNMEASURED
    count = view.started.counts.get("forget") if view.started else None
    total = count or left[0][1]
    shrank = next((step for step, value in left if value < total), None)
    returned = int(back[1]) if back else 0
    if shrank is None:
        choice, turn = (
            2,
            _("All {count} texts stayed on the list to the end.").format(count=int(total)),
        )
    else:
        choice = 1 if returned else 0
        turn = _(
            "The list began with {count} texts; the first left it at step {shrank}, and {rest} "
            "were on it at the end."
        ).format(count=int(total), shrank=shrank, rest=int(left[-1][1]))
    return Outcome(
        choice,
        said(
            turn,
            _(
                "Texts came back to the list {returned} times, since the push on the others "
                "moved them too."
            ).format(returned=returned)
            if returned
            else _("No text came back to it.")
            if shrank is not None
            else "",
            forgetting(view),
            keeping(view),
            _("It ended by the method's own rule: {message}").format(
                message=spoken(view.stopped.message)
            )
            if view.stopped is not None and view.stopped.why == "rule"
            else "",
        ),
    )


LESSON = Lesson(
    key="lookalikes",
    title="ICU's analogous set",
    idea=(
        "For every text to forget the most similar text is found that may stay. The model "
        "unlearns the one while it goes on learning the other and must speak of it as before, so "
        "that what the two share survives.",
        "Every few steps each text is tested. One that is recited no better than unseen text is "
        "taken off the list, so that nothing is forgotten harder than needed.",
    ),
    formula=r"\mathcal{L} = -\,\mathrm{NLL}_\theta(x^f) + \alpha\,\mathrm{NLL}_\theta(x^a) + "
    r"\beta\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{x^a}",
    formula_told="Ascent on the text to forget; ordinary training and staying with the original "
    "on its look-alike. Text to keep and general text are held along by two more terms.",
    question="What becomes of the list of texts that are still pushed?",
    choices=(
        "It gets shorter, and what has left it stays off",
        "It gets shorter, but some texts come back to it",
        "It stays as it is to the end",
    ),
    watch="How the text to keep fares beside the text to forget.",
    explain=explain,
    settings={"method": "icu"},
)
