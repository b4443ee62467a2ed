"""Metrics: this folder is the registry, one file a metric or family."""

from __future__ import annotations

from unlearning.declare import discover
from unlearning.errors import UserError
from unlearning.metrics.base import Metric

METRICS: dict[str, type[Metric]] = discover("unlearning.metrics", Metric)
"""File name (= command line name) to class."""
STANDARD = tuple(name for name, cls in METRICS.items() if "classifier" not in cls.needs)
"""Names of those that are measured unless others are asked for: nothing is fetched for them."""


def metric(name: str) -> type[Metric]:
    """Look a metric up by name.

    Raises:
        UserError: no such metric; lists the ones there are.
    """
    if name not in METRICS:
        raise UserError(
            f"There is no metric named {name!r}.", f"Choose from: {', '.join(METRICS)}."
        )
    return METRICS[name]
