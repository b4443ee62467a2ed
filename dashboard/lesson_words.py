"""A lesson as escaped HTML: its text, what came of it, and the glossary."""

from __future__ import annotations

from dashboard.lessons.base import Found, Lesson
from dashboard.lessons.glossary import GLOSSARY
from dashboard.pictures import escaped
from unlearning.runs.scheduler import Scheduler


def body(lesson: Lesson, number: int) -> str:
    """Title and idea."""
    ideas = "".join(f"<p>{escaped(idea)}</p>" for idea in lesson.idea)
    return f'<div class="lesson-body"><h3>{number}. {escaped(lesson.title)}</h3>{ideas}</div>'


def waiting(lesson: Lesson) -> str:
    """Before there is a run."""
    return f'<p class="hint">While it runs: {escaped(lesson.watch)}</p>'


def explained(lesson: Lesson, run_id: str, found: Found, guess: int | None) -> str:
    """Prediction beside outcome, then the run's own figures; or where the run stands."""
    view = found.view
    run = f"Run {escaped(run_id)}"
    if lesson.act == "run" and view.live:
        return (
            f'<p class="hint" role="status">{run} is at step {view.step} of {view.steps or "…"}. '
            f"{escaped(lesson.watch)} Come back when it has ended.</p>"
        )
    if view.failed is not None:
        words = f"{view.failed.message} {view.failed.hint}"
        return f'<div class="card bad" role="alert"><p>{run}: {escaped(words)}</p></div>'
    outcome = lesson.explain(found)
    lines = "".join(f"<p>{escaped(line)}</p>" for line in outcome.told)
    return (
        f'<div class="card outcome" role="status">{_judged(lesson, outcome.choice, guess)}{lines}'
        f'<p class="note">{run}, {escaped(view.method)} on {escaped(view.model)}, '
        f"step {view.step}.</p></div>"
    )


def _judged(lesson: Lesson, came: int | None, guess: int | None) -> str:
    known = guess is not None and 0 <= guess < len(lesson.choices)
    expected = f"You expected: {lesson.choices[guess]}. " if known else ""
    if came is None:
        return f"<h3>{escaped(expected)}This run does not decide it.</h3>"
    mark = ("✓ " if guess == came else "✕ ") if known else ""
    return f"<h3>{mark}{escaped(expected)}It came: {escaped(lesson.choices[came])}.</h3>"


def glossary() -> str:
    """Plain word, the field's term, what it means."""
    rows = "".join(
        f"<dt>{escaped(words)} <span>{escaped(term)}</span></dt><dd>{escaped(meaning)}</dd>"
        for words, term, meaning in GLOSSARY
    )
    return f'<dl class="glossary">{rows}</dl>'


def opened_by(scheduler: Scheduler, lesson: Lesson, run_id: str) -> tuple[str, str]:
    """The run whose original stands on side A, and a prompt to begin with.

    Of requests in a row that is the first one: its original knows what it was asked to forget.
    """
    first = run_id
    model = scheduler.store.config(run_id).model
    if lesson.beside and model.startswith("run:"):
        first = model.removeprefix("run:").partition("@")[0]
    answers = next(iter(scheduler.view(first).answers.values()), ())
    return first, next((a.prompt for a in answers if a.role == "forget"), "")
