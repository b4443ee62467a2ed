"""Membership inference: telling forget text from text of the same kind that was never seen.

Every attack gives a text a score; a high score says "never seen". The area under the curve is 1
where the forget text stands out as seen, 0.5 where it cannot be told from unseen text, and below
that where it was pushed past it. The published code of MUSE has the opposite sign: its area is 1
minus this one. The two text sets must be of the same kind, or their difference is what is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import SEED, interval, resampled_weights
from unlearning.metrics.base import Evidence, Metric, Positions, Score

Statistic = Literal["auc", "tpr_at_1", "tpr_at_5"]
RATES = {"tpr_at_1": 0.01, "tpr_at_5": 0.05}


def later_FH(forget_F: np.ndarray, holdout_H: np.ndarray) -> np.ndarray:
    """1 where the unseen text has the higher score, 0.5 where both are equal, else 0."""
    holdout_1H, forget_F1 = holdout_H[None, :], forget_F[:, None]
    return np.where(holdout_1H == forget_F1, 0.5, holdout_1H > forget_F1)


def area(forget_F: np.ndarray, holdout_H: np.ndarray) -> float:
    """AUC = P(s_holdout > s_forget) + 1/2 P(equal), 0 to 1 (Mann and Whitney's U over F * H)."""
    return float(later_FH(forget_F, holdout_H).mean())


def true_positive_rate(
    forget_F: np.ndarray,
    holdout_H: np.ndarray,
    rate: float,
    weights_F: np.ndarray | None = None,
    weights_H: np.ndarray | None = None,
) -> float:
    """Largest share of forget texts under a threshold that at most `rate` of unseen texts are
    under. Weights say how often each text counts."""
    scores = np.concatenate([forget_F, holdout_H])
    weights_F = np.ones(len(forget_F)) if weights_F is None else weights_F
    weights_H = np.ones(len(holdout_H)) if weights_H is None else weights_H
    order = np.argsort(scores, kind="stable")
    found = np.concatenate([weights_F, np.zeros(len(holdout_H))])[order].cumsum()
    false = np.concatenate([np.zeros(len(forget_F)), weights_H])[order].cumsum()
    # A threshold cannot stand between equal scores.
    ends = np.append(np.diff(scores[order]) != 0, True)
    allowed = ends & (false <= rate * weights_H.sum())
    return float(found[allowed].max() / weights_F.sum()) if allowed.any() else 0.0


def area_with_interval(
    forget_F: np.ndarray, holdout_H: np.ndarray
) -> tuple[float, float | None, float | None]:
    """AUC and its bootstrap interval; both sets are resampled, independently."""
    value = area(forget_F, holdout_H)
    if min(len(forget_F), len(holdout_H)) < 2:
        return value, None, None
    return value, *interval(resampled_areas(forget_F, holdout_H), value)


def resampled_areas(forget_F: np.ndarray, holdout_H: np.ndarray) -> np.ndarray:
    """AUC under each resample [R] of both sets."""
    pairs_FH = later_FH(forget_F, holdout_H)
    forget, holdout = pairs_FH.shape
    weights_RF, weights_RH = resampled_weights(forget), resampled_weights(holdout, SEED + 1)
    return ((weights_RF @ pairs_FH) * weights_RH).sum(axis=1) / (forget * holdout)


def rate_with_interval(
    forget_F: np.ndarray, holdout_H: np.ndarray, rate: float
) -> tuple[float, float | None, float | None]:
    """True positive rate and its bootstrap interval, as `area_with_interval`."""
    value = true_positive_rate(forget_F, holdout_H, rate)
    if min(len(forget_F), len(holdout_H)) < 2:
        return value, None, None
    pairs = zip(
        resampled_weights(len(forget_F)), resampled_weights(len(holdout_H), SEED + 1), strict=True
    )
    rates_R = [true_positive_rate(forget_F, holdout_H, rate, f, h) for f, h in pairs]
    return value, *interval(np.array(rates_R), value)


def text_tokens(positions: Positions) -> np.ndarray:
    """bool [n]: every labelled token but the end-of-text token that was appended."""
    return ~positions.end


def lowest_mean(values: np.ndarray, share: float) -> float | None:
    """Mean of the lowest floor(share * n) values, at least one; None for no values."""
    if not len(values):
        return None
    count = max(1, int(len(values) * share))
    return float(np.sort(values)[:count].mean())


class MembershipAttack(Metric):
    """Base of the attacks. A subclass gives every text a score; high = never seen."""

    family = "privacy"
    direction = {"forget": "like retrained"}
    unit = "0 to 1"
    cost = "pass"
    needs = frozenset({"holdout"})
    unseen = 0.5

    statistic: Statistic = hyperparameter("auc")
    """auc: area under the curve, 1 = seen, 0.5 = unknown; tpr_at_1, tpr_at_5: share of the forget
    texts that are found while at most 1 % or 5 % of the unseen texts are taken for seen."""

    def suspicion(self, evidence: Evidence) -> Sequence[float | None]:
        """One score for each sequence, high = never seen; None where it does not apply."""
        raise TypeError(f"{type(self).__name__} declares no scores")

    def label(self) -> str:
        """Settings that change the scores, in words."""
        return ""

    def both(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
        """Scores of forget and unseen texts; None where a set is missing or has a NaN."""
        holdout = evidence.beside.get("holdout")
        if holdout is None:
            return None
        sets = [_kept(self.suspicion(evidence)), _kept(self.suspicion(holdout))]
        if any(not len(one) or np.isnan(one).any() for one in sets):
            return None
        return sets[0], sets[1]

    def score(self, evidence: Evidence) -> Score | None:
        """Over forget and unseen texts; None where there are none to compare with."""
        pair = self.both(evidence)
        if pair is None:
            return None
        if self.statistic == "auc":
            value, low, high = area_with_interval(*pair)
        else:
            value, low, high = rate_with_interval(*pair, RATES[self.statistic])
        samples = tuple(self.suspicion(evidence))
        variant = ", ".join(filter(None, [self.statistic, self.label(), "high = seen"]))
        return Score(value, low, high, len(pair[0]) + len(pair[1]), samples, variant)


def _kept(scores: Sequence[float | None]) -> np.ndarray:
    return np.array([score for score in scores if score is not None], dtype=np.float64)
