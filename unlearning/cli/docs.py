"""Tables of methods and metrics for the README, from the declarations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.metrics import METRICS

README = Path(__file__).resolve().parents[2] / "README.md"


def methods_table() -> str:
    """Name, idea, cost, failure, paper."""
    head = "| method | in one sentence | cost | known failure |\n|---|---|---|---|\n"
    rows = [
        f"| [`{name}`]({cls.paper}) | {cls.summary()} | {cls.cost} | {cls.failure} |"
        for name, cls in METHODS.items()
    ]
    return head + "\n".join(rows)


def metrics_table() -> str:
    """Name, what it says, family, unit, directions."""
    head = "| metric | in one sentence | family | unit | good is |\n|---|---|---|---|---|\n"
    rows = []
    for name, cls in METRICS.items():
        good = ", ".join(f"{role}: {way}" for role, way in cls.direction.items())
        rows.append(f"| `{name}` | {cls.summary()} | {cls.family} | {cls.unit} | {good} |")
    return head + "\n".join(rows)


def filled(text: str) -> str:
    """The README's text with both tables brought up to date.

    Raises:
        UserError: a marker is missing.
    """
    tables: Mapping[str, str] = {"methods": methods_table(), "metrics": metrics_table()}
    for name, table in tables.items():
        pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise UserError(f"README.md has no place for the table of {name}.", "")
        text = pattern.sub(lambda found, t=table: f"{found[1]}{t}\n{found[2]}", text)
    return text


def write() -> Path:
    """Bring README.md up to date."""
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    return README
