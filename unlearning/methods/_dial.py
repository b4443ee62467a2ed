"""How strongly a method is set, from gentle to strong, in one turn."""

from __future__ import annotations

from dataclasses import dataclass

STOPS = ("gentle", "mild", "default", "firm", "strong")
"""The places of the dial, from the one that harms least to the one that forgets most."""
MIDDLE = STOPS.index("default")
RATE = "learning_rate"
"""Turned where a method has no number of its own that says how deep it forgets."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Which number is the strength of a method, and its multiples of the default at each stop."""

    turns: str = RATE
    """A hyperparameter of the method, or `learning_rate` of the run."""
    factors: tuple[float, float, float, float, float] = (0.4, 0.65, 1.0, 1.5, 2.5)
    """Rising; 1 in the middle."""

    def value(self, default: float, stop: int) -> float:
        """The number at a stop (index into `STOPS`), to two digits; the default in the middle."""
        if stop == MIDDLE:
            return default
        return float(f"{default * self.factors[stop]:.2g}")

    def stop(self, default: float, value: float) -> int | None:
        """The stop that gives this number; None for a value of one's own."""
        places = range(len(STOPS))
        return next((i for i in places if _same(self.value(default, i), value)), None)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
