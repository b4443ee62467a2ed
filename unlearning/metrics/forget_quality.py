"""Forget quality of TOFU."""

from __future__ import annotations

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._answers import answer_losses
from unlearning.metrics._kolmogorov import p_value
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.truth_ratio import Average, log_ratio


class ForgetQuality(Metric):
    """Whether the model answers about the forget text as one that never saw it would.

    p-value of the two-sided two-sample Kolmogorov-Smirnov test between the truth ratios R of this
    model and those of the retrained model on the same forget text, exact. Above 0.05 the two
    cannot be told apart. The test sees order only, so R and 1/R give the same.

    It depends on the number of examples: compare only at equal n. It also falls when a model is
    pushed past the retrained one. A p-value has no bootstrap interval.

    Source: Maini et al. 2024 (TOFU), section 2.2.1, code `aggregate_eval_stat.py`.
    """

    title = "Forget quality"
    paper = "https://arxiv.org/abs/2401.06121"
    family = "forgetting"
    direction = {"forget": "higher"}
    unit = "0 to 1 (p-value)"
    cost = "pass"
    plain = "answers as if it never saw it"
    exact = "A p-value of one test, which depends on n."
    needs = frozenset({"rewritten", "retrained"})

    average: Average = hyperparameter("geometric")
    """Mean over the wrong answers in the truth ratio: geometric as in the published code,
    arithmetic as in the paper."""

    def score(self, evidence: Evidence) -> Score | None:
        """Beside the retrained model; None where there is none, or no wrong answers."""
        if evidence.retrained is None:
            return None
        own, theirs = self._ratios(evidence), self._ratios(evidence.retrained)
        if not len(own) or not len(theirs) or np.isnan([*own, *theirs]).any():
            return None
        samples = tuple(own.tolist())
        return Score(p_value(own, theirs), None, None, len(own), samples, f"KS, {self.average}")

    def _ratios(self, evidence: Evidence) -> np.ndarray:
        """log R of the examples that have one; the test sees order only."""
        found = [one for one in answer_losses(evidence) if one is not None]
        return np.array([log_ratio(one, self.average) for one in found])
