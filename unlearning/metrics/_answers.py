"""The true answer, its paraphrase and wrong answers to the same question, by their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unlearning.metrics.base import Evidence, Positions


def mean_loss(positions: Positions) -> float | None:
    """Mean negative log-likelihood of all labelled tokens, nats, end-of-text included."""
    return -float(positions.logp.mean()) if len(positions.logp) else None


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of the answers to one question, nats per token."""

    answer: float
    """The answer as it was learned."""
    truth: float
    """The paraphrase, where there is one; else the answer."""
    wrong: np.ndarray
    """One for each wrong answer, at least one."""


def answer_losses(evidence: Evidence) -> list[Losses | None]:
    """For each sequence; None where there is no wrong answer to compare with."""
    if not evidence.perturbed:
        return []
    each = zip(evidence.positions, evidence.paraphrased, evidence.perturbed, strict=True)
    return [_losses(*one) for one in each]


def _losses(
    own: Positions, paraphrased: Positions | None, perturbed: Sequence[Positions]
) -> Losses | None:
    answer = mean_loss(own)
    truth = answer if paraphrased is None else mean_loss(paraphrased)
    wrong = [mean_loss(one) for one in perturbed]
    if answer is None or truth is None or not wrong or None in wrong:
        return None
    return Losses(answer, truth, np.array(wrong))
