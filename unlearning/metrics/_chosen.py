"""Metrics named on a command line, with their settings."""

from __future__ import annotations

from collections.abc import Iterable

from unlearning.errors import UserError
from unlearning.metrics import METRICS, metric
from unlearning.metrics.base import Metric


def chosen_metrics(words: Iterable[str]) -> dict[str, Metric]:
    """What each word names: NAME, or NAME:SETTING=VALUE:... for another variant of it.

    The key is the word itself, so that several variants of one metric stand side by side.

    Raises:
        UserError: no such metric or setting, or a value that it does not take.
    """
    found = {}
    for word in words:
        name, *settings = word.strip().split(":")
        pairs = [setting.partition("=") for setting in settings]
        if wrong := [key for key, equals, _ in pairs if not equals]:
            raise UserError(
                f"{wrong[0]!r} in {word!r} is no setting: it has no value.",
                "Write it as NAME:SETTING=VALUE, for example extraction_likelihood:n=5.",
            )
        found[word.strip()] = metric(name).parse({key: value for key, _, value in pairs})
    return found


def title(word: str) -> str:
    """The title of the metric, with the settings that were chosen."""
    name, *settings = word.split(":")
    return f"{METRICS[name].title}{' ' if settings else ''}{', '.join(settings)}"
