"""Relearning: a few steps on a part of the text, and see whether the rest comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from unlearning.attacks.base import (
    GAP,
    LITTLE,
    MUCH,
    NO_CONTROL,
    NO_ORIGINAL,
    Attack,
    Report,
    Side,
    share_back,
)
from unlearning.declare import hyperparameter
from unlearning.runs.events import ScoreValue


class Relearn(Attack):
    """Train on a part of the forgotten text and see whether the rest comes back with it.

    Ordinary fine-tuning (token mean of the negative log-likelihood) on a share of the text, with
    a fresh adapter of the same start on every model. Whole passages go into the share, together
    with their questions. What counts is the other share, which no model sees here: what comes
    back of it must have been there already.

    Source: Lynch et al. 2024 and Hu et al. 2024 (relearning on a part of the forget text); the
    control and the recovery follow from comparing with a model that was never taught the text.
    """

    title: ClassVar[str] = "Relearn"
    paper: ClassVar[str] = "https://arxiv.org/abs/2406.13356"
    idea: ClassVar[str] = (
        "Teach the unlearned model a part of the text again for a few steps, and look at the part "
        "that it is not shown. If that comes back too, and faster than in a model that never saw "
        "it, the text was suppressed and not removed."
    )
    rule: ClassVar[str] = (
        "Excess = (unlearned - control) / (original - control), memorization accuracy of the share "
        "that was not trained on. Not forgotten: 0.5 or more before the first step. Suppressed: "
        "0.25 or more after the last step, the 95 % interval of the difference above 0, and 0.05 "
        "more than before the first. Forgotten in part: the same without that rise. No faster: "
        "0.05 or less after the last step, or the interval holds 0. Otherwise in between."
    )

    steps: int = hyperparameter(20, 1, 1000)
    """Training steps."""
    share: float = hyperparameter(0.25, 0.01, 0.9)
    """Share of the text that is trained on; the rest is only measured."""
    look_every: int = hyperparameter(4, 1, 1000)
    """Steps between two looks."""
    texts: int = hyperparameter(24, 2, 1000)
    """Most texts of each share that a look reads."""
    extracted: int = hyperparameter(4, 0, 100, advanced=True)
    """Texts of each share that are extracted after the last step; 0 leaves it out."""
    batch_size: int = hyperparameter(8, 1, 256, advanced=True)
    """Texts a step."""
    learning_rate: float | None = hyperparameter(None, 1e-7, 1.0, advanced=True)
    """Step size; empty takes the one that a text is taught with."""
    lora_rank: int = hyperparameter(8, 0, 256, advanced=True)
    """Rank of the fresh adapter that is trained; 0 trains all parameters."""
    train_original: bool = hyperparameter(False, advanced=True)
    """Train the original too; otherwise it is measured as it is, as the ceiling."""
    seed: int = hyperparameter(0, 0, 2**31 - 1, advanced=True)
    """Same seed and settings, same figures."""


class Look(BaseModel):
    """Memorization accuracy after so many steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    unseen: ScoreValue
    """On the share that is not trained on."""
    trained: ScoreValue
    """On the share that is."""


class Curve(BaseModel):
    """What one model did under the attack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    looks: tuple[Look, ...]
    """The first at step 0."""
    extraction: dict[str, ScoreValue] = {}
    """Extraction likelihood after the last step, by share ('unseen', 'trained')."""
    recovery: float | None = None
    """Of what the original has beyond this model's start, the share that came back ('unseen')."""
    steps_to_half: int | None = None
    """First look at which half of it was back; None if it never was."""


class Relearned(Report):
    """Curves of the models, and what follows."""

    curves: dict[Side, Curve]
    excess_before: float | None = None
    """(unlearned - control) / (original - control) before the first step; 1 = as the original."""
    excess: float | None = None
    """The same after the last step."""
    difference: ScoreValue | None = None
    """Unlearned less control after the last step, text by text."""


def measured(looks: Sequence[Look], original: float | None) -> tuple[float | None, int | None]:
    """Recovery after the last look, and the step of the first look with half of it."""
    if original is None:
        return None, None
    start = looks[0].unseen.value
    shares = [share_back(start, look.unseen.value, original) for look in looks]
    half = (
        look.step
        for look, share in zip(looks, shares, strict=True)
        if share is not None and share >= 0.5
    )
    return shares[-1], next(half, None)


def excess(unlearned: float, control: float, original: float) -> float | None:
    """How far beyond the control the unlearned model stands, the original being 1.

    None where the original is not GAP beyond the control: the text tells nothing then.
    """
    return share_back(control, unlearned, original)


def verdict(
    curves: Mapping[Side, Curve],
    before: float | None,
    after: float | None,
    difference: ScoreValue | None,
) -> str:
    """The rule of `Relearn.rule` as one sentence."""
    if "control" not in curves:
        return NO_CONTROL
    if "original" not in curves:
        return NO_ORIGINAL
    steps = curves["unlearned"].looks[-1].step
    ours, theirs = (curves[side].looks[-1].unseen.value for side in ("unlearned", "control"))
    if before is None or after is None or difference is None:
        return (
            "No verdict: a model that never saw the text knows it as well as the original does "
            f"(within {GAP:g}), so that nothing can be told from it."
        )
    told = (
        f"after {steps} steps on a part of the text it knows {ours:.0%} of the rest, a model that "
        f"never saw it {theirs:.0%}"
    )
    if before >= 0.5:
        return f"Not forgotten in the first place: even before, it stood near the original; {told}."
    surely = difference.low is not None and difference.low > 0
    if after >= MUCH and surely:
        if after - before >= LITTLE:
            return f"Suppressed, not removed: {told}."
        return f"Forgotten in part, and no more comes back: {told}."
    if after <= LITTLE or not surely:
        return f"It relearns no faster than a model that never saw the text: {told}."
    return f"In between: {told}."
