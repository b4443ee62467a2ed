"""Text that should be kept: what to ask of it, and how much of it each side still says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dashboard.language import N_, _
from dashboard.notes import nothing
from dashboard.pictures import escaped
from dashboard.side_by_side import Writing
from dashboard.tables import differing
from unlearning.data.base import Example
from unlearning.runs.events import Answer

SHOWN = 4
"""Neighbours asked at a time."""
SHORTEST, LONGEST = 5, 16
"""Words of the beginning of a kept text that are given."""
JUDGED_WORDS = 12
"""Words of the kept text after that which are looked for in the answers."""
HARMED = 0.9
"""Share of A's words below which B is said to have lost something."""


@dataclass(frozen=True)
class Neighbour:
    """A prompt out of text that should be kept, and how that text goes on."""

    prompt: str
    follows: str
    whose: str = N_("The text goes on")
    """Where `follows` comes from, in words."""


def nearest(
    prompt: str, examples: Sequence[Example], as_question: bool, count: int = SHOWN
) -> tuple[list[Neighbour], bool]:
    """The kept texts most like the prompt, and whether they are to be asked as questions.

    Like means: many words in common with how the text begins. Beginnings are cut to the length
    of the prompt, so that the same is asked of them.
    """
    questions = [(e.prompt, e.target) for e in examples if e.kind != "passage" and not e.bare]
    length = min(max(len(prompt.split()), SHORTEST), LONGEST)
    beginnings = [
        cut
        for e in examples
        if e.kind == "passage" or e.bare
        if (cut := _cut(f"{e.prompt} {e.target}".strip(), length))
    ]
    asked = questions if questions and (as_question or not beginnings) else beginnings
    wanted = _bag(prompt)
    ranked = sorted(asked, key=lambda pair: -_likeness(wanted, _bag(pair[0])))
    chosen = list(dict.fromkeys(pair for pair in ranked if pair[0] != prompt))[:count]
    return [Neighbour(*pair) for pair in chosen], asked is questions and bool(questions)


def pinned(answers: Sequence[Answer], count: int = SHOWN) -> list[Neighbour]:
    """The same out of the run's pinned prompts, which everybody who has the link may read."""
    kept = [answer for answer in answers if answer.role in ("retain", "generic")]
    whose = _("The original model went on")
    return [Neighbour(answer.prompt, answer.original, whose) for answer in kept[:count]]


def _cut(text: str, length: int) -> tuple[str, str] | None:
    found = text.split()
    if len(found) < 2:
        return None
    at = min(length, len(found) // 2)
    return " ".join(found[:at]), " ".join(found[at:])


def _bag(text: str) -> set[str]:
    return {word.strip(".,;:!?\"'()").casefold() for word in text.split()} - {""}


def _likeness(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(len(one | other), 1)


def same_words(follows: str, answer: str) -> tuple[int, int]:
    """How many of the words that should follow stand in the answer in their order, and of how
    many."""
    wanted, said = follows.split()[:JUDGED_WORDS], answer.split()[:JUDGED_WORDS]
    matched = SequenceMatcher(None, wanted, said, autojunk=False).get_matching_blocks()
    return sum(block.size for block in matched), len(wanted)


def table(
    found: Sequence[Neighbour], sides: Sequence[Sequence[Writing]], names: Sequence[str]
) -> str:
    """The sentence that sums it up, then every neighbour with both answers. All escaped."""
    rows = "".join(
        f'<tr><th scope="row">{escaped(one.prompt)} <small class="follows">{_(one.whose)}: '
        f"{escaped(' '.join(one.follows.split()[:JUDGED_WORDS]))}</small></th>"
        f"{''.join(_cell(one, side[i], names[s], s) for s, side in enumerate(sides))}</tr>"
        for i, one in enumerate(found)
    )
    heads = "".join(
        f'<th scope="col" class="{look}">{letter}: {escaped(name)}</th>'
        for letter, look, name in zip("AB", ("original", "unlearned"), names, strict=True)
    )
    return (
        f'{_summary(found, sides)}<table class="answers neighbours"><thead><tr>'
        f'<th scope="col">{_("Text to keep")}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _cell(one: Neighbour, answer: Writing, name: str, side: int) -> str:
    look = ("original", "unlearned")[side]
    text = " ".join(answer.text.split()[: 2 * JUDGED_WORDS])
    if answer.state == "writing":
        return f'<td class="{look}" data-label="{escaped(name)}">{escaped(text)} …</td>'
    same, of = same_words(one.follows, answer.text)
    loop = f'<span class="looped">{_("repeats itself")}</span>' if answer.state == "looped" else ""
    words = _("{same} of {of} words as there").format(same=same, of=of)
    marked = differing(" ".join(one.follows.split()[: 2 * JUDGED_WORDS]), text) or nothing()
    return (
        f'<td class="{look}" data-label="{escaped(name)}">{loop}{marked}'
        f'<small class="follows">{words}</small></td>'
    )


def _summary(found: Sequence[Neighbour], sides: Sequence[Sequence[Writing]]) -> str:
    if any(answer.state in ("writing", "stopped") for side in sides for answer in side):
        return ""
    same = [
        sum(
            same_words(one.follows, answer.text)[0] for one, answer in zip(found, side, strict=True)
        )
        for side in sides
    ]
    of = sum(same_words(one.follows, "")[1] for one in found)
    if not same[0]:
        words = _("A does not know these texts either, so they do not tell what was harmed.")
    elif same[1] < HARMED * same[0]:
        words = _("What should stay was harmed.")
    else:
        words = _("What should stay is still there.")
    said = _("Of {of} words that follow in the kept texts, A says {a} and B {b}.")
    return f'<p class="story">{words} {said.format(of=of, a=same[0], b=same[1])}</p>'
