"""What one side wrote, word by word, with what both sides make of every word.

Each word carries its figures, so that the browser changes between the views by itself: plain,
probability, difference, and words that the other side does not have.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from difflib import SequenceMatcher

from dashboard.language import N_, _
from dashboard.pictures import escaped
from dashboard.side_by_side import Writing
from dashboard.words import Word, again, plain_words, spells, words
from unlearning.runs.requests import Judged

SIDES = ("A", "B")
EVEN = 0.1
"""Differences of log-probability below this are none."""
STRONGEST = math.log(100)
"""Difference of log-probability at which the colour is full: a hundred times as likely."""
EMPTY = N_("The answer appears here.")
INSPECTOR = N_(
    "After an answer: choose a word with the pointer, or with Tab and the arrow keys, and see "
    "what each model thought likely at its place."
)
LEGENDS = {
    "text": N_("The plain answers. Words with a wavy line only repeat what stands before them."),
    "probability": N_(
        "The stronger the colour, the surer the model that wrote it was of the word."
    ),
    "difference": N_(
        "The same text under both models. Orange, solid line: A finds the word likelier "
        "(A ×12: twelve times). Blue, dotted line: B does. Full colour: a hundred times or more."
    ),
    "words": N_("Marked words stand in this answer and not in the other one."),
}
"""What each view shows, in words."""
VIEWS = (
    (N_("Text"), "text"),
    (N_("How sure"), "probability"),
    (N_("A against B"), "difference"),
    (N_("Other words"), "words"),
)


def empty() -> str:
    """Before there is an answer."""
    return f'<div class="panel-text empty"><p>{_(EMPTY)}</p></div>'


def inspector() -> str:
    """Where the browser tells of the chosen word."""
    told = f'<p class="note">{_(INSPECTOR)}</p>'
    return f'<div id="inspector" class="inspector" aria-live="polite">{told}</div>'


def legends() -> str:
    """All explanations; the style sheet shows the one of the chosen view."""
    return "".join(
        f'<p class="note legend legend-{name}">{escaped(_(words_))}</p>'
        for name, words_ in LEGENDS.items()
    )


def panel(prompt: str, answers: Sequence[Writing], others: Sequence[Writing], side: int) -> str:
    """One side's answers after the prompt, one for each sample. All escaped.

    Args:
        prompt: What both sides continue.
        answers: This side's answers.
        others: The other side's, in the same order.
        side: Which of the two this is.
    """
    live = "true" if any(answer.state == "writing" for answer in answers) else "false"
    several = len(answers) > 1
    body = "".join(
        f'<div class="sample">{_numbered(i + 1) if several else ""}'
        f"{'' if several else _prompt(prompt)}{_answer(answer, other, side)}</div>"
        for i, (answer, other) in enumerate(zip(answers, others, strict=True))
    )
    return (
        f'<div class="panel-text" aria-busy="{live}">{_prompt(prompt) if several else ""}'
        f"{body}</div>"
    )


def _numbered(number: int) -> str:
    return f"<b class=note>{_('Sample {number}').format(number=number)}</b>"


def _prompt(prompt: str) -> str:
    return f'<span class="prompt">{escaped(prompt)}</span>'


def _answer(answer: Writing, other: Writing, side: int) -> str:
    judges = _judges(answer, side)
    if judges is None:
        return f'<span class="answer">{escaped(answer.text)}</span>{_said(answer, 0, 0)}'
    found = words(judges)
    repeated = again([word.text for word in found])
    ended = "writing" not in (answer.state, other.state)
    own = _missing(found, other.text) if ended and found else set()
    both = len(judges) == len(SIDES)
    spans = "".join(
        _span(word, i, side, both, " again" * (i in repeated) + " own" * (i in own))
        for i, word in enumerate(found)
    )
    figures = f' data-words="{escaped(_figures(found))}"' if both else ""
    label = _("Answer of {side}, word by word").format(side=SIDES[side])
    return (
        f'<span class="answer" role="group" aria-label="{label}"'
        f"{figures}>{spans}</span>{_said(answer, len(repeated), len(found))}"
    )


def _judges(answer: Writing, side: int) -> list[Sequence[Judged]] | None:
    """Both sides' tokens where they have come and spell the text, else the writer's own."""
    judged = [answer.judged.get(i, ()) for i in range(len(SIDES))]
    if all(spells(tokens) == answer.text for tokens in judged) and answer.text:
        return judged
    return [answer.tokens] if answer.tokens and spells(answer.tokens) == answer.text else None


def _missing(found: Sequence[Word], other: str) -> set[int]:
    """Indices of the words in which something stands that the other answer does not have there.

    Compared as plain text: tokens may tie a word to what follows it, and not on both sides.
    """
    here, there = (plain_words(text) for text in ("".join(word.text for word in found), other))
    matcher = SequenceMatcher(
        None, [word.strip() for word in here], [word.strip() for word in there], autojunk=False
    )
    alone = [False] * len(here)
    for what, start, end, *_there in matcher.get_opcodes():
        if what in ("replace", "delete"):
            alone[start:end] = [True] * (end - start)
    marked: set[int] = set()
    place, left = 0, len(found[0].text)
    for part, missing in zip(here, alone, strict=True):
        if left == 0:
            place, left = place + 1, len(found[place + 1].text)
        left -= len(part)
        if missing:
            marked.add(place)
    return marked


def _span(word: Word, index: int, side: int, both: bool, classes: str) -> str:
    logps = [word.logp(judge) for judge in range(len(word.pieces))]
    mine = logps[side if both else 0]
    share = 0.0 if mine is None else math.exp(mine)
    figures, style = f'data-p="{percent(mine)}"', f"--p:{share:.2f}"
    told = percent(mine)
    if both:
        told = " · ".join(f"{SIDES[i]} {percent(logp)}" for i, logp in enumerate(logps))
    if both and None not in logps:
        change = logps[0] - logps[1]
        classes += "" if abs(change) < EVEN else " more-a" if change > 0 else " more-b"
        style += f";--d:{min(abs(change) / STRONGEST, 1):.2f}"
        figures += f' data-d="{times(change)}"'
    # A space before the word is no part of what is coloured.
    shown = word.text.lstrip(" ")
    return (
        f"{' ' * (len(word.text) - len(shown))}"
        f'<span class="w{classes}" role="button" tabindex="{0 if both and index == 0 else -1}" '
        f'data-i="{index}" {figures} title="{told}" style="{style}">{escaped(shown)}</span>'
    )


def _said(answer: Writing, repeated: int, count: int) -> str:
    said = {
        "writing": '<i class="cursor" aria-hidden="true"></i>',
        "looped": f'<span class="looped">{_("repeats itself")}</span>',
        "stopped": f'<span class="note">{_("stopped")}</span>',
    }.get(answer.state, "")
    if answer.state in ("done", "looped") and not answer.text:
        said += f'<em class="note">{_("nothing at all")}</em>'
    if repeated and answer.state != "writing":
        words_ = _("{repeated} of {count} words only repeat").format(repeated=repeated, count=count)
        said += f'<span class="note">{words_}</span>'
    return said


def _figures(found: Sequence[Word]) -> str:
    """For each word and each side: its tokens as [text, probability, [[text, probability] …]]."""
    told = [
        [
            [
                [
                    piece.text,
                    _short(piece.logp),
                    [[c.text, _round(c.probability)] for c in piece.top],
                ]
                for piece in pieces
            ]
            for pieces in word.pieces
        ]
        for word in found
    ]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _short(logp: float | None) -> float | None:
    return None if logp is None else _round(math.exp(logp))


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def percent(logp: float | None) -> str:
    """A log-probability as a share in words."""
    if logp is None:
        return _("no number")
    share = math.exp(logp)
    if share >= 0.1:
        return f"{share:.0%}".replace("%", " %")
    return f"{share:.1%}".replace("%", " %") if share >= 0.001 else _("under 0.1 %")


def times(change: float) -> str:
    """A difference of log-probability in words: 'A ×12' where A finds it twelve times likelier."""
    if abs(change) < EVEN:
        return "="
    factor = math.exp(min(abs(change), 20))
    number = f"{factor:.1f}" if factor < 10 else f"{factor:.0f}" if factor < 1000 else ">999"
    return f"{SIDES[0] if change > 0 else SIDES[1]} ×{number}"
