"""Bits per byte."""

from __future__ import annotations

import math

import numpy as np

from unlearning.metrics._bootstrap import interval_of_ratio
from unlearning.metrics.base import Evidence, Metric, Score


class BitsPerByte(Metric):
    """How surprised the model is by the text, in a unit that does not depend on its tokens.

    - sum log2 p / bytes of the text in UTF-8, over the whole text set, so that long texts weigh
    more. The labelled tokens and their bytes count, the end-of-text token does not. It is the
    only perplexity that can be compared between models with different tokenizers.

    The interval resamples texts; each sample is the value of one text.

    Source: Gao et al. 2020 (The Pile), section 3.1; `bits_per_byte` in lm-evaluation-harness.
    """

    title = "Bits per byte"
    paper = "https://arxiv.org/abs/2101.00027"
    family = "utility"
    direction = {
        "forget": "like retrained",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "bits, 0 to infinity"
    cost = "pass"
    plain = "surprise per letter"

    @classmethod
    def remembered(cls, value: float) -> float:
        """The typical probability of a byte."""
        return 2**-value

    def score(self, evidence: Evidence) -> Score | None:
        """Over all texts together; None where there is no text."""
        if len(evidence.texts) != len(evidence.positions):
            return None
        bits_N = np.array([-one.logp[~one.end].sum() for one in evidence.positions]) / math.log(2)
        bytes_N = np.array([len(text.encode()) for text in evidence.texts], dtype=np.float64)
        kept_N = bytes_N > 0
        if not kept_N.any() or np.isnan(bits_N[kept_N]).any():
            return None
        value = float(bits_N[kept_N].sum() / bytes_N[kept_N].sum())
        low, high = interval_of_ratio(bits_N[kept_N], bytes_N[kept_N], value)
        samples = tuple(
            float(bits / size) if size else None for bits, size in zip(bits_N, bytes_N, strict=True)
        )
        return Score(value, low, high, int(kept_N.sum()), samples, "byte-weighted")
