"""Which examples belong together: a text and the questions about it."""

from __future__ import annotations

from collections.abc import Sequence


def parts(ids: Sequence[str]) -> list[list[int]]:
    """Indices of what belongs together: a text whose id begins another's stands for both.

    'a-3' and 'a-3-qa-0' are one part, 'a-30' is another.
    """
    found: dict[str, list[int]] = {}
    known = set(ids)
    for index, own in enumerate(ids):
        words = own.split("-")
        heads = ("-".join(words[:count]) for count in range(1, len(words) + 1))
        found.setdefault(next(head for head in heads if head in known), []).append(index)
    return list(found.values())
