"""A text cut without tearing apart what belongs together: a passage and the questions about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from unlearning.data.base import Example
from unlearning.errors import UserError

FOLDS = 4
"""As in the sustainability and scalability tests of MUSE (arXiv:2407.06460)."""


def units(ids: Sequence[str]) -> list[list[int]]:
    """Indices of what belongs together: a text whose id begins another's stands for both.

    'a-3' and 'a-3-qa-0' are one unit, 'a-30' is another.
    """
    found: dict[str, list[int]] = {}
    known = set(ids)
    for index, own in enumerate(ids):
        words = own.split("-")
        heads = ("-".join(words[:count]) for count in range(1, len(words) + 1))
        found.setdefault(next(head for head in heads if head in known), []).append(index)
    return list(found.values())


def folds(examples: Sequence[Example], count: int = FOLDS) -> list[list[Example]]:
    """`count` parts with the same mixture of groups; what belongs together stays together.

    Raises:
        UserError: fewer units than parts.
    """
    groups: dict[tuple[str, str], list[list[Example]]] = defaultdict(list)
    for unit in units([example.id for example in examples]):
        own = [examples[index] for index in unit]
        groups[own[0].group, own[0].kind].append(own)
    parts: list[list[Example]] = [[] for _ in range(count)]
    for group in groups.values():
        for place, unit in enumerate(group):
            parts[place * count // len(group)] += unit
    if not all(parts):
        raise UserError(
            f"The forget text has too few passages for {count} parts.", "Give it more passages."
        )
    return parts
