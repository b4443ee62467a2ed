"""`evaluate`: the panel on a model as it is. torch is loaded once the texts have been read."""

from __future__ import annotations

import argparse
import sys

from unlearning.cli import words
from unlearning.cli.acts import answer
from unlearning.config import RunConfig
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS
from unlearning.errors import UserError
from unlearning.metrics import STANDARD
from unlearning.metrics._chosen import chosen_metrics
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore

BENCHMARK = "benchmark"
"""In place of names: those that the benchmark's authors measure with."""


def evaluate(chosen: argparse.Namespace) -> int:
    """Scores by stage, metric and role, and why the other metrics have none."""
    metrics = chosen_metrics(_names(chosen.metrics, chosen.forget))
    config = RunConfig.parse(
        {role: getattr(chosen, role) for role in ("model", "forget", "retain", "generic")}
        | {"holdout": chosen.holdout, "retrained": chosen.retrained, "device": chosen.device}
        | {"max_length": chosen.max_length}
    )
    texts, notices = gather_texts(config, stdin=sys.stdin)
    for notice in notices:
        words.tell(notice)

    # Late: torch is needed from here on only.
    from unlearning.runs.evaluation import evaluate_model  # noqa: PLC0415

    found = evaluate_model(RunStore(chosen.runs), config, texts, metrics, chosen.texts)
    lines = [f"not measured: {name}. {why}" for name, why in found["missing"].items()]
    answer(chosen, found, "\n".join([words.scores_table(found["metrics"]), *lines]))
    return 0


def _names(said: str, forget: str) -> list[str]:
    if said.strip() != BENCHMARK:
        return [name for name in said.split(",") if name.strip()] or list(STANDARD)
    name, _, _ = parts(forget)
    if not forget.startswith("preset:") or name not in PRESETS:
        raise UserError(
            "Only a preset's authors measure with metrics of their own.",
            "Name a preset as the text to forget, or the metrics.",
        )
    return list(PRESETS[name].metrics)
