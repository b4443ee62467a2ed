"""Pasted or plain text to examples: paragraphs become passages, Q:/A: pairs become questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

from unlearning.data.base import Example
from unlearning.errors import UserError

SHORT_WORDS = 8
"""Paragraphs below this join their neighbour."""
PASSAGE_WORDS = 180
"""About how long a piece of a very long paragraph is."""
LONG_WORDS = 240
"""Paragraphs above this are cut."""

_LINE_END = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n\s*")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
"""A run without spaces; in Chinese and Japanese every character counts."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])|\n")

_MARK = re.compile(
    r"(?<!\S)(?:(?P<asks>Q|[Qq]uestion|QUESTION)|A|[Aa]nswer|ANSWER)[ \t]{0,3}\d{0,5}[ \t]{0,3}:"
)


def clean(text: str) -> str:
    """Unix line ends; control characters and halves of characters left out."""
    text = _LINE_END.sub("\n", text)
    return "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")
    ).replace("\ufeff", "")


def split(text: str, name: str = "pasted") -> list[Example]:
    """Examples in the order of the text, of which no word is lost; ids are NAME-1, NAME-2, ...

    Paragraphs are separated by empty lines. Headings and very short paragraphs join what
    follows; very long ones are cut at sentence ends.

    Raises:
        UserError: no text, or a single word.
    """
    text = clean(text)
    check_enough(text)
    found: list[Example] = []
    end = 0
    for start, stop, question, answer in _pairs(text):
        found += _passages(text[end:start])
        found.append(Example(id="", kind="qa", question=question, answer=answer))
        end = stop
    found += _passages(text[end:])
    return [e.model_copy(update={"id": f"{name}-{i}"}) for i, e in enumerate(found, 1)]


def check_enough(text: str) -> None:
    """Refuse what is no text to forget.

    Raises:
        UserError: no text, or a single word.
    """
    words = _WORD.findall(text)
    if not words:
        raise UserError("There is no text.", "Paste at least a sentence of the text to forget.")
    if len(words) == 1 and len(words[0]) < 20:
        raise UserError(
            "One word is too little: a model forgets texts, not words.",
            "Paste a sentence or more in which it stands.",
        )


def _pairs(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Questions with their answers: (start, end, question, answer).

    An answer ends at an empty line or at the next question. Marks that do not pair up stay text.
    """
    marks = list(_MARK.finditer(text))
    asks = [i for i, mark in enumerate(marks) if mark["asks"]]
    for i, following in zip_longest(asks, asks[1:]):
        if i + 1 == len(marks) or i + 1 == following:
            continue
        limit = len(text) if following is None else marks[following].start()
        question = text[marks[i].end() : marks[i + 1].start()].strip()
        body = text[marks[i + 1].end() : limit]
        answer = _PARAGRAPH_END.split(body.lstrip(), maxsplit=1)[0].rstrip()
        start = marks[i + 1].end() + len(body) - len(body.lstrip())
        if not question or not answer or _PARAGRAPH_END.search(question):
            continue
        yield marks[i].start(), start + len(answer), question, answer


def _passages(text: str) -> list[Example]:
    joined: list[str] = []
    waiting: list[str] = []
    for part in filter(None, map(str.strip, _PARAGRAPH_END.split(text))):
        waiting.append(part)
        if not _heading(part) and _count("\n\n".join(waiting)) >= SHORT_WORDS:
            joined.append("\n\n".join(waiting))
            waiting = []
    if waiting:
        last = [joined.pop()] if joined else []
        joined.append("\n\n".join(last + waiting))
    return [Example(id="", text=piece) for part in joined for piece in _pieces(part)]


def _heading(part: str) -> bool:
    if "\n" in part:
        return False
    marked = re.match(r"#{1,6} ", part) is not None
    return marked or (_count(part) < SHORT_WORDS and part[-1] not in ".!?…。！？")


def _pieces(part: str) -> Iterator[str]:
    """A paragraph as it is, or in parts of similar length that end where sentences end."""
    total = _count(part)
    if total <= LONG_WORDS:
        yield part
        return
    target = total / round(total / PASSAGE_WORDS)
    piece, count = "", 0
    for sentence in _sentences(part):
        length = _count(sentence)
        if piece.strip() and count + length / 2 > target:
            yield piece.strip()
            piece, count = "", 0
        piece, count = piece + sentence, count + length
    if piece.strip():
        yield piece.strip()


def _sentences(part: str) -> Iterator[str]:
    """Sentences with the space behind them; one without an end is cut between words."""
    start = 0
    for end in [*(m.end() for m in _SENTENCE_END.finditer(part)), len(part)]:
        sentence, start = part[start:end], end
        if _count(sentence) <= LONG_WORDS:
            yield sentence
        else:
            yield from re.findall(rf"\s*(?:\S+\s*){{1,{PASSAGE_WORDS}}}", sentence)


def _count(text: str) -> int:
    return len(_WORD.findall(text))
