"""Truth ratio."""

from __future__ import annotations

from typing import Literal

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._answers import Losses, answer_losses
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score

Average = Literal["geometric", "arithmetic"]
Form = Literal["forget", "utility", "knowledge"]


def log_ratio(losses: Losses, average: Average = "geometric") -> float:
    """log R, R = mean_j P(wrong_j) / P(truth), every P the typical probability of a token."""
    wrong = -losses.wrong
    if average == "geometric":
        return float(wrong.mean() + losses.truth)
    return float(np.logaddexp.reduce(wrong) - np.log(len(wrong)) + losses.truth)


def in_form(log_r: float, form: Form) -> float:
    """forget: min(R, 1/R); utility: max(0, 1 - R); knowledge: 1 / (1 + R). All from 0 to 1."""
    match form:
        case "forget":
            return float(np.exp(-abs(log_r)))
        case "utility":
            return max(0.0, float(-np.expm1(min(log_r, 0.0))))
        case "knowledge":
            return float(np.exp(-np.logaddexp(0.0, log_r)))


def ratios(evidence: Evidence, average: Average, form: Form) -> list[float | None]:
    """For each sequence; None where there is no wrong answer to compare with."""
    return [
        None if one is None else in_form(log_ratio(one, average), form)
        for one in answer_losses(evidence)
    ]


class TruthRatio(Metric):
    """Whether the model tells the true answer from wrong ones of the same form.

    R = mean_j P(wrong_j|x) / P(true|x), every P per token (to the power 1/length); the true
    answer is the paraphrase where there is one, as the wrong answers share its wording.
    Aggregated over examples as mean min(R, 1/R) on text to forget (1 = cannot tell) and as mean
    max(0, 1 - R) elsewhere (higher = prefers the truth).

    The paper writes an arithmetic mean over j; its leaderboard script and OpenUnlearning take the
    geometric one, exp(mean of losses), which gives other numbers.

    Source: Maini et al. 2024 (TOFU), equation 1, code `aggregate_eval_stat.py`; OpenUnlearning,
    code `evals/metrics/memorization.py::truth_ratio`.
    """

    title = "Truth ratio"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "cannot tell true from wrong"
    needs = frozenset({"rewritten"})

    average: Average = hyperparameter("geometric")
    """Mean over the wrong answers: geometric as in the published code, arithmetic as in the
    paper."""
    form: Literal["by role", "forget", "utility", "knowledge"] = hyperparameter("by role")
    """forget: mean min(R, 1/R); utility: mean max(0, 1 - R); knowledge: mean 1/(1 + R), lower =
    better forgotten; by role: forget on text to forget, utility on all other."""

    @classmethod
    def remembered(cls, value: float) -> float:
        """A model that cannot tell has the ratio 1."""
        return 1 - value

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over examples with wrong answers; None where there is none."""
        form: Form = "forget" if evidence.role == "forget" else "utility"
        if self.form != "by role":
            form = self.form
        return mean_score(ratios(evidence, self.average, form), f"{form} form, {self.average}")
