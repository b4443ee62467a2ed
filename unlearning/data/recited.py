"""Passages that real models are known to recite, by title: nothing of them is kept here.

They stand in very many places on the web, so models that were trained on it have met them often
enough to go on once they have begun (Carlini et al. 2021, arXiv 2012.07805; Carlini et al. 2023,
arXiv 2202.07646). Which ones a given model recites has to be measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Passage:
    """A text to type in, or to fetch by its id and paste."""

    title: str
    kind: Literal["licence", "verse", "prose"]
    id: str
    """Where it is found: `spdx:ID` in the list of licences at spdx.org, `gutenberg:NUMBER` at
    Project Gutenberg."""
    author: str = ""
    year: int | None = None
    """Of first publication; before 1931, so that its text is in the public domain."""


PASSAGES = (
    Passage("MIT License", "licence", "spdx:MIT"),
    Passage("BSD 3-Clause License", "licence", "spdx:BSD-3-Clause"),
    Passage("Apache License 2.0", "licence", "spdx:Apache-2.0"),
    Passage("GNU General Public License, version 3", "licence", "spdx:GPL-3.0-only"),
    Passage("Sonnet 18", "verse", "gutenberg:1041", "William Shakespeare", 1609),
    Passage("The Tyger", "verse", "gutenberg:1934", "William Blake", 1794),
    Passage("The Raven", "verse", "gutenberg:1065", "Edgar Allan Poe", 1845),
    Passage("Jabberwocky", "verse", "gutenberg:12", "Lewis Carroll", 1871),
    Passage("Declaration of Independence", "prose", "gutenberg:1", "Thomas Jefferson", 1776),
    Passage("Gettysburg Address", "prose", "gutenberg:4", "Abraham Lincoln", 1863),
)
"""Licences first: of all these they are the least sensitive to forget in public."""
