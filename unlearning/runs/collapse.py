"""When has a model lost its language?

General perplexity alone does not tell: after twenty steps of gradient ascent it may stand at
1.02 times the original while continuations already run into one token. So the meter takes the
worst of several signs, each measured against the original model on the same prompts: repeated
text, lost retain accuracy, general perplexity, and numbers that are no longer finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from unlearning.runs.events import Health

TOLERATED_LOOPS = 0.20
"""Share of kept prompts with a repeating answer at which the meter is full (metrics.md 6.6)."""
TOLERATED_FORGET_LOOPS = 0.60
"""The same for the forget prompts, where some disorder is the aim."""
TOLERATED_PERPLEXITY = 2.0
"""General perplexity, as a multiple of the original's, at which the meter is full."""
TOLERATED_RETAIN_LOSS = 0.45
"""Loss of retain memorization accuracy, as a share of the original's, that fills the meter."""
BEYOND_DOUBT = 4.0
"""A sign this many times over its limit needs no second look."""
SHAKY = 0.5
"""The meter from which the model counts as damaged."""
PATIENCE = 2
"""Full looks in a row before a collapse is declared."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one probe saw. Shares are 0 to 1; None = not measured."""

    kept_loops: float | None
    """Share of retain and generic prompts whose answer repeats itself (and did not before)."""
    forget_loops: float | None
    perplexity: float | None
    """General (or retain) perplexity."""
    retain_accuracy: float | None
    """Memorization accuracy on the retain text."""


@dataclass
class Detector:
    """Compares looks with the first one; its whole state is `full_looks`."""

    original: Look
    full_looks: int = 0
    history: list[float] = field(default_factory=list)

    def judge(self, look: Look, finite: bool = True) -> tuple[Health, bool]:
        """The meter with its signs, and whether this is a collapse."""
        loads = self._loads(look) if finite else [(math.inf, "the loss is no longer finite")]
        worst = max((load for load, _ in loads), default=0.0)
        signs = tuple(words for load, words in loads if load >= SHAKY)
        self.history.append(worst)
        self.full_looks = self.full_looks + 1 if worst >= 1.0 else 0
        collapsed = self.full_looks >= PATIENCE or worst >= BEYOND_DOUBT
        return Health(meter=min(worst, 1.0), signs=signs), collapsed

    def _loads(self, look: Look) -> list[tuple[float, str]]:
        loads: list[tuple[float, str]] = []
        if look.kept_loops is not None:
            words = f"{look.kept_loops:.0%} of the answers to kept prompts repeat themselves"
            loads.append((look.kept_loops / TOLERATED_LOOPS, words))
        if look.forget_loops is not None:
            words = f"{look.forget_loops:.0%} of the answers to forget prompts repeat themselves"
            loads.append((look.forget_loops / TOLERATED_FORGET_LOOPS, words))
        if look.perplexity is not None and self.original.perplexity:
            ratio = look.perplexity / self.original.perplexity
            load = math.log(max(ratio, 1.0)) / math.log(TOLERATED_PERPLEXITY)
            if not math.isfinite(ratio):
                load = math.inf
            loads.append((load, f"general perplexity is {ratio:.3g} times the original's"))
        if look.retain_accuracy is not None and self.original.retain_accuracy:
            lost = 1 - look.retain_accuracy / self.original.retain_accuracy
            words = f"{lost:.0%} of the accuracy on kept text is gone"
            loads.append((max(lost, 0.0) / TOLERATED_RETAIN_LOSS, words))
        return loads


def loops(ids: Sequence[int], period: int = 16) -> bool:
    """Whether a continuation repeats itself, or is empty.

    Any of: a run of ten equal tokens; more than half covered by one loop of period at most
    `period`; more than half of its 4-grams repeated; normalised token entropy under one half.
    Under eight tokens only the run of equal tokens counts.
    """
    if not ids:
        return True
    if _stretch(ids, 1) >= 10:
        return True
    if len(ids) < 8:
        return False
    covered = max(_stretch(ids, p) for p in range(1, min(period, len(ids) // 2) + 1))
    grams = [tuple(ids[i : i + 4]) for i in range(len(ids) - 3)]
    repeated = 1 - len(set(grams)) / len(grams)
    return covered > len(ids) / 2 or repeated > 0.5 or _entropy(ids) < 0.5


def _stretch(ids: Sequence[int], period: int) -> int:
    """Tokens of the longest stretch that repeats with the period (at least twice round)."""
    best = run = 0
    for i in range(period, len(ids)):
        run = run + 1 if ids[i] == ids[i - period] else 0
        best = max(best, run)
    return best + period if best >= period else (1 if period == 1 else 0)


def _entropy(ids: Sequence[int]) -> float:
    """Token entropy over its maximum, 0 to 1."""
    counts = [ids.count(token) / len(ids) for token in set(ids)]
    return -sum(p * math.log(p) for p in counts) / math.log(len(ids))
