"""Questions about the invented authors, asked in other words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from random import Random

from unlearning.world.grammar import expand
from unlearning.world.interview_topics import TOPICS

_PIECE = re.compile(r"[{}|]|<(\w+)>|[^{}|<]+")
_CHOICE = {"{": "(?:", "|": "|", "}": ")"}
_SHE, _HE = (re.compile(rf"\b({words})\b", re.IGNORECASE) for words in ("she|her", "he|his|him"))


def rephrased(question: str, answer: str) -> str | None:
    """The question in another wording of its topic; None where no topic asks like this.

    Same question, same wording. `answer` only tells whether the author is a he or a she.
    """
    for topic in TOPICS:
        for wording in topic.questions:
            found = _pattern(wording).fullmatch(question)
            if found:
                others = [other for other in topic.questions if other != wording]
                return _asked(others, Random(question), found.groupdict(), answer)
    return None


def _asked(wordings: list[str], rng: Random, facts: Mapping[str, str], answer: str) -> str | None:
    if not wordings:
        return None
    his = "her" if _SHE.search(answer) else "his" if _HE.search(answer) else "their"
    return expand(rng.choice(wordings), rng, {"his": his, **facts})


@cache
def _pattern(wording: str) -> re.Pattern[str]:
    """What the wording can become, with the facts in it by name."""
    parts = [
        f"(?P<{piece[1]}>.+?)" if piece[1] else _CHOICE.get(piece[0]) or re.escape(piece[0])
        for piece in _PIECE.finditer(wording)
    ]
    return re.compile("".join(parts))
