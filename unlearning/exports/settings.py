"""Settings and figures of a run as one JSON object."""

from __future__ import annotations

import json
from typing import Any

from unlearning.runs.store import RunStore
from unlearning.runs.view import View


def settings_json(store: RunStore, run_id: str, command: str) -> str:
    """Settings and figures; of the run's texts only the pinned prompts are in it.

    `command` is the command line that repeats the run.
    """
    view = store.view(run_id)
    content = {
        "run": store.head(run_id),
        "started": view.started.model_dump(mode="json") if view.started else None,
        "results": store.results(run_id),
        "scores": scores_of(view),
        "series": {
            name: {"steps": series.steps, "values": [plain(v) for v in series.values]}
            for name, series in view.series.items()
        },
        "command": command,
    }
    return json.dumps(content, indent=1, allow_nan=False)


def scores_of(view: View) -> dict[str, Any]:
    """Stage to metric to role to score, as JSON."""
    return {
        stage: {
            metric: {role: score.model_dump(mode="json") for role, score in by_role.items()}
            for metric, by_role in scores.items()
        }
        for stage, scores in view.scores.items()
    }


def plain(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if value - value == 0 else str(value)
