"""Texts for a backward pass."""

from __future__ import annotations

from unlearning.metrics.base import Evidence

Span = tuple[tuple[int, ...], int]


def spans(evidence: Evidence, most: int, longest: int | None = None) -> list[Span | None]:
    """Token sequences without their end-of-text token, each with its first labelled place.

    `most` sequences are taken, spread evenly, of each at most `longest` labelled tokens; None for
    the others and for those without a token.
    """
    count = len(evidence.ids)
    chosen = {k * count // most for k in range(most)} if most < count else set(range(count))
    found: list[Span | None] = []
    for i, (ids, one) in enumerate(zip(evidence.ids, evidence.positions, strict=True)):
        first = len(ids) - len(one.target)
        last = len(ids) - int(one.end.sum())
        if longest is not None:
            last = min(last, first + longest)
        found.append((tuple(ids[:last]), first) if i in chosen and last > first else None)
    return found
