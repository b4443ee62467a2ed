"""What became of the text, of what had to stay and of the language, in plain sentences."""

from __future__ import annotations

from unlearning.runs.view import View

RECITED, EXTRACTED = "memorization_accuracy", "extraction_likelihood"
NEAR, BELOW = 0.02, 0.10
"""Within NEAR of the level is forgotten, more than BELOW under it is too much: the same rule as
that by which a run stops."""
SOURCES = {
    "retrained": "a model trained without the text",
    "untaught": "the model before it learned the text",
    "holdout": "the original on text it never saw",
}


def verdict(view: View) -> str:
    """One to three sentences; says so where nothing was measured."""
    return " ".join(filter(None, (_forgotten(view), _kept(view), _language(view))))


def _value(view: View, stage: str, role: str, metric: str = RECITED) -> float | None:
    score = view.scores.get(stage, {}).get(metric, {}).get(role)
    return None if score is None else score.value


def _forgotten(view: View) -> str:
    before, now = _value(view, "original", "forget"), _value(view, "unlearned", "forget")
    level = view.levels.scores.get(RECITED) if view.levels else None
    if before is None or now is None:
        return "The run was not measured to its end, so there is no verdict."
    words = f"it knew {before:.0%} of the words to forget, and knows {now:.0%} now"
    if view.levels is None or level is None:
        return f"No verdict, since it is not known where forgetting ends: {words}."
    source = f"{SOURCES[view.levels.source]} knows {level:.0%}"
    if now < level - BELOW:
        return f"Forgotten too much: {words}, although {source}."
    if now > level + NEAR:
        return f"Not forgotten: {words}, while {source}."
    extracted = _value(view, "unlearned", "forget", EXTRACTED)
    limit = view.levels.scores.get(EXTRACTED)
    if extracted is not None and limit is not None and extracted > limit + NEAR:
        return (
            f"Not quite forgotten: {words}, and {source}; yet passages can still be drawn out of "
            f"it (extraction likelihood {extracted:.2f}, without the text {limit:.2f})."
        )
    return f"Forgotten: {words}, and {source}."


def _kept(view: View) -> str:
    before, now = _value(view, "original", "retain"), _value(view, "unlearned", "retain")
    if not before or now is None:
        return ""
    lost = 1 - now / before
    if lost <= 0.05:
        return "What must stay has stayed."
    return f"Of what must stay, {lost:.0%} is lost."


def _language(view: View) -> str:
    if view.collapse is None:
        return ""
    step, back = view.collapse.step, view.rolled_back
    if back:
        return f"It lost its language at step {step} and was rolled back to step {back.to}."
    return f"It lost its language at step {step}."
