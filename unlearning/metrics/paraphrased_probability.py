"""Probability of the answer in other words."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.probability import per_token_probability


class ParaphrasedProbability(Metric):
    """How likely the model finds the true answer in words that it was not trained on.

    P(y~|x)^(1/|y~|) for the paraphrase y~ of the answer, its end-of-text token included, then the
    mean over the examples that have a paraphrase. It tells knowing the fact from knowing the
    wording.

    Source: Dorna et al. 2025 (OpenUnlearning), "Para. Prob".
    """

    title = "Paraphrased probability"
    paper = "https://arxiv.org/abs/2506.12618"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "still likely in other words"
    needs = frozenset({"rewritten"})

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over examples with a paraphrase; None where there is none."""
        samples = [one and per_token_probability(one) for one in evidence.paraphrased]
        return mean_score(samples, "per token, end of text included")
