"""How far the weights moved."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics.base import Change, Evidence, Metric, Score

_BLOCK = re.compile(r"^(.*?\.\d+)\.")
"""A transformer block by the first number in a weight's name."""


def relative(changes: Iterable[Change]) -> float | None:
    """Norm of all changes over the norm of all original weights; None where those are 0."""
    listed = list(changes)
    size = math.hypot(*(change.size for change in listed))
    return math.hypot(*(change.moved for change in listed)) / size if size else None


def by_block(changes: Mapping[str, Change]) -> dict[str, float]:
    """Relative change of each transformer block and of each tensor outside them, in order."""
    groups: dict[str, list[Change]] = {}
    for name, change in changes.items():
        block = _BLOCK.match(name)
        groups.setdefault(block[1] if block else name, []).append(change)
    found = {name: relative(group) for name, group in groups.items()}
    return {name: value for name, value in found.items() if value is not None}


class WeightChange(Metric):
    """How far the weights are from the original's, as a share of their own size.

    ||W' - W||_F / ||W||_F over all weight tensors together, tied ones once, with what adapters add
    counted as part of the weight. A small change with a large effect on the metrics is a shallow
    edit, which relearning and quantisation tend to undo. It says nothing of forgetting itself.

    `largest` is the largest relative change of a transformer block instead. Samples are the
    changes of the blocks, and of each tensor outside them, in the order of the model.

    Source: the norm itself.
    """

    title = "Weight change"
    family = "diagnostic"
    direction = {"forget": "neither"}
    unit = "share of the weights' norm, 0 to infinity"
    cost = "pass"
    plain = "how far the weights moved"
    needs = frozenset({"weights"})
    exact = "All weights are compared, not a sample of them."

    variant: Literal["all", "largest"] = hyperparameter("all")
    """all: all weights together; largest: the block that moved most."""

    def score(self, evidence: Evidence) -> Score | None:
        """Over the whole model; None where the original's weights are not there."""
        changes = evidence.weight_changes() if evidence.weight_changes is not None else {}
        blocks = by_block(changes)
        whole = relative(changes.values()) if blocks else None
        if whole is None or math.isnan(whole):
            return None
        value, variant = whole, f"{len(changes)} tensors"
        if self.variant == "largest":
            most = max(blocks, key=lambda name: blocks[name])
            value, variant = blocks[most], f"largest of {len(blocks)}: {most}"
        return Score(value, None, None, len(changes), tuple(blocks.values()), variant)
