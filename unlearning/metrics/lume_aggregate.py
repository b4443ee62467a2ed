"""Score of LUME and SemEval-2025 Task 4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import SEED, interval, resampled_weights
from unlearning.metrics._harmonic import harmonic_mean
from unlearning.metrics._membership import area, resampled_areas
from unlearning.metrics.base import Continuation, Evidence, Metric, Score
from unlearning.metrics.membership_loss import MembershipLoss
from unlearning.metrics.rouge_l import rouge_l

_KIND = re.compile(r"(sc|qa)\d+$")
KINDS = ("sc", "qa")
Parts = dict[tuple[str, str], np.ndarray]
"""(task, kind) to one value for each row."""


def row_score(one: Continuation) -> tuple[str, str, float] | None:
    """Task, kind and score of one row, 0 to 1; None where it is no row of LUME.

    Completions: ROUGE-L recall with stemmer. Questions: 1 where the answer is the true one,
    letter by letter but for case and spaces around it.
    """
    kind = _KIND.search(one.example.id) if one.example else None
    if kind is None or not one.example.group:
        return None
    if kind[1] == "sc":
        value = rouge_l(one.reference, one.text)
    else:
        value = float(one.text.strip().lower() == one.example.answer.strip().lower())
    return None if value is None else (one.example.group, kind[1], value)


def row_scores(continuations: Sequence[Continuation]) -> Parts:
    """Values of all rows, by task and kind."""
    found: dict[tuple[str, str], list[float]] = {}
    for task, kind, value in filter(None, map(row_score, continuations)):
        found.setdefault((task, kind), []).append(value)
    return {part: np.array(values) for part, values in found.items()}


class LumeAggregate(Metric):
    """How well whole tasks are forgotten and others kept, in the one number of the competition.

    task: harmonic mean over {forget, retain} x tasks x {completions, questions} of the mean score
    (twelve numbers where all three tasks are there), forget scores as 1 - value. One that is 0
    makes the whole 0: a model that was never taught the questions gets 0. membership: 1 - 2 |AUC -
    0.5| of the LOSS attack between forget and unseen text. final: mean of both and of `mmlu`.

    Completions score ROUGE-L recall, questions only the very answer, so a model that goes on
    writing after it scores 0. The competition writes 256 tokens; here it is as many as the
    continuations have. Every task among the texts must have all four of its parts.

    The interval resamples rows within each part, and the texts of the attack.

    Source: Ramakrishna et al. 2025 (LUME; SemEval-2025 Task 4), code `evaluate_generations.py`.
    """

    title = "LUME score"
    paper = "https://arxiv.org/abs/2502.15097"
    family = "forgetting"
    direction = {"forget": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "forgotten and kept, in one number"
    needs = frozenset({"retain", "lume"})

    part: Literal["task", "membership", "final"] = hyperparameter("task")
    """task: forgotten and kept; membership: not told from unseen text; final: both and MMLU."""
    mmlu: float | None = hyperparameter(None, 0.0, 1.0)
    """Accuracy on MMLU, measured apart; the final score needs it."""

    def score(self, evidence: Evidence) -> Score | None:
        """Over rows of LUME alone; None where a part of a task, or of the score, is missing."""
        retain = evidence.beside.get("retain")
        forget = row_scores(evidence.continuations)
        kept = row_scores(retain.continuations) if retain is not None else {}
        tasks = sorted({task for task, _ in forget})
        wanted = [(task, kind) for task in tasks for kind in KINDS]
        if not tasks or any(part not in one for part in wanted for one in (forget, kept)):
            return None
        rows = [1 - forget[part] for part in wanted] + [kept[part] for part in wanted]
        pair = MembershipLoss().both(evidence) if self.part != "task" else None
        if self.part != "task" and pair is None or self.part == "final" and self.mmlu is None:
            return None
        means = np.array([part.mean() for part in rows])
        value = float(self._whole(harmonic_mean(means), pair and area(*pair)))
        low = high = None
        enough = [*rows, *(pair or ())] if self.part != "membership" else list(pair)
        if min(map(len, enough)) > 1:
            drawn = np.stack(
                [resampled_weights(len(p), SEED + i) @ p / len(p) for i, p in enumerate(rows)],
                axis=-1,
            )
            areas_R = resampled_areas(*pair) if pair else None
            low, high = interval(self._whole(harmonic_mean(drawn), areas_R), value)
        count = sum(map(len, enough))
        variant = f"{self.part}, {', '.join(tasks)}"
        return Score(value, low, high, count, tuple(means.tolist()), variant)

    def _whole(
        self, task: float | np.ndarray, auc: float | np.ndarray | None
    ) -> float | np.ndarray:
        if self.part == "task":
            return task
        membership = 1 - 2 * abs(auc - 0.5)
        if self.part == "membership":
            return membership
        return (task + membership + self.mmlu) / 3
