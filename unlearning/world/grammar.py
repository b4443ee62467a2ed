"""A small text grammar: nested choices, slots, and the article that fits the next word.

``{a|b|c}`` picks one branch (branches nest), ``<name>`` inserts a fact. A fact that is a tuple
is a pool of templates: one is picked and expanded in place, anew at every use.
``a(n)`` becomes *a* or *an*. Sentences start with a capital.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

Facts = Mapping[str, "str | tuple[str, ...]"]

_ARTICLE = re.compile(r"\b([Aa])\(n\)(\s+\W*)(\w+)")
_SENTENCE = re.compile(r'(^["\']?|(?:[.!?]|\.["\'])\s+["\']?)([a-z])')
_SPOKEN_WITH_CONSONANT = re.compile(r"(?:uni|use|usu|eu|one\b|once\b|u[kt][aeiou])", re.IGNORECASE)
_SPOKEN_WITH_VOWEL = re.compile(r"(?:hour|honest|heir|8|11\b|18\b)", re.IGNORECASE)


def lines(block: str) -> tuple[str, ...]:
    """Split a block of text into its non-empty lines: one entry of a pool a line.

    Long entries are folded in the source by a backslash; the indentation behind it vanishes
    when an entry is expanded.
    """
    return tuple(line.strip() for line in block.splitlines() if line.strip())


def words(block: str) -> tuple[str, ...]:
    """Split a comma-separated block into its entries."""
    return tuple(word.strip() for word in block.replace("\n", " ").split(",") if word.strip())


def expand(template: str, rng: Random, facts: Facts) -> str:
    """Resolve every choice and slot of a template.

    The draws depend only on the template and on which facts are pools: expanding the same
    template with an equally seeded `rng` and other strings gives the same sentence form.

    Raises:
        KeyError: the template names a slot that `facts` lacks.
        ValueError: a brace or an angle bracket is not closed.
    """
    return _polish(_resolve(template, rng, facts))


def _resolve(template: str, rng: Random, facts: Facts) -> str:
    parts: list[str] = []
    position = 0
    while position < len(template):
        character = template[position]
        if character == "{":
            branches, position = _branches(template, position)
            parts.append(_resolve(rng.choice(branches), rng, facts))
        elif character == "<":
            end = template.index(">", position)
            value = facts[template[position + 1 : end]]
            drawn = value if isinstance(value, str) else _resolve(rng.choice(value), rng, facts)
            parts.append(drawn)
            position = end + 1
        else:
            parts.append(character)
            position += 1
    return "".join(parts)


def _branches(template: str, start: int) -> tuple[list[str], int]:
    """Return the branches of the choice opening at `start` and the position after it."""
    depth, branches, begin = 0, [], start + 1
    for position in range(start, len(template)):
        character = template[position]
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        if (character == "|" and depth == 1) or depth == 0:
            branches.append(template[begin:position])
            begin = position + 1
        if depth == 0:
            return branches, position + 1
    raise ValueError(f"unclosed brace in template: {template[start : start + 60]!r}")


def _polish(text: str) -> str:
    text = re.sub(r" {2,}", " ", text).replace(" .", ".").strip()
    text = _ARTICLE.sub(_article, text)
    return _SENTENCE.sub(lambda match: match[1] + match[2].upper(), text)


def _article(match: re.Match[str]) -> str:
    word = match[3]
    vowel = word[0].lower() in "aeiou" and not _SPOKEN_WITH_CONSONANT.match(word)
    suffix = "n" if vowel or _SPOKEN_WITH_VOWEL.match(word) else ""
    return match[1] + suffix + match[2] + word
