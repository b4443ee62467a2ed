"""Whole words out of tokens: several tokens may make a word, or a single character."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from unlearning.runs.requests import Judged

JOINERS = frozenset("'’\u200d\ufe0e\ufe0f")
"""Apostrophes, and what ties characters into one picture."""
WIDE = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL"))
"""Scripts that put no spaces between words: every character stands for itself."""


@dataclass(frozen=True)
class Word:
    """A stretch of text and the tokens that each judge needed for it."""

    text: str
    pieces: tuple[tuple[Judged, ...], ...]
    """By judge."""

    def logp(self, judge: int) -> float | None:
        """Natural log-probability of the whole word; None where a token has none."""
        values = [piece.logp for piece in self.pieces[judge]]
        return None if None in values else sum(values)


def words(judges: Sequence[Sequence[Judged]]) -> list[Word]:
    """The words of one text that was tokenised by one judge or by several.

    A word ends where the text and every judge's tokens allow it, so that the same stretch is
    compared. The judges' tokens must spell the same text.
    """
    text = spells(judges[0])
    if not text:
        return []
    ends = {i for i in range(1, len(text)) if breaks(text[i - 1], text[i])}
    for tokens in judges:
        ends &= set(accumulate(len(piece.text) for piece in tokens))
    ends = sorted(ends | {len(text)})
    split = [_split(tokens, ends) for tokens in judges]
    starts = [0, *ends]
    return [
        Word(text[starts[i] : end], tuple(tuple(parts[i]) for parts in split))
        for i, end in enumerate(ends)
    ]


def _split(tokens: Sequence[Judged], ends: Sequence[int]) -> list[list[Judged]]:
    """Tokens by word. One without text belongs to the character that it begins."""
    parts: list[list[Judged]] = [[] for _ in ends]
    at = place = 0
    for token in tokens:
        parts[place].append(token)
        at += len(token.text)
        if token.text and at == ends[place] and place + 1 < len(ends):
            place += 1
    return parts


def spells(tokens: Sequence[Judged]) -> str:
    """The text that tokens spell."""
    return "".join(token.text for token in tokens)


def plain_words(text: str) -> list[str]:
    """The words of a text, whatever its tokens are; together they are the text."""
    ends = [i for i in range(1, len(text)) if breaks(text[i - 1], text[i])]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)])] if text else []


def breaks(before: str, after: str) -> bool:
    """Whether a word may end between two characters; spaces begin the next word."""
    if before.isspace():
        return False
    if after.isspace():
        return True
    if before in JOINERS or after in JOINERS or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return False
    if 0x1F3FB <= ord(after) <= 0x1F3FF or (_flag(before) and _flag(after)):
        return False
    if _wide(before) or _wide(after):
        return True
    return not (_letter(before) and _letter(after))


def _flag(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def _wide(character: str) -> bool:
    return unicodedata.name(character, "").split(" ")[0].split("-")[0] in WIDE


def again(found: Sequence[str], longest: int = 16) -> set[int]:
    """Indices of the words that only repeat what stands before them: the later rounds of a phrase
    that comes three times or more in a row, of a single word four times or more."""
    plain = [word.strip().casefold() for word in found]
    marked: set[int] = set()
    for period in range(1, min(longest, len(plain) // 2) + 1):
        rounds = 4 if period == 1 else 3
        run = 0
        for i in range(period, len(plain) + 1):
            if i < len(plain) and plain[i] == plain[i - period]:
                run += 1
                continue
            if run + period >= rounds * period:
                marked.update(range(i - run, i))
            run = 0
    return marked
