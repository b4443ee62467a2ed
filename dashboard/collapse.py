"""The moment of a collapse: what was seen, what was done, and what the model wrote just then."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.pictures import escaped
from dashboard.repeats import marked
from dashboard.story import NOT_FINITE
from unlearning.runs.events import Answer
from unlearning.runs.view import View

NOTHING = "<em>nothing at all</em>"


def collapse_card(view: View) -> str:
    """The banner; empty without a collapse. Repeated words are underlined."""
    found = view.collapse
    if found is None:
        return ""
    diverged = any(NOT_FINITE in sign for sign in found.signs)
    head = "diverged" if diverged else "collapsed"
    signs = "".join(f"<li>{escaped(sign[:1].upper() + sign[1:])}.</li>" for sign in found.signs)
    back = view.rolled_back
    done = f"The model was rolled back to step {back.to}." if back else "It was not rolled back."
    return (
        f'<div class="card bad collapse-card" role="alert"><h3>The model {head} at step '
        f'{found.step}</h3><div class="collapse-why"><ul class="signs">{signs}</ul>'
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
        count = f"{looped} of {len(answers)} answers repeated themselves"
        folded = (
            f"<details><summary>What else it wrote then: {count}</summary>"
            f"{''.join(map(_text, rest))}</details>"
        )
    return f'<div class="collapse-text">{_text(worst)}{folded}</div>'


def _text(answer: Answer) -> str:
    return (
        f'<p class="prompt">{escaped(answer.prompt)}</p>'
        f'<p class="answer">{marked(answer.unlearned) if answer.unlearned.strip() else NOTHING}</p>'
    )
