"""A lesson as escaped HTML: its text, what came of it, and the glossary."""

from __future__ import annotations

from dashboard.language import _, spoken
from dashboard.lessons.base import Found, Lesson
from dashboard.lessons.glossary import GLOSSARY
from dashboard.pictures import escaped
from unlearning.runs.scheduler import Scheduler


def body(lesson: Lesson, number: int) -> str:
    """Title and idea."""
    ideas = "".join(f"<p>{escaped(_(idea))}</p>" for idea in lesson.idea)
    return f'<div class="lesson-body"><h3>{number}. {escaped(_(lesson.title))}</h3>{ideas}</div>'


def waiting(lesson: Lesson) -> str:
    """Before there is a run."""
    words = _("While it runs: {watch}").format(watch=_(lesson.watch))
    return f'<p class="hint">{escaped(words)}</p>'


def explained(lesson: Lesson, run_id: str, found: Found, guess: int | None) -> str:
    """Prediction beside outcome, then the run's own figures; or where the run stands."""
    view = found.view
    run = escaped(_("Run {run_id}").format(run_id=run_id))
    if lesson.act == "run" and view.live:
        place = _("{run} is at step {step} of {steps}.").format(
            run=run, step=view.step, steps=view.steps or "…"
        )
        return (
            f'<p class="hint" role="status">{place} '
            f"{escaped(_(lesson.watch))} {_('Come back when it has ended.')}</p>"
        )
    if view.failed is not None:
        words = spoken(f"{view.failed.message} {view.failed.hint}")
        return f'<div class="card bad" role="alert"><p>{run}: {escaped(words)}</p></div>'
    outcome = lesson.explain(found)
    lines = "".join(f"<p>{escaped(spoken(line))}</p>" for line in outcome.told)
    about = _("{method} on {model}, step {step}").format(
        method=view.method, model=view.model, step=view.step
    )
    return (
        f'<div class="card outcome" role="status">{_judged(lesson, outcome.choice, guess)}{lines}'
        f'<p class="note">{run}, {escaped(about)}.</p></div>'
    )


def _judged(lesson: Lesson, came: int | None, guess: int | None) -> str:
    known = guess is not None and 0 <= guess < len(lesson.choices)
    expected = _("You expected: {guess}. ").format(guess=_(lesson.choices[guess])) if known else ""
    if came is None:
        return f"<h3>{escaped(expected)}{_('This run does not decide it.')}</h3>"
    outcome = _(lesson.choices[came])
    if known and guess == came:
        words = _("As you expected: {outcome}.").format(outcome=outcome)
        return f"<h3>✓ {escaped(words)}</h3>"
    words = _("It came: {outcome}.").format(outcome=outcome)
    return f"<h3>{'✕ ' if known else ''}{escaped(expected)}{escaped(words)}</h3>"


def glossary() -> str:
    """Plain word, the field's term, what it means."""
    rows = "".join(
        f"<dt>{escaped(_(words))} <span>{escaped(term)}</span></dt><dd>{escaped(_(meaning))}</dd>"
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
