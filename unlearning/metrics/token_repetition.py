"""Next tokens that were just read (rep/l)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Positions, Score

Variant = Literal["rep", "wrep"]


def repeated_share(
    ids: Sequence[int], positions: Positions, window: int, variant: Variant = "rep"
) -> float | None:
    """Share of scored places whose most likely token is among the `window` tokens before it.

    `wrep` asks that it is wrong, too. `positions` are those of the last tokens of `ids`.
    """
    first = len(ids) - len(positions.target)
    hits = []
    for k, token in enumerate(positions.argmax):
        if positions.scored[k]:
            before = ids[max(0, first + k - window) : first + k]
            wrong = variant == "rep" or token != positions.target[k]
            hits.append(wrong and int(token) in before)
    return sum(hits) / len(hits) if hits else None


class TokenRepetition(Metric):
    """How often the word the model would say next is one that the text has just had.

    rep/l: share of scored places at which the most likely token occurs among the l true tokens
    before it; wrep/l: of these only the wrong ones. Then the mean over texts. True text repeats
    words as well, so compare with the original model.

    Source: Welleck et al. 2020 ("rep/l", "wrep/l").
    """

    title = "Token repetition"
    paper = "https://arxiv.org/abs/1908.04319"
    family = "fluency"
    direction = {
        "forget": "lower",
        "retain": "lower",
        "generic": "lower",
    }
    unit = "0 to 1"
    cost = "pass"
    plain = "text health: echoes what it read"

    window: int = hyperparameter(32, 1, 512)
    """Tokens before the place that count as just read (l); the paper reports 16 to 512."""
    variant: Variant = hyperparameter("wrep")
    """rep: every echoed token; wrep: only where another token is the true one."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where no token is scored."""
        if len(evidence.ids) != len(evidence.positions):
            return None
        pairs = zip(evidence.ids, evidence.positions, strict=True)
        samples = [repeated_share(*pair, self.window, self.variant) for pair in pairs]
        return mean_score(samples, f"{self.variant}/{self.window}")
