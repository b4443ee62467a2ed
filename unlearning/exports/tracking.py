"""Log a run's curves and figures to Trackio: only where somebody asks for it.

Texts of the run are not logged.
"""

from __future__ import annotations

import math
from importlib import import_module

from unlearning.errors import UserError
from unlearning.runs.store import RunStore

HIDDEN = ("prompts", "label")
"""Settings that may hold text."""


def log_to_trackio(store: RunStore, run_id: str, project: str) -> int:
    """Log every step of a run to a local Trackio project; returns the number of steps.

    Raises:
        UserError: Trackio is not installed or fails, or there is nothing to log.
    """
    view, config = store.view(run_id), store.config(run_id)
    by_step: dict[int, dict[str, float]] = {}
    for name, series in view.series.items():
        if name.startswith("teach/"):
            continue
        for step, value in zip(series.steps, series.values, strict=True):
            if math.isfinite(value):
                by_step.setdefault(step, {})[name] = value
    if not by_step:
        raise UserError(f"Run {run_id} has no curves to log yet.", "Wait for its first steps.")
    for stage, scores in view.scores.items():
        for metric, by_role in scores.items():
            for role, score in by_role.items():
                if math.isfinite(score.value):
                    by_step[max(by_step)][f"{stage}/{metric}/{role}"] = score.value
    try:
        trackio = import_module("trackio")
    except ImportError:
        raise UserError(
            "Trackio is not installed here.", "Install it with: pip install trackio."
        ) from None
    settings = {k: v for k, v in config.model_dump(mode="json").items() if k not in HIDDEN}
    try:
        trackio.init(project=project, name=f"{config.method}-{run_id}", config=settings)
        for step in sorted(by_step):
            trackio.log(by_step[step], step=step)
        trackio.finish()
    except Exception as error:  # whatever another library may raise
        raise UserError(
            f"Trackio could not log the run ({type(error).__name__}).",
            "See whether trackio works by itself, then try again.",
        ) from error
    return len(by_step)
