"""Is it really gone?"""

from __future__ import annotations

from dashboard.language import N_, _
from dashboard.lessons.base import Found, Lesson, Outcome, forgetting, said

VERDICTS = (
    ("It relearns no faster", 0),
    ("Suppressed", 1),
    ("Not forgotten in the first place", 2),
)
"""Beginnings of the attack's verdict, by answer."""
NONE_YET = Outcome(
    None,
    (N_("No relearning attack on this run has ended yet; its results stand in Stress tests."),),
)


def explain(found: Found) -> Outcome:
    report = next((r for r in found.attacks if r.get("attack") == "relearn"), None)
    if report is None:
        return NONE_YET
    verdict = str(report["verdict"])
    choice = next((i for words, i in VERDICTS if verdict.startswith(words)), None)
    before, after = report.get("excess_before"), report.get("excess")
    scale = ""
    if before is not None and after is not None:
        scale = _(
            "On a scale on which the original is 1 and a model that never saw the text is 0, "
            "it stood at {before:.2f} before the attack and at {after:.2f} after it."
        ).format(before=before, after=after)
    return Outcome(choice, said(forgetting(found.view), verdict, scale))


LESSON = Lesson(
    key="gone",
    title="Is it really gone?",
    idea=(
        "That a model no longer says a text does not mean that nothing of it is left. The test: "
        "teach it a quarter of the text again for a few steps, and look at the other three "
        "quarters, which it is not shown.",
        "A model that never saw the text gets the same lesson beside it. Only what comes back "
        "faster than there must have been there all along. This attacks the run that is open, or "
        "else your latest one.",
    ),
    formula=r"\text{excess} = \frac{\mathrm{MA}_{\text{unlearned}} - "
    r"\mathrm{MA}_{\text{never saw it}}}{\mathrm{MA}_{\text{original}} - "
    r"\mathrm{MA}_{\text{never saw it}}}",
    formula_told="Memorization accuracy on the part that is not shown: 0 = as a model that never "
    "saw it, 1 = as the original.",
    question="A quarter is taught again. What happens to the rest?",
    choices=(
        "Nothing more than in a model that never saw it",
        "It comes back, though nobody showed it",
        "It was never forgotten in the first place",
    ),
    watch="Stress tests shows the curves of the unlearned model and of the one that never saw it.",
    explain=explain,
    act="attack",
)
