"""Probability of the answer among wrong ones."""

from __future__ import annotations

import numpy as np

from unlearning.metrics._answers import Losses, answer_losses
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score


def share_of_truth(losses: Losses) -> float:
    """P(answer) / (P(answer) + sum_j P(wrong_j)), each the typical probability of a token."""
    # Over the larger exponent: all of them may be too small to hold.
    exponents = np.append(-losses.wrong, -losses.answer)
    weights = np.exp(exponents - exponents.max())
    return float(weights[-1] / weights.sum())


class ProbabilityAmongOptions(Metric):
    """How much of the model's belief goes to the true answer when wrong ones stand beside it.

    P(y|x) / (P(y|x) + sum_j P(y_j|x)) over the answer and the wrong answers y_j, every P taken
    per token (to the power 1/length); then the mean over examples. With m wrong answers 1/(m+1)
    is a model that cannot tell.

    Source: Maini et al. 2024 (TOFU), section 2.2: "probability" on real authors and world facts;
    in OpenUnlearning `probability_w_options`.
    """

    title = "Probability among options"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "true answer beside wrong ones"
    needs = frozenset({"rewritten"})

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over examples with wrong answers; None where there is none."""
        samples = [one and share_of_truth(one) for one in answer_losses(evidence)]
        return mean_score(samples, "per token, among the options")
