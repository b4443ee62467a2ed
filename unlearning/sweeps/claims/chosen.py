"""What the search chose on the other world; the claims take it as it is."""

from __future__ import annotations

from typing import Any

from unlearning.sweeps.claims.search import CANDIDATES, named

BEST: dict[str, str] = {
    "gradient_ascent": "gradient_ascent/3",
    "icu": "icu/1",
    "undial": "undial/1",
    "npo": "npo/3",
    "grad_diff": "grad_diff/3",
    "ngdiff": "ngdiff/1",
    "mean_teacher": "mean_teacher/6",
}
"""Method to the cell that `best` names."""

CHOSEN: dict[str, dict[str, Any]] = {method: named(method)[cell] for method, cell in BEST.items()}
"""Method to what a run sets."""

GRAD_DIFF_TRIED = len(CANDIDATES["grad_diff"])
