"""Memorization accuracy (MA)."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._recited import recited_shares
from unlearning.metrics.base import Evidence, Metric, Score


class MemorizationAccuracy(Metric):
    """How many of the text's next tokens the model guesses right when it is shown the rest.

    MA(x) = 1/(T-1) sum_t 1[argmax p(. | x_<=t) = x_t+1], over the scored tokens of a text, then
    the mean over texts. One pass of the true text gives the same numbers as the T-1
    generations of one token in their code.

    A model that never saw the text still guesses many tokens, so the aim is the level of
    unseen text, not zero.

    Source: Tirumala et al. 2022; Jang et al. 2022 ("memorization accuracy"), where it is half of
    the stopping rule.
    """

    title = "Memorization accuracy"
    paper = "https://arxiv.org/abs/2205.10770"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "next word known"

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where no token is scored."""
        return mean_score(recited_shares(evidence.positions), "mean over texts")
