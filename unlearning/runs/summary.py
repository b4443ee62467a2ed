"""A run in one row of the list."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from unlearning.runs.events import Status
from unlearning.runs.view import View


@dataclass(frozen=True)
class Summary:
    """What the list of runs shows. Holds no key and no text of the run."""

    run_id: str
    label: str
    created: float
    """Seconds since the epoch."""
    status: Status
    method: str
    model: str
    forget: str
    """Source of the text to forget, as it was named."""
    step: int
    steps: int | None
    """None until the run has decided."""
    original: dict[str, float | None]
    """'METRIC/ROLE' to value, for the model before; None = was not measured on it."""
    unlearned: dict[str, float | None]
    """The same keys for the model after."""
    recited: tuple[float, float] | None
    """Share of the words to forget that is known, at the first look and with the kept weights."""
    mine: bool
    """Whether the asking key may change the run."""


def summary_of(head: dict[str, Any], view: View, status: Status, mine: bool) -> Summary:
    """One row from `config.json` and the fold of the log."""
    config = head["config"]
    original, unlearned = _flat(view, "original"), _flat(view, "unlearned")
    keys = [*original, *(key for key in unlearned if key not in original)]
    return Summary(
        run_id=head["run_id"],
        label=config.get("label", ""),
        created=head["created"],
        status=status,
        # Another version of Lethe may have chosen under other names.
        method=config.get("method", ""),
        model=config.get("model", ""),
        forget=config.get("forget", ""),
        step=view.step,
        steps=view.steps or config.get("steps"),
        original={key: original.get(key) for key in keys},
        unlearned={key: unlearned.get(key) for key in keys},
        recited=_recited(view),
        mine=mine,
    )


def _recited(view: View) -> tuple[float, float] | None:
    curve = view.curve("score/memorization_accuracy/forget")
    # Up to the step whose weights are kept: after a rollback not the last one.
    known = [
        value
        for step, value in zip(curve.steps, curve.values, strict=True)
        if math.isfinite(value) and step <= view.step
    ]
    return (known[0], known[-1]) if known else None


def _flat(view: View, stage: str) -> dict[str, float]:
    return {
        f"{metric}/{role}": score.value
        for metric, by_role in view.scores.get(stage, {}).items()
        for role, score in by_role.items()
    }
