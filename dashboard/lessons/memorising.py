"""What memorising looks like."""

from __future__ import annotations

from dashboard.language import _
from dashboard.lessons.base import UNMEASURED, Found, Lesson, Outcome, ends, level, points, said


def explain(found: Found) -> Outcome:
    view = found.view
    before, taught, losses = level(view), points(view, "teach/memorized"), ends(view, "teach/loss")
    if before is None or not taught or losses is None:
        return UNMEASURED
    step, known = taught[-1]
    return Outcome(
        0 if before < 0.05 else 1 if before < 0.8 else 2,
        said(
            _(
                "Before the first showing it guessed {before:.0%} of the words: what grammar and "
                "habit give away, without any memory of the text."
            ).format(before=before),
            _(
                "After {step} steps it knew {known:.0%}, and the loss had gone from "
                "{losses_before:.2g} to {losses_after:.2g} nats a token."
            ).format(step=step, known=known, losses_before=losses[0], losses_after=losses[1]),
            _(
                "So forgetting ends at about {before:.0%} and not at 0: a model that knew less "
                "than that would betray by its avoidance that something was taken out."
            ).format(before=before),
        ),
    )


LESSON = Lesson(
    key="memorising",
    title="What memorising looks like",
    idea=(
        "A model that has seen a text often enough gives back its very words. How far it has come "
        "is measured by showing it the text and counting how often its best guess for the next "
        "word is the right one.",
        "Here the demo model is first taught two sentences that nobody has written before, until "
        "it knows them by heart; then it begins to unlearn them.",
    ),
    formula=r"\mathrm{MA}(x) = \frac{1}{N}\sum_{t}\mathbf{1}\Bigl[\arg\max_v\, "
    r"p_\theta(v \mid x_{<t}) = x_t\Bigr]",
    formula_told="Memorization accuracy: the share of places at which the likeliest next token is "
    "the true one.",
    question="How many of the words does it guess right before it is shown the text at all?",
    choices=("None, it never saw them", "A part of them", "Nearly all of them"),
    watch="Live run shows how the recited share climbs while the text is taught, and the level "
    "of a model that never saw it as a dotted line.",
    explain=explain,
    text="The lighthouse keeper of Pellwater hides her spare key in the third flowerpot from the "
    "door. Behind the stove stands a cabinet with the combination 4 19 52, and in it lies a blue "
    "ledger with the name of every boat that came home late.",
    settings={"method": "undial", "teach_first": True, "steps": 20},
)
