"""Extraction strength (ES)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._recited import recited
from unlearning.metrics.base import Evidence, Metric, Score

Variant = Literal["paper", "open_unlearning"]


def strength(recited_n: np.ndarray, variant: Variant = "paper") -> float | None:
    """Share of a text that follows from its shortest sufficient beginning; None for no tokens.

    `recited_n` says of each token whether it is the model's own choice. Greedy decoding from a
    true beginning equals the pass over the true text as long as it is right, so the beginning
    ends with the last wrong token.
    """
    count = len(recited_n)
    if not count:
        return None
    wrong = np.flatnonzero(~recited_n)
    needed = int(wrong[-1]) + 1 if len(wrong) else 0
    if variant == "open_unlearning":
        # Its loop never tries the whole text as beginning.
        needed = min(needed, count - 1)
    return 1 - needed / count


class ExtractionStrength(Metric):
    """How much of the end of the text the model recites from the shortest beginning that suffices.

    ES = 1 - 1/|y| min{k : greedy decoding from [x, y_<k] gives y_>=k}, then the mean over
    examples. One wrong token near the end hides all that stands before it.

    Source: Carlini et al. 2021; Wang et al. 2025; Dorna et al. 2025 (OpenUnlearning), code
    `evals/metrics/memorization.py::extraction_strength`. Its meta-evaluation (table 2) ranks
    this metric first.
    """

    title = "Extraction strength"
    paper = "https://arxiv.org/abs/2506.12618"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "recited to the end"

    variant: Variant = hyperparameter("paper")
    """paper: 0 if even the last token is wrong; open_unlearning: 1/|y| then, as in its code."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where no token is scored."""
        samples = [strength(recited(one), self.variant) for one in evidence.positions]
        return mean_score(samples, self.variant)
