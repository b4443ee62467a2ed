"""How runs beside each other are told apart: a letter, a colour, a dash and a marker each."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.theme import ATTACK, FIFTH, FORGET, HEALTHY, UNLEARNED

MOST = 8
"""Runs that are compared at a time."""


@dataclass(frozen=True)
class Style:
    """One run's look in all figures."""

    letter: str
    colour: str
    dash: str
    """In plotly's words."""
    marker: str
    """In plotly's words."""


STYLES = tuple(
    Style(*one)
    for one in (
        ("A", UNLEARNED, "solid", "circle"),
        ("B", FORGET, "dash", "square"),
        ("C", HEALTHY, "dot", "diamond"),
        ("D", ATTACK, "dashdot", "triangle-up"),
        ("E", FIFTH, "longdash", "cross"),
        ("F", UNLEARNED, "dot", "star"),
        ("G", FORGET, "solid", "triangle-down"),
        ("H", HEALTHY, "dash", "hexagon"),
    )
)
_STROKES = {
    "solid": "",
    "dash": "7 4",
    "dot": "2 4",
    "dashdot": "8 4 2 4",
    "longdash": "13 4",
}


def sample(style: Style) -> str:
    """The letter with a piece of its line, for tables."""
    return (
        f'<span class="run-letter"><svg viewBox="0 0 34 10" aria-hidden="true">'
        f'<path d="M1 5H33" stroke="{style.colour}" stroke-width="2.5" '
        f'stroke-dasharray="{_STROKES[style.dash]}"/></svg>{style.letter}</span>'
    )
