"""The moment of a collapse: what was seen, what was done, and what the model wrote just then."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.language import _, spoken
from dashboard.notes import nothing
from dashboard.pictures import escaped
from dashboard.repeats import marked
from dashboard.story import NOT_FINITE
from unlearning.runs.events import Answer
from unlearning.runs.view import View


def collapse_card(view: View) -> str:
    """The banner; empty without a collapse. Repeated words are underlined."""
    found = view.collapse
    if found is None:
        return ""
    diverged = any(NOT_FINITE in sign for sign in found.signs)
    head = (
        _("The model diverged at step {step}")
        if diverged
        else _("The model collapsed at step {step}")
    )
    head = head.format(step=found.step)
    told = map(spoken, found.signs)
    signs = "".join(f"<li>{escaped(sign[:1].upper() + sign[1:])}.</li>" for sign in told)
    back = view.rolled_back
    done = (
        _("The model was rolled back to step {to}.").format(to=back.to)
        if back
        else _("It was not rolled back.")
    )
    return (
        f'<div class="card bad collapse-card" role="alert"><h3>{head}</h3>'
        f'<div class="collapse-why"><ul class="signs">{signs}</ul>'
        f"<p>{done}</p></div>{_moment(found.answers)}</div>"
    )


def _moment(answers: Sequence[Answer]) -> str:
    """The worst answer of that instant, the others folded."""
    if not answers:
        return ""
    worst = min(answers, key=lambda answer: (not answer.looped, answer.role == "forget"))
    rest = [answer for answer in answers if answer is not worst]
    looped = sum(answer.looped for answer in answers)
    folded = ""
    if rest:
        count = _("{looped} of {count} answers repeated themselves").format(
            looped=looped, count=len(answers)
        )
        count = _("What else it wrote then: {count}").format(count=count)
        folded = f"<details><summary>{count}</summary>{''.join(map(_text, rest))}</details>"
    return f'<div class="collapse-text">{_text(worst)}{folded}</div>'


def _text(answer: Answer) -> str:
    written = marked(answer.unlearned) if answer.unlearned.strip() else nothing()
    return f'<p class="prompt">{escaped(answer.prompt)}</p><p class="answer">{written}</p>'
