"""Which sequences a step takes: repeatable from the seed and one number, the cursor."""

from __future__ import annotations

from collections.abc import Collection
from math import gcd
from random import Random
from typing import Literal

Mode = Literal["without_replacement", "with_replacement", "whole_set"]


class Sampler:
    """Draws indices below `size`. `cursor` (draws so far) is its whole state."""

    def __init__(self, size: int, seed: int, role: str, mode: Mode = "without_replacement") -> None:
        self.size, self.cursor = size, 0
        self._key, self._mode = f"{seed}/{role}", mode
        self._kept: tuple[tuple[int, int], list[int]] = ((-1, 0), [])

    def take(self, count: int, allowed: Collection[int] | None = None) -> list[int]:
        """The next `count` indices, the whole set if it is smaller. `count` stays the same.

        Without replacement no batch holds an index twice and every index comes once an epoch, in
        a new order each epoch; an epoch's tail is filled from the next.

        `allowed` restricts the indices without disturbing the order: others are passed over, and
        so is an index that the batch took from the epoch before.
        """
        if allowed is not None and not allowed:
            return []
        if self._mode == "whole_set":
            self.cursor += 1
            return [i for i in range(self.size) if allowed is None or i in allowed]
        wanted = min(count, self.size if allowed is None else len(allowed))
        drawn: list[int] = []
        while len(drawn) < wanted:
            index = self._draw(min(count, self.size))
            skip = allowed is not None and index not in allowed
            repeated = self._mode == "without_replacement" and index in drawn
            if not skip and not repeated:
                drawn.append(index)
        return drawn

    def _draw(self, batch: int) -> int:
        cursor, self.cursor = self.cursor, self.cursor + 1
        if self._mode == "with_replacement":
            return Random(f"{self._key}/{cursor}").randrange(self.size)
        epoch, place = divmod(cursor, self.size)
        return self._order(epoch, batch)[place]

    def _order(self, epoch: int, batch: int) -> list[int]:
        """An epoch's order: shuffled, and what its first batch already holds is put off."""
        (known, of_batch), order = self._kept
        if (known, of_batch) == (epoch, batch):
            return order
        if (known, of_batch) != (epoch - 1, batch):
            # Epochs that begin with a batch of their own need to know nothing of the one before.
            period = batch // gcd(self.size, batch)
            known, order = epoch - epoch % period - 1, []
        for each in range(known + 1, epoch + 1):
            places = -each * self.size % batch  # left for this epoch in a batch already begun
            begun = set(order[places - batch :]) if places else set()
            order = list(range(self.size))
            Random(f"{self._key}/epoch {each}").shuffle(order)
            first = [i for i in order if i not in begun][:places]
            taken = set(first)
            order = first + [i for i in order if i not in taken]
        self._kept = ((epoch, batch), order)
        return order


def spread(size: int, count: int) -> list[int]:
    """`count` indices spread evenly over `size`, the same every time."""
    if count >= size:
        return list(range(size))
    return [i * size // count for i in range(count)]
