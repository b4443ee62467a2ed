"""Which words of a text carry its facts: names and numbers by rule, or what spaCy finds.

Everything here is torch-free; spaCy is optional and only asked when it is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from unlearning.errors import UserError
from unlearning.lazy import Lazy

spacy = Lazy("spacy")

Focus = Literal["none", "names", "entities", "nouns"]
Mark = tuple[int, int]

SPACY_MODEL = "en_core_web_sm"
WORD = re.compile(r"\w+(?:[’'-]\w+|(?<=\d)[.,:/]\d+)*")
"""A word or number with what joins its parts: O'Neill, Jean-Luc, 12:30, 3,000.5, 2024-07-26."""
SENTENCE_BEGINS = re.compile(
    r"(?:^|\n|[!?…]|(?<!\b[A-Z])(?<!\bMr|\bMs|\bDr|\bSt)(?<!\bMrs)(?<!\bProf)\.)"
    r"[\s\"'“”‘’«»()\[\]*–—-]*$"
)
"""What stands before the first word of a sentence or a line; no sentence ends in an initial or a
title."""
QUOTE_OPENS = re.compile(r"[\"“«‘]$")
PRONOUN = re.compile(r"I(?:[’']\w+)?$")


def marks(texts: Sequence[str], focus: Focus) -> list[list[Mark]]:
    """Stretches (start, end) in characters of each text, ascending and apart.

    Raises:
        UserError: spaCy or its model is missing, or nothing is found in any text.
    """
    found = names(texts) if focus == "names" else _by_spacy(texts, focus)
    if not any(found):
        raise UserError(
            f"focus={focus} finds no such word in the text to forget.",
            "Choose another focus, or focus=none.",
        )
    return found


def names(texts: Sequence[str]) -> list[list[Mark]]:
    """Numbers, and capitalised words that do not only stand where a sentence begins.

    Inside a sentence every capitalised word counts, but for the pronoun I. At the beginning of
    one, a word counts if some text has it capitalised inside a sentence and none has it in lower
    case. Scripts without capitals have their numbers only.
    """
    words = [list(WORD.finditer(text)) for text in texts]
    inside, lower = set(), set()
    for text, matches in zip(texts, words, strict=True):
        for match in matches:
            word = match[0]
            if word[0].islower():
                lower.add(word)
            elif _capitalised(word) and not _begins(text, match.start()):
                inside.add(word)

    def counts(text: str, match: re.Match[str]) -> bool:
        word = match[0]
        if any(character.isdigit() for character in word):
            return True
        if not _capitalised(word):
            return False
        known = word in inside and word[0].lower() + word[1:] not in lower
        return known or not _begins(text, match.start())

    return [
        [match.span() for match in matches if counts(text, match)]
        for text, matches in zip(texts, words, strict=True)
    ]


def _capitalised(word: str) -> bool:
    return word[0].isupper() and PRONOUN.match(word) is None


def _begins(text: str, start: int) -> bool:
    """Whether a sentence begins with the word at `start`."""
    before = text[max(0, start - 80) : start]
    return SENTENCE_BEGINS.search(before) is not None or QUOTE_OPENS.search(before) is not None


def _by_spacy(texts: Sequence[str], focus: Focus) -> list[list[Mark]]:
    """Named entities or noun chunks, as the authors of UNDIAL take them."""
    nlp = _pipeline(focus)
    return [
        [
            (span.start_char, span.end_char)
            for span in (found.ents if focus == "entities" else found.noun_chunks)
        ]
        for found in nlp.pipe(texts)
    ]


def _pipeline(focus: Focus) -> Any:
    try:
        return spacy.load(SPACY_MODEL)
    except (ImportError, OSError):  # no spaCy, or no model
        raise UserError(
            f"focus={focus} needs spaCy with its model {SPACY_MODEL}, which are not installed.",
            f"Install them (pip install spacy; python -m spacy download {SPACY_MODEL}), or choose "
            "focus=names, which needs neither.",
        ) from None
