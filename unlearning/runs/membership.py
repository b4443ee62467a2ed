"""The score that a membership attack gives each text, for whoever sets a threshold by hand."""

from __future__ import annotations

from collections.abc import Mapping

from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics.base import Evidence, Metric
from unlearning.runs.events import TextScores


def text_scores(
    found: Mapping[str, Evidence], metrics: Mapping[str, Metric]
) -> dict[str, TextScores]:
    """Attack to the scores of the forget and the holdout texts, high = never seen.

    Read from the same evidence as the panel's area under the curve. Attacks that need backward
    passes are left out: their scores would be computed twice.
    """
    forget = found.get("forget")
    kept: dict[str, TextScores] = {}
    for name, metric in metrics.items():
        if forget is None or not isinstance(metric, MembershipAttack) or metric.cost != "pass":
            continue
        pair = metric.both(forget)
        if pair is not None:
            kept[name] = TextScores(forget=tuple(pair[0]), holdout=tuple(pair[1]))
    return kept
