"""Which sequences a step takes: repeatable from the seed and one number, the cursor."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import Literal

Mode = Literal["without_replacement", "with_replacement", "whole_set"]


class Sampler:
    """Draws indices below `size`. `cursor` (draws so far) is its whole state."""

    def __init__(self, size: int, seed: int, role: str, mode: Mode = "without_replacement") -> None:
        self.size, self.cursor = size, 0
        self._key, self._mode = f"{seed}/{role}", mode
        self._order: tuple[int, list[int]] = (-1, [])

    def take(self, count: int, allowed: Collection[int] | None = None) -> list[int]:
        """The next `count` indices; `allowed` restricts them without disturbing the order.

        Without replacement every index comes once an epoch, in a new order each epoch; an
        epoch's tail is filled from the next, and a batch may then hold an index twice only if
        it is larger than the set.
        """
        if allowed is not None and not allowed:
            return []
        if self._mode == "whole_set":
            self.cursor += 1
            return [i for i in range(self.size) if allowed is None or i in allowed]
        wanted = min(count, self.size if allowed is None else len(allowed))
        drawn: list[int] = []
        while len(drawn) < wanted:
            index = self._draw()
            skip = allowed is not None and index not in allowed
            repeated = self._mode == "without_replacement" and index in drawn
            if not skip and not repeated:
                drawn.append(index)
        return drawn

    def _draw(self) -> int:
        cursor, self.cursor = self.cursor, self.cursor + 1
        if self._mode == "with_replacement":
            return Random(f"{self._key}/{cursor}").randrange(self.size)
        epoch, place = divmod(cursor, self.size)
        if self._order[0] != epoch:
            order = list(range(self.size))
            Random(f"{self._key}/epoch {epoch}").shuffle(order)
            self._order = (epoch, order)
        return self._order[1][place]


def spread(size: int, count: int) -> list[int]:
    """`count` indices spread evenly over `size`, the same every time."""
    if count >= size:
        return list(range(size))
    return [i * size // count for i in range(count)]
