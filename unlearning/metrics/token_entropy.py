"""Entropy of the tokens of a text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score

Variant = Literal["normalised", "bits"]


def entropy(ids: Sequence[int], variant: Variant = "normalised") -> float | None:
    """Entropy of the token counts of one text, in bits or over its maximum log2(length).

    None for no tokens, and for one token where normalised (0 over 0).
    """
    length = len(ids)
    if length == 0 or (length == 1 and variant == "normalised"):
        return None
    bits = sum(c / length * math.log2(length / c) for c in Counter(ids).values())
    return bits if variant == "bits" else bits / math.log2(length)


class TokenEntropy(Metric):
    """How varied the tokens of one answer are, from one token over and over to no token twice.

    H = -sum (c/N) log2(c/N) over the counts c of the N tokens of a continuation, divided by
    log2 N where normalised; then the mean over continuations. Bits grow with length: compare
    them only at equal length.

    Source: Yuan et al. 2024, "A Closer Look at Machine Unlearning", code
    `compute_token_entropy` (normalised); ICU (2024), code `eval.py::val_score` (bits).
    """

    title = "Token entropy"
    paper = "https://arxiv.org/abs/2410.08109"
    family = "fluency"
    direction = {
        "forget": "higher",
        "retain": "higher",
        "generic": "higher",
    }
    unit = "0 to 1 (or bits)"
    cost = "generation"
    plain = "text health: varied words"

    variant: Variant = hyperparameter("normalised")
    """normalised: 1 = no token twice; bits: not divided by the maximum."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where all are too short."""
        samples = [entropy(one.ids, self.variant) for one in evidence.continuations]
        return mean_score(samples, self.variant)
