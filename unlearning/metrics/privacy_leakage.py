"""Privacy leakage (PrivLeak)."""

from __future__ import annotations

from unlearning.declare import hyperparameter
from unlearning.metrics._membership import area, area_with_interval
from unlearning.metrics.base import Evidence, Metric, Score
from unlearning.metrics.membership_min_k import MembershipMinK


def leakage(auc: float, retrained_auc: float) -> float | None:
    """PrivLeak in percent from two areas in which 1 means seen; None where it is undefined."""
    own, level = 1 - auc, 1 - retrained_auc
    return (own - level) / level * 100 if level > 0 else None


class PrivacyLeakage(Metric):
    """How far the model's treatment of the forget text is from that of a model retrained without.

    PrivLeak = (AUC - AUC_retrained) / AUC_retrained * 100, with MUSE's AUC: that of Min-K% (k =
    0.4) between forget and unseen text, 0 where the forget text is plainly memorised. So: -100 =
    seen and not unlearned, 0 = as retrained, above 0 = pushed past it; MUSE accepts -5 to 5.

    AUC_retrained is measured where there is a retrained model, else taken from the setting. It
    counts as exact in the interval. A collapsed model can come near 0 by accident.

    Source: Shi et al. 2024 (MUSE), section 3 ("C3"), code `eval.py`; as in OpenUnlearning.
    """

    title = "PrivLeak"
    paper = "https://arxiv.org/abs/2407.06460"
    family = "privacy"
    direction = {"forget": "like retrained"}
    unit = "percent, -100 = seen, 0 = as retrained"
    cost = "pass"
    plain = "privacy leak"
    needs = frozenset({"holdout"})
    unseen = 0.0

    retrained_auc: float = hyperparameter(0.5, 0.0, 0.99)
    """AUC of a model that never saw the text, 1 = seen, used where no such model is measured."""

    @classmethod
    def remembered(cls, value: float) -> float:
        """1 = seen, 0.5 = as retrained, as the AUC behind it where the retrained one is 0.5."""
        return 0.5 - value / 200

    def score(self, evidence: Evidence) -> Score | None:
        """Over forget and unseen texts; None where there are none to compare with."""
        attack = MembershipMinK()
        pair = attack.both(evidence)
        if pair is None:
            return None
        theirs = attack.both(evidence.retrained) if evidence.retrained is not None else None
        level = area(*theirs) if theirs is not None else self.retrained_auc
        auc, low, high = area_with_interval(*pair)
        value = leakage(auc, level)
        if value is None:
            return None
        source = "measured" if theirs is not None else "assumed"
        return Score(
            value=value,
            low=None if high is None else leakage(high, level),
            high=None if low is None else leakage(low, level),
            n=len(pair[0]) + len(pair[1]),
            samples=tuple(attack.suspicion(evidence)),
            variant=f"Min-40%, AUC of retrained {level:.4g} ({source})",
        )
