"""Which runs a visitor lists and reads, and how they are called where one is chosen."""

from __future__ import annotations

import pandas as pd

from dashboard import tables
from dashboard.page import Page
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.summary import Summary

LONG = 24
"""Characters of a name that are shown where runs are chosen."""


def listed(page: Page, key: str) -> list[Summary]:
    """Runs, newest first; where strangers meet, everybody sees their own."""
    return [run for run in page.scheduler.summaries(key) if run.mine or not page.settings.public]


def rows(page: Page, key: str) -> pd.DataFrame:
    """The list of runs as a table."""
    found = [tables.run_row(run) for run in listed(page, key)]
    return pd.DataFrame(found, columns=tables.run_columns())


def choices(page: Page, key: str) -> list[tuple[str, str]]:
    """The runs to choose from, in words."""
    return [(in_words(run), run.run_id) for run in listed(page, key)]


def in_words(run: Summary) -> str:
    """A run in a line."""
    method = METHODS[run.method].title if run.method in METHODS else run.method
    label = run.label if len(run.label) <= LONG else f"{run.label[: LONG - 1]}…"
    return " · ".join(part for part in (run.run_id, method, label) if part)


def check_readable(page: Page, run_id: str, key: str) -> None:
    """Whether the visitor may take the run away with them.

    Raises:
        UserError: none is chosen, there is none of that id, or it is a stranger's.
    """
    if not run_id:
        raise UserError("No run is chosen.", "Choose one in the list of runs.")
    page.scheduler.store.folder(run_id)
    if page.settings.public and not page.scheduler.owned(run_id, key):
        raise UserError(
            "This run belongs to somebody else; you can watch it.", "Choose one of your own."
        )


def command(page: Page, run_id: str) -> str:
    """The command line that repeats the run; strangers are not told where runs are kept."""
    return page.scheduler.store.command(run_id, "RUNS" if page.settings.public else "")


def steps_in(text: object) -> int | None:
    """The number of steps that was typed; None for an empty field.

    Raises:
        UserError: it is no whole number of at least 1.
    """
    words = str(text or "").strip()
    if not words:
        return None
    if not (words.isascii() and words.isdigit()) or not 0 < len(words) < 9 or int(words) < 1:
        raise UserError(
            f"{words[:20]!r} is no number of steps.", "Write a whole number, or leave it empty."
        )
    return int(words)
