"""Multiple choice as lm-evaluation-harness scores it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from unlearning.data.base import Example
from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Positions, Score

Variant = Literal["acc", "acc_norm"]


def chosen(
    truth: Positions, wrong: Sequence[Positions], example: Example, variant: Variant = "acc"
) -> float | None:
    """1 where the true answer is the most likely one, 1/m where m answers share that place."""
    if not wrong:
        return None
    # The end-of-text token is no part of a choice.
    likelihoods = np.array([one.logp[~one.end].sum() for one in (truth, *wrong)])
    if np.isnan(likelihoods).any():
        return float("nan")
    if variant == "acc_norm":
        others = (text for text in example.perturbed_answers if text.strip())
        likelihoods = likelihoods / np.array([len(text) for text in (example.answer, *others)])
    best = likelihoods == likelihoods.max()
    return float(best[0] / best.sum())


class MultipleChoice(Metric):
    """How often the model finds the true answer likelier than every wrong one.

    acc: the answer with the largest sum of log-probabilities; acc_norm: the largest sum over its
    number of characters. The end-of-text token does not count. Where answers tie, as in a
    collapsed model, each gets its share instead of the first one all. With m wrong answers
    1/(m+1) is chance.

    Answers are scored in full after the question; letters after a list of options (MMLU, WMDP)
    are the same with the letters as answers.

    Source: Gao et al., lm-evaluation-harness, `ConfigurableTask.process_results`.
    """

    title = "Multiple choice"
    paper = "https://github.com/EleutherAI/lm-evaluation-harness"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "pass"
    plain = "picks the true answer"
    needs = frozenset({"rewritten"})

    variant: Variant = hyperparameter("acc")
    """acc: by the likelihood of the whole answer; acc_norm: by that per character."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over examples with wrong answers; None where there is none."""
        if not evidence.perturbed:
            return None
        each = zip(evidence.positions, evidence.perturbed, evidence.examples, strict=True)
        samples = [chosen(*one, self.variant) for one in each]
        return mean_score(samples, self.variant)
