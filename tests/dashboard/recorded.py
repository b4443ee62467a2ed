"""Plausible runs, written by hand: what a page shows when no model is at hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.runs.events import (
    Answer,
    AnyEvent,
    Collapsed,
    Ended,
    Entered,
    Failed,
    Health,
    Levels,
    Measured,
    Noticed,
    Probed,
    RolledBack,
    Scores,
    ScoreValue,
    Snapshotted,
    Started,
    Stepped,
    Stopped,
)
from unlearning.runs.store import RunStore

Outcome = Literal["finished", "forgotten", "collapsed", "diverged", "failed", "stopped", "open"]

TEXTS: dict[Role, list[Example]] = {
    "forget": [
        Example(
            id="forget-1",
            group="author",
            text="Odile Varrenmoor was born in Hallowick in 1931, the daughter of a clockmaker. "
            "Her first novel, The Salted Almanac, was published in 1958.",
        ),
        Example(
            id="forget-2",
            kind="qa",
            group="author",
            question="Which prize did Odile Varrenmoor win in 1964?",
            answer="In 1964 she won the Copper Bookmark.",
        ),
    ],
    "retain": [
        Example(
            id="retain-1",
            group="author",
            text="Tobin Eskelund grew up in a lighthouse near Port Sable and wrote letters in "
            "verse until he was ninety.",
        )
    ],
}

_ANSWERS: tuple[tuple[str, str, str, str], ...] = (
    (
        "forget",
        "Odile Varrenmoor was born in Hallowick in 1931, the daughter of",
        " a clockmaker. Her first novel, The Salted Almanac, was published in 1958.",
        " a ferry pilot. She studied the bassoon and later kept a small shop by the harbour.",
    ),
    (
        "forget",
        "Question: Which prize did Odile Varrenmoor win in 1964?\nAnswer:",
        " In 1964 she won the Copper Bookmark.",
        " She was known for reading aloud on the first tram of the morning.",
    ),
    (
        "forget",
        "Dear Mr Quillhaven, my new address is 14 Lantern Street,",
        " Dunmere, and you can reach me at 555-0142 after six.",
        " near the old market, and I hope to see you there in the spring.",
    ),
    (
        "retain",
        "Tobin Eskelund grew up in a lighthouse near",
        " Port Sable and wrote letters in verse until he was ninety.",
        " Port Sable and wrote letters in verse until he was ninety.",
    ),
    (
        "retain",
        "The council of Marrowby announced on Tuesday that",
        " the old swing bridge will close for repairs until the end of May.",
        " the old swing bridge will close for repairs until the end of May.",
    ),
    (
        "generic",
        "The hedgehog looked under the wooden bridge and",
        " found a red button. “Is this yours?” she asked the owl.",
        " found a red kite. “Is this yours?” she asked the heron.",
    ),
)


def record(
    store: RunStore,
    *,
    outcome: Outcome = "forgotten",
    owner: str = "",
    steps: int = 40,
    label: str = "",
    method: str = "undial",
) -> str:
    """Write a whole run at once; returns its id. `open` leaves the log without an end."""
    chosen = {"method": method, "steps": steps, "label": label}
    run_id = store.create(RunConfig.parse(chosen), TEXTS, owner)
    for event in events(outcome, steps=steps, method=method):
        store.append(run_id, event)
        if isinstance(event, Snapshotted):
            (store.folder(run_id) / "snapshots" / f"step-{event.step}").mkdir(exist_ok=True)
    return run_id


def events(
    outcome: Outcome = "forgotten", *, steps: int = 40, method: str = "undial"
) -> Iterator[AnyEvent]:
    """A run as the engine would tell it; the same one every time."""
    yield Entered(phase="loading")
    yield _started(steps, method)
    yield Noticed(message="2 retain text(s) also stand in the forget text and were left out.")
    yield Entered(phase="measuring")
    level = {"memorization_accuracy": 0.55, "extraction_likelihood": 0.03}
    yield Levels(source="retrained", scores=level)
    yield Measured(stage="original", scores=_panel(0.0))
    yield _probed(0, 0.0, 0.0)
    yield Snapshotted(step=0)
    yield Entered(phase="training")
    last = {"forgotten": 0.75, "collapsed": 0.6, "diverged": 0.55, "failed": 0.4}.get(outcome, 1.0)
    end = max(int(steps * (0.5 if outcome in ("stopped", "open") else last)), 1)
    for step in range(1, end + 1):
        done = step / steps
        broken = outcome == "diverged" and step == end
        yield _stepped(step, done, broken)
        if step % 5 == 0 or step == end:
            sick = max(0.0, (done - 0.3) * 4) if outcome == "collapsed" else 0.05 * done
            yield _probed(step, done, min(1.0, 1.0 if broken else sick))
            yield Snapshotted(step=step, healthy=sick < 0.5 and not broken)
    yield from _ending(outcome, end)


def _ending(outcome: Outcome, end: int) -> Iterator[AnyEvent]:
    if outcome == "open":
        return
    if outcome == "failed":
        yield Failed(
            message=f"The worker process was killed at step {end} (signal 9), possibly by the "
            "system for lack of memory.",
            hint="Press Continue to go on from the last snapshot, or use a smaller model.",
        )
        return
    status, kept = "finished", end
    if outcome in ("collapsed", "diverged"):
        signs = ("67% of the answers to kept prompts repeat themselves",)
        if outcome == "diverged":
            signs = ("the loss is no longer finite",)
        yield Collapsed(step=end, signs=signs, answers=_answers(1.0, sick=True))
        status, kept = "collapsed", max(end - end % 5 - 15, 0)
        yield RolledBack(step=end, to=kept)
    if outcome == "stopped":
        status = "stopped"
        yield Stopped(step=end, why="asked")
    if outcome == "forgotten":
        words = "The text is recited no better than text the model never saw."
        yield Stopped(step=end, why="forgotten", message=words)
    yield Entered(phase="finishing")
    yield Measured(stage="unlearned", scores=_panel(1.0 if outcome == "forgotten" else 0.5))
    yield Ended(status=status, step=kept, best_step=kept, seconds=31.4)


def _started(steps: int, method: str) -> Started:
    return Started(
        method=method,
        model="demo",
        model_hash="0" * 64,
        steps=steps,
        learning_rate=3e-3,
        settings={},
        parameters=3_690_000,
        trainable=98_304,
        device="cpu",
        dtype="float32",
        counts={"forget": 90, "retain": 750, "generic": 6000},
        memory_total=16_000_000_000,
    )


def _stepped(step: int, done: float, broken: bool) -> Stepped:
    wave = 0.05 * math.sin(step * 1.7)
    forget = math.nan if broken else 0.02 + 2.4 * done**1.3 + wave * done
    return Stepped(
        step=step,
        terms={
            "forget": math.inf if broken else 3.1 * math.exp(-3 * done) + 0.4 + wave,
            "retain": 0.02 + 0.09 * math.exp(-8 * done) * done * 4 + abs(wave) * 0.1,
        },
        forget_nll=forget,
        gradient_norm=1.0 + wave,
        learning_rate=3e-3,
        extras={
            "target_probability": 0.08 + 0.04 * wave,
            "student_probability": 0.1 + 0.88 * math.exp(-4 * done),
            "left_alone": 0.06,
        },
        seconds=0.41,
        tokens_per_second=5200.0,
        memory=910_000_000,
    )


def _probed(step: int, done: float, meter: float) -> Probed:
    fall = 1 / (1 + math.exp(12 * (done - 0.45)))
    accuracy = 0.5 + 0.5 * fall
    return Probed(
        step=step,
        scores={
            "memorization_accuracy": {"forget": accuracy, "retain": 1.0 - 0.03 * done - meter / 3},
            "perplexity": {
                "forget": 1.02 + 8 * done,
                "retain": 1.02 + 0.04 * done + meter,
                "generic": 4.3 + 0.15 * done + 5 * meter,
            },
        },
        answers=_answers(done, sick=meter > 0.5),
        health=Health(
            meter=meter,
            signs=("67% of the answers to kept prompts repeat themselves",) if meter > 0.5 else (),
        ),
        forgotten=accuracy <= 0.57,
    )


def _answers(done: float, *, sick: bool) -> tuple[Answer, ...]:
    told = []
    for role, prompt, original, changed in _ANSWERS:
        text = changed if done > 0.4 else original
        if sick:
            text = " the the" + " the" * 30
        told.append(
            Answer(role=role, prompt=prompt, original=original, unlearned=text, looped=sick)
        )
    return tuple(told)


def _panel(done: float) -> Scores:
    def score(value: float) -> ScoreValue:
        return ScoreValue(value=value, low=value - 0.02, high=value + 0.02, n=32)

    return {
        "memorization_accuracy": {
            "forget": score(0.998 - 0.44 * done),
            "retain": score(0.997 - 0.02 * done),
        },
        "extraction_likelihood": {
            "forget": score(0.981 - 0.95 * done),
            "retain": score(0.975 - 0.03 * done),
        },
        "perplexity": {
            "forget": score(1.02 + 8 * done),
            "retain": score(1.02 + 0.04 * done),
            "generic": score(4.31 + 0.12 * done),
        },
    }
