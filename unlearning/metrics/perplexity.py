"""Perplexity."""

from __future__ import annotations

import numpy as np

from unlearning.metrics._bootstrap import interval_of_ratio
from unlearning.metrics.base import Evidence, Metric, Score


class Perplexity(Metric):
    """How surprised the model is by the text: among how many tokens it hesitates at each step.

    exp(total negative log-likelihood / total tokens) over the whole text set, so long texts
    weigh more. Every labelled token counts: of a passage all but the first token, its 20-token
    prefix included; of a question or chat the answer; and the end-of-text token that was
    appended. Infinite where the mean exceeds what a float64 can hold.

    The interval resamples texts; each sample is the perplexity of one text.

    Source: Jelinek et al. 1977; token-weighted as in the validation of Jang et al. 2022.
    """

    title = "Perplexity"
    paper = "https://doi.org/10.1121/1.2016299"
    family = "utility"
    direction = {
        "forget": "like retrained",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "1 to infinity"
    cost = "pass"
    plain = "surprise"

    @classmethod
    def remembered(cls, value: float) -> float:
        """The typical probability of a token."""
        return 1 / value

    def score(self, evidence: Evidence) -> Score | None:
        """Over all labelled tokens together; None where there is none."""
        tokens_N = np.array([len(one.logp) for one in evidence.positions], dtype=np.float64)
        nats_N = np.array([-one.logp.sum() for one in evidence.positions], dtype=np.float64)
        kept_N = tokens_N > 0
        if not kept_N.any() or np.isnan(nats_N).any():
            return None
        mean = float(nats_N[kept_N].sum() / tokens_N[kept_N].sum())
        # In nats first: percentiles of infinities are not numbers.
        low, high = interval_of_ratio(nats_N[kept_N], tokens_N[kept_N], mean)
        samples = [
            _exp(nats / tokens) if tokens else None
            for nats, tokens in zip(nats_N, tokens_N, strict=True)
        ]
        return Score(
            value=_exp(mean),
            low=None if low is None else _exp(low),
            high=None if high is None else _exp(high),
            n=int(kept_N.sum()),
            samples=tuple(samples),
            variant="token-weighted, all labelled tokens",
        )


def _exp(nats: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(nats))
