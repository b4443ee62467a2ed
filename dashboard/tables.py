"""Tables of a run as escaped HTML: pinned answers and scores; and a row of the list of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher

from dashboard.language import N_, _, plural, spoken
from dashboard.notes import nothing
from dashboard.pictures import STATES, escaped
from dashboard.repeats import marked
from unlearning.methods import METHODS
from unlearning.metrics import METRICS
from unlearning.metrics._verdict import verdict
from unlearning.metrics.base import Metric
from unlearning.runs.events import Answer, ScoreValue
from unlearning.runs.summary import Summary
from unlearning.runs.view import View

ROLES = {
    "forget": N_("text to forget"),
    "retain": N_("text to keep"),
    "generic": N_("general text"),
    "holdout": N_("unseen text"),
}
GROUPS = (
    N_("Forgetting"),
    N_("What must stay"),
    N_("Privacy"),
    N_("Text health"),
    N_("Inside the model"),
)
CHIEF = frozenset((
    "exact_memorization", "memorization_accuracy", "extraction_strength", "extraction_likelihood",
    "forget_quality", "model_utility", "perplexity", "privacy_leakage", "sequence_repetition",
))  # fmt: skip
"""Metrics that are read first; the others are folded."""
MARKS = {"good": "✓", "fair": "~", "bad": "✕", "over": "✕"}
SOURCES = {
    "retrained": N_("a model trained without the text"),
    "untaught": N_("the model before it learned the text"),
    "holdout": N_("the original on text it never saw"),
}
COMPARED = 400
"""Words of an answer that are compared; the rest stays unmarked."""


def answers(found: Sequence[Answer], step: int | None) -> str:
    """Pinned prompts with both answers; words that differ and texts that loop are marked."""
    if not found:
        return f'<p class="empty">{_("The pinned prompts are answered at the first look.")}</p>'
    now = _("Unlearned") if step is None else _("Unlearned, step {step}").format(step=step)
    by_role: dict[str, list[str]] = {}
    for answer in found:
        by_role.setdefault(answer.role, []).append(_answer(answer, now))
    body = "".join(
        f'<tbody><tr class="group"><th colspan="3" scope="rowgroup"><span class="role '
        f'{escaped(role)}">{escaped(_role(role))}</span></th></tr>'
        f"{''.join(rows)}</tbody>"
        for role, rows in by_role.items()
    )
    return (
        f'<table class="answers"><thead><tr><th scope="col">{_("Prompt")}</th>'
        f'<th scope="col" class="original">{_("Original")}</th>'
        f'<th scope="col" class="unlearned">{now}</th></tr></thead>{body}</table>'
    )


def _answer(answer: Answer, now: str) -> str:
    if answer.looped:
        unlearned = (
            f'<span class="looped">{_("repeats itself")}</span>'
            f'<span class="loop">{marked(answer.unlearned.strip())}</span>'
        )
    else:
        unlearned = differing(answer.original, answer.unlearned)
    return (
        f'<tr><th scope="row">{escaped(answer.prompt)}</th>'
        f'<td class="original" data-label="{_("Original")}">{escaped(answer.original.strip())}</td>'
        f'<td class="unlearned" data-label="{now}">{unlearned or nothing()}</td></tr>'
    )


def _role(role: str) -> str:
    words = _(ROLES.get(role, role))
    return words[:1].upper() + words[1:]


def differing(before: str, after: str) -> str:
    """`after`, escaped, with the stretches of words that `before` does not have marked."""
    old, new = before.split(), after.split()
    head, tail = new[:COMPARED], new[COMPARED:]
    parts = []
    for what, *_there, start, end in SequenceMatcher(
        None, old[:COMPARED], head, autojunk=False
    ).get_opcodes():
        words = escaped(" ".join(head[start:end]))
        if words:
            parts.append(words if what == "equal" else f"<mark>{words}</mark>")
    return " ".join([*parts, escaped(" ".join(tail))]).strip()


def score_table(view: View) -> str:
    """Every measured metric: original, unlearned, change, never-saw-it level, verdict.

    The chief ones stand open, the long tail is folded.
    """
    original = view.scores.get("original", {})
    if not original:
        return f'<p class="empty">{_("Nothing is measured yet.")}</p>'
    chief, tail = ({group: [] for group in GROUPS} for _ in range(2))
    for name, metric in METRICS.items():
        for role in metric.direction:
            score = original.get(name, {}).get(role)
            if score is not None:
                rows = chief if name in CHIEF else tail
                rows[_group(metric, role)].append(_score_row(view, metric, role, score))
    source = f" ({_(SOURCES[view.levels.source])})" if view.levels else ""
    caption = _(
        "Small figures: 95 % interval and number n of samples. "
        "Never-saw-it level: where forgetting ends{source}."
    ).format(source=source)
    count = sum(map(len, tail.values()))
    if not count:
        return _scores(chief, caption) + _missing(view)
    more = plural(count, "{count} more measure", "{count} more measures").format(count=count)
    folded = (
        f'<details class="more-scores"><summary>{more}</summary>{_scores(tail, caption)}</details>'
    )
    return (_scores(chief, caption) if any(chief.values()) else "") + folded + _missing(view)


def _missing(view: View) -> str:
    """What could not be measured and why, folded."""
    rows = [
        f"<li><b>{escaped(METRICS[name].title)}</b>: {escaped(spoken(why))}</li>"
        for name, why in view.missing.items()
        if name in METRICS
    ]
    if not rows:
        return ""
    count = len(rows)
    words = plural(count, "1 measure without its input", "{count} measures without their input")
    return (
        f'<details class="more-scores"><summary>{words.format(count=count)}</summary>'
        f"<ul>{''.join(rows)}</ul></details>"
    )


def _scores(groups: dict[str, list[str]], caption: str) -> str:
    body = "".join(
        f'<tbody><tr class="group"><th colspan="6" scope="rowgroup">{_(group)}</th></tr>'
        f"{''.join(rows)}</tbody>"
        for group, rows in groups.items()
        if rows
    )
    return (
        f'<table class="scores"><thead><tr><th scope="col">{_("Measure")}</th>'
        f'<th scope="col" class="number original">{_("Original")}</th>'
        f'<th scope="col" class="number unlearned">{_("Unlearned")}</th>'
        f'<th scope="col" class="number">{_("Change")}</th>'
        f'<th scope="col" class="number">{_("Never-saw-it level")}</th>'
        f'<th scope="col">{_("Verdict")}</th></tr></thead>{body}'
        f"<caption>{escaped(caption)}</caption></table>"
    )


def _group(metric: type[Metric], role: str) -> str:
    if metric.family == "fluency":
        return "Text health"
    if metric.family == "privacy":
        return "Privacy"
    if metric.family == "diagnostic":
        return "Inside the model"
    return "Forgetting" if role == "forget" else "What must stay"


def _score_row(view: View, metric: type[Metric], role: str, original: ScoreValue) -> str:
    now = view.scores.get("unlearned", {}).get(metric.name, {}).get(role)
    level = None
    if role == "forget":
        level = view.levels.scores.get(metric.name) if view.levels else None
        level = metric.unseen if level is None else level
    said = ""
    if now is not None:
        judged = verdict(metric, role, original.value, now.value, level)
        if judged is not None:
            mark, words = judged
            said = (
                f'<span class="verdict {mark}"><b>{MARKS[mark]}</b> {escaped(spoken(words))}</span>'
            )
    plain = _(metric.plain.removeprefix("text health: "))  # the heading says it
    plain = plain[:1].upper() + plain[1:]
    term = metric.title
    if metric.family != "diagnostic":  # those speak of the model, not of one text
        term += f", {_(ROLES.get(role, role))}"
    return (
        f'<tr><th scope="row">{escaped(plain)} <span class="term">{escaped(term)}</span></th>'
        f'<td class="number">{_interval(original)}</td><td class="number">{_interval(now)}</td>'
        f'<td class="number">{_change(original, now)}</td>'
        f'<td class="number">{number(level)}</td><td>{said}</td></tr>'
    )


def _interval(score: ScoreValue | None) -> str:
    if score is None:
        return "–"
    small = [f"n = {score.n:,}"] if score.n else []
    if score.low is not None and score.high is not None:
        small.insert(0, f"{number(score.low)}–{number(score.high)}")
    return number(score.value) + "".join(f" <small>{words}</small>" for words in small)


def _change(before: ScoreValue, now: ScoreValue | None) -> str:
    if now is None:
        return "–"
    change = now.value - before.value
    sign = "+" if change > 0 else ""
    return sign + number(change)


def number(value: float | None) -> str:
    """About three significant digits, '–' for none, words for what is not finite."""
    if value is None:
        return "–"
    if math.isnan(value):
        return _("undefined")
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= 1e5:
        text = f"{value:.1e}"
    else:
        text = f"{value:.2f}" if abs(value) < 10 else f"{value:.3g}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


RUN_COLUMNS = (
    N_("Run"), N_("Started"), N_("Status"), N_("Method"), N_("Model"), N_("Text to forget"),
    N_("Steps"), N_("Words known"), N_("Words kept"), N_("Name"), N_("Whose"),
)  # fmt: skip
"""Headings of the list of runs."""


def run_columns() -> list[str]:
    """`RUN_COLUMNS` in the language of the page."""
    return [_(column) for column in RUN_COLUMNS]


def run_row(run: Summary) -> list[str]:
    """One run in the order of `RUN_COLUMNS`, as plain text: the caller's table must not
    render markup."""
    return [
        run.run_id,
        datetime.fromtimestamp(run.created).strftime("%Y-%m-%d %H:%M"),
        _(STATES[run.status][0]),
        METHODS[run.method].title if run.method in METHODS else run.method,
        run.model,
        run.forget,
        _("{step} of {steps}").format(step=run.step, steps=run.steps)
        if run.steps
        else str(run.step),
        f"{run.recited[0]:.0%} → {run.recited[1]:.0%}" if run.recited else "–",
        _kept(run),
        run.label,
        _("yours") if run.mine else _("another's"),
    ]


def _kept(run: Summary) -> str:
    ends = [s.get("memorization_accuracy/retain") for s in (run.original, run.unlearned)]
    return " → ".join(f"{end:.0%}" for end in ends) if None not in ends else "–"
