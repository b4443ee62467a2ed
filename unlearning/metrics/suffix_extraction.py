"""Extraction of the true continuation of a prefix."""

from __future__ import annotations

from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Continuation, Evidence, Metric, Score

Variant = Literal["exact", "tokens"]


def extracted(one: Continuation, variant: Variant = "exact") -> float | None:
    """Whether (or how far, by place) the true tokens came back; None for no true tokens."""
    if not one.reference_ids:
        return None
    hits = sum(a == b for a, b in zip(one.ids, one.reference_ids, strict=False))
    count = len(one.reference_ids)
    return hits / count if variant == "tokens" else float(hits == count)


class SuffixExtraction(Metric):
    """How often the model, given the beginning of a text, writes on with the very same tokens.

    Share of greedy continuations whose tokens equal the true ones, all of them, as far as the
    true text or the length of a continuation goes; then the mean over texts. `tokens` gives the
    share of places with the true token instead, free-running: after one wrong token the rest is
    seldom right.

    The challenge uses 50 tokens of prefix and 50 of suffix; here the prefix is what stands before
    the scored region.

    Source: Carlini et al. 2023, "extractable with k tokens of context"; the training data
    extraction challenge, `google-research/lm-extraction-benchmark`, one greedy guess.
    """

    title = "Suffix extraction"
    paper = "https://arxiv.org/abs/2202.07646"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "written on word for word"

    variant: Variant = hyperparameter("exact")
    """exact: all tokens must be the true ones; tokens: share of places with the true token."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None where there is none with a true text."""
        samples = [extracted(one, self.variant) for one in evidence.continuations]
        return mean_score(samples, self.variant)
