"""The columns of a sweep's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Scores = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One column: a score after unlearning, or that as a share of the score before."""

    title: str
    metric: str
    role: str
    share: bool = False

    def of(self, before: Scores, after: Scores) -> float | None:
        """None where it was not measured."""
        found = [s.get(self.metric, {}).get(self.role) for s in (before, after)]
        if found[1] is None or (self.share and (found[0] is None or not found[0].value)):
            return None
        return found[1].value / found[0].value if self.share else found[1].value


FIGURES = {
    "extraction": Figure("EL10 forget", "extraction_likelihood", "forget"),
    "recited": Figure("MA forget", "memorization_accuracy", "forget"),
    "kept": Figure("MA retain", "memorization_accuracy", "retain"),
    "perplexity": Figure("perplexity general, times", "perplexity", "generic", share=True),
}
"""Key to column. Perplexity is given as a multiple of the original model's."""


def asked(names: Iterable[str] = FIGURES) -> dict[str, set[str]]:
    """Role to the metrics that these columns need."""
    found: dict[str, set[str]] = {}
    for figure in map(FIGURES.__getitem__, names):
        found.setdefault(figure.role, set()).add(figure.metric)
    return found
