"""Which runs a lesson is about: what it starts from, what it attacks, what it explains."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dashboard.lesson_words import explained
from dashboard.lessons import LESSONS
from dashboard.lessons.base import Found, Lesson
from dashboard.page import Page
from unlearning.errors import UserError
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import obstacle
from unlearning.runs.view import LIVE


def prepared(page: Page, lesson: Lesson, key: str) -> dict[str, Any]:
    """The lesson's settings; a model that an earlier lesson left is named.

    Raises:
        UserError: that lesson has not been done.
    """
    settings = dict(lesson.settings)
    model = settings.get("model", "")
    if model.startswith("run:"):
        before = next(one for one in LESSONS if one.key == model.removeprefix("run:"))
        run_id = latest(page, before, key, ended=True)
        if run_id is None:
            raise UserError(
                f"This lesson goes on from the run of “{before.title}”.",
                "Do that lesson first, and wait for its end.",
            )
        settings["model"] = f"run:{run_id}"
    return settings


def attacked(page: Page, run_id: str, key: str) -> str:
    """The run that is open, or the newest own one, with weights to attack.

    Raises:
        UserError: there is none.
    """
    mine = [run.run_id for run in page.scheduler.summaries(key) if run.mine]
    for found in [run_id] * (run_id in mine) + mine:
        if page.scheduler.status(found) not in LIVE and _attackable(page.scheduler.store, found):
            return found
    raise UserError(
        "None of your runs has ended with weights that could be attacked.",
        "Do another lesson first, such as the one on UNDIAL.",
    )


def _attackable(store: RunStore, run_id: str) -> bool:
    try:
        return obstacle(store, run_id) is None
    except UserError:  # damaged, or deleted meanwhile
        return False


def explanation(page: Page, lesson: Lesson, run_id: str, key: str, guess: Any) -> str:
    """What came of the lesson's run, as HTML.

    Raises:
        UserError: there is no run to explain.
    """
    found = run_of(page, lesson, run_id, key)
    view = page.scheduler.view(found)
    before = next((one for one in LESSONS if one.key == lesson.beside), None)
    earlier = latest(page, before, key, ended=True) if before else None
    evidence = Found(
        view,
        page.scheduler.view(earlier) if earlier else None,
        tuple(page.scheduler.store.attacks(found)),
    )
    return explained(lesson, found, evidence, guess if isinstance(guess, int) else None)


def run_of(page: Page, lesson: Lesson, run_id: str, key: str) -> str:
    """The run that a lesson explains: the one that is open if it is of this lesson.

    Raises:
        UserError: the lesson has not been done.
    """
    if lesson.act == "attack":
        return attacked(page, run_id, key)
    if label_of(page.scheduler.store, run_id) == lesson.label:
        return run_id
    found = latest(page, lesson, key)
    if found is None:
        raise UserError("This lesson has no run yet.", "Predict, then press the blue button.")
    return found


def latest(page: Page, lesson: Lesson, key: str, *, ended: bool = False) -> str | None:
    """This browser's newest run of a lesson."""
    return next(
        (
            run.run_id
            for run in page.scheduler.summaries(key)
            if run.mine and run.label == lesson.label and not (ended and run.status in LIVE)
        ),
        None,
    )


def label_of(store: RunStore, run_id: str) -> str:
    """Under what name a run stands in the list; empty where there is no such run."""
    try:
        return store.config(run_id).label if run_id else ""
    except UserError:
        return ""


@lru_cache(maxsize=256)
def first_label(store: RunStore, run_id: str) -> str:
    """The same, read once: every tick of every viewer asks."""
    return label_of(store, run_id)
