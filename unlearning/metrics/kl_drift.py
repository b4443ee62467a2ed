"""Divergence from the original's predictions (KL drift)."""

from __future__ import annotations

import numpy as np

from unlearning.metrics._bootstrap import interval_of_ratio
from unlearning.metrics.base import Evidence, Metric, Positions, Score


class KlDrift(Metric):
    """How far the predictions on text to keep have moved from the original's.

    KL(p_original || p) over the whole vocabulary at each labelled token, the end-of-text token
    left out; mean over all tokens of the set, so that long texts weigh more. 0 = the same
    predictions. Unlike perplexity it also sees a change that is no worse on the text itself.

    The interval resamples texts; each sample is the mean of one text.

    Source: the retain term of Yao et al. 2023 (arXiv 2310.10683), as a measure.
    """

    title = "KL drift"
    paper = "https://arxiv.org/abs/2310.10683"
    family = "utility"
    direction = {"retain": "lower", "generic": "lower"}
    unit = "nats, 0 to infinity"
    cost = "pass"
    plain = "predictions changed"
    needs = frozenset({"original"})

    def score(self, evidence: Evidence) -> Score | None:
        """Over all tokens; None where the original was not read beside, or a value is NaN."""
        drifts = [_drift(one) for one in evidence.positions]
        kept = [drift for drift in drifts if drift is not None and len(drift)]
        totals_N = np.array([drift.sum() for drift in kept])
        counts_N = np.array([len(drift) for drift in kept], dtype=np.float64)
        if not kept or np.isnan(totals_N).any():
            return None
        value = float(totals_N.sum() / counts_N.sum())
        low, high = interval_of_ratio(totals_N, counts_N, value)
        samples = tuple(
            None if drift is None or not len(drift) else float(drift.mean()) for drift in drifts
        )
        return Score(value, low, high, len(kept), samples, "KL(original || now), token-weighted")


def _drift(positions: Positions) -> np.ndarray | None:
    return None if positions.drift is None else positions.drift[~positions.end]
