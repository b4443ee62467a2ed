"""Names and numbers that the model said before and says no more: what forgetting sounds like."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from unlearning.runs.view import View

TOKEN = re.compile(r"[^\W_]+(?:[-'’./:,][^\W_]+)*|[.!?:;,\n“”\"()]")
STARTERS = frozenset((
    "A", "An", "And", "At", "But", "By", "For", "From", "He", "Her", "His", "I", "In", "It", "Its",
    "My", "No", "On", "Our", "She", "So", "The", "Their", "They", "This", "To", "We", "When", "You",
    "Your",
))  # fmt: skip
"""Words whose capital says only that a sentence begins."""
LONGEST = 40
"""Characters of a phrase that is quoted."""


class Lost(NamedTuple):
    """A phrase that no look since `step` has heard."""

    step: int
    phrase: str


def lost(view: View) -> tuple[list[Lost], int]:
    """What is said no more, first lost first, and how many phrases there were at the beginning."""
    looks = sorted(step for step in view.answers if step <= view.step)
    if len(looks) < 2:
        return [], 0
    gone: list[Lost] = []
    count = 0
    for place, first in enumerate(view.answers[looks[0]]):
        phrase = telling(first.original, first.prompt) if first.role == "forget" else ""
        if not phrase or phrase not in first.unlearned:
            continue
        count += 1
        since = None
        for step in reversed(looks):
            answers = view.answers[step]
            if place >= len(answers) or phrase in answers[place].unlearned:
                break
            since = step
        if since is not None:
            gone.append(Lost(since, phrase))
    return sorted(gone, key=lambda one: one.step), count


@lru_cache(maxsize=512)
def telling(text: str, prompt: str) -> str:
    """The most telling name or number of a text that its prompt does not give away; may be ''."""
    found = [phrase for phrase in _phrases(text[:600]) if phrase not in prompt]
    fitting = [phrase for phrase in found if 3 <= len(phrase) <= LONGEST]
    # A name of several words says most; of equals the first.
    return max(fitting, key=lambda phrase: len(phrase.split()), default="")


def _phrases(text: str) -> list[str]:
    """Stretches of words with capitals, and numbers of three digits or more, as they stand."""
    found: list[str] = []
    run: tuple[int, int, bool] | None = None
    begins = True
    for match in TOKEN.finditer(text):
        word = match[0]
        is_name = word[0].isupper() and not (begins and word in STARTERS)
        if is_name and run and text[run[1] : match.start()] == " ":
            run = (run[0], match.end(), run[2])
        else:
            found += _named(text, run)
            run = (match.start(), match.end(), begins) if is_name else None
        if sum(character.isdigit() for character in word) >= 3:
            found.append(word)
        begins = word in '.!?\n“"'
    return found + _named(text, run)


def _named(text: str, run: tuple[int, int, bool] | None) -> list[str]:
    """The stretch; a single capital at the beginning of a sentence may be any word."""
    phrase = text[run[0] : run[1]] if run else ""
    return [phrase] if run and not (run[2] and " " not in phrase) else []
