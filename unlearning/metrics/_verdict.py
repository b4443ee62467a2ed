"""What a change of a metric means, in one mark and a few plain words.

Marks: good, fair, bad, and over for text that is forgotten beyond never having been seen.
"""

from __future__ import annotations

from typing import Literal

from unlearning.metrics.base import Metric

Mark = Literal["good", "fair", "bad", "over"]
Verdict = tuple[Mark, str]

NEAR = 0.05
"""Distance to the level of unseen text that counts as being there."""
LEFT = 0.10
"""Share of the original that may be left above that level."""
HALF = 0.50
"""Share of the way from the original to that level that counts as partly forgotten."""
OVER = 0.10
"""Distance below that level that is clearly below; levels lower than this cannot be undercut."""
KEPT, MOSTLY_KEPT = 0.05, 0.10
"""Relative losses of text to keep that are good and fair."""
HEALTHY, SHAKY = 0.10, 0.25
"""Losses of text health that are good and fair, in units of the metric's scale."""
TOKEN_SCALE = 8.0
"""Scale of metrics that count tokens: a run of ten is a collapse."""


def verdict(
    metric: Metric | type[Metric],
    role: str,
    original: float,
    unlearned: float,
    holdout: float | None = None,
) -> Verdict | None:
    """Judge one metric on one role of text; None for diagnostics, of which neither way is good.

    `holdout` is the level of text that was never seen (or of a model that never saw the forget
    text); it matters only for metrics whose direction is "like retrained".

    Raises:
        KeyError: the metric has no direction for this role.
    """
    direction = metric.direction[role]
    if direction == "neither":
        return None
    if direction == "like retrained":
        known, now = metric.remembered(original), metric.remembered(unlearned)
        level = metric.unseen if holdout is None else holdout
        if level is None:
            return _unaided(known, now)
        return _forgotten(known, now, metric.remembered(level))
    loss = original - unlearned if direction == "higher" else unlearned - original
    if metric.family == "fluency":
        return _healthy(loss / _scale(metric, original))
    return _kept(loss / abs(original) if original else loss)


def _forgotten(known: float, now: float, level: float) -> Verdict:
    if level > OVER and level - now > OVER:
        return "over", "worse than text it never saw: over-forgotten"
    if now - level <= max(NEAR, LEFT * known):
        if known - level <= NEAR:
            return "good", "it never knew this better than unseen text"
        return "good", "forgotten: as if it had never seen it"
    if known - now >= HALF * (known - level):
        return "fair", "partly forgotten"
    return "bad", "still remembered"


def _unaided(known: float, now: float) -> Verdict:
    """Without a level of unseen text only the drop can be judged."""
    if now <= max(NEAR, LEFT * known):
        return "good", "hardly anything is left"
    if now <= HALF * known:
        return "fair", "partly forgotten"
    return "bad", "most of it is left"


def _kept(loss: float) -> Verdict:
    if loss <= KEPT:
        return "good", "kept"
    if loss <= MOSTLY_KEPT:
        return "fair", "mostly kept"
    return "bad", "damaged"


def _healthy(loss: float) -> Verdict:
    if loss <= HEALTHY:
        return "good", "writes as before"
    if loss <= SHAKY:
        return "fair", "writes a little worse"
    return "bad", "writes much worse"


def _scale(metric: Metric | type[Metric], original: float) -> float:
    return max(abs(original), TOKEN_SCALE if metric.unit == "tokens" else 1.0)
