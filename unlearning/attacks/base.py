"""What an attack is, and what its report has in common with the others.

An attack asks whether a text is gone or only unsaid. Every figure of the unlearned model stands
beside that of the original and of a control: a model that never saw the text, attacked alike.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from unlearning.declare import Declared
from unlearning.errors import UserError
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Score
from unlearning.runs.events import ScoreValue

Side = Literal["unlearned", "original", "control"]
"""The attacked model, the model before unlearning, a model that never saw the text."""

GAP = 0.05
"""Least distance between two models, in the metric's own unit, over which a share is a number."""
LITTLE, MUCH = 0.05, 0.25
"""Shares of what was forgotten: up to LITTLE nothing came back, from MUCH on it did."""
NO_CONTROL = (
    "No verdict: without a model that never saw the text nothing tells what comes back from what "
    "is learned anew. Name one with --control."
)
NO_ORIGINAL = (
    "No verdict: without the original model there is no measure of what was forgotten. Attack a "
    "run (run:ID), or name the model with --original."
)


class Attack(Declared):
    """Base of all attacks: the fields are its settings."""

    paper: ClassVar[str] = ""
    idea: ClassVar[str]
    """The attack in one paragraph of plain words."""
    rule: ClassVar[str]
    """How the verdict follows from the figures."""

    def training_steps(self, run_steps: int) -> int:
        """Steps of the run's own training that the attack repeats; `run_steps` are the run's."""
        return 0


class Report(BaseModel):
    """What an attack found. Equal settings and seed give equal reports but for `seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attack: str
    settings: dict[str, bool | int | float | str | None]
    models: dict[Side, str]
    """Names of the models that took part."""
    texts: dict[str, str]
    """SHA-256 of the examples, by role."""
    notices: tuple[str, ...] = ()
    verdict: str
    """One plain sentence."""
    seconds: float = 0.0


def value_of(score: Score) -> ScoreValue:
    """A score as it travels, without its samples."""
    return ScoreValue(
        value=score.value, low=score.low, high=score.high, n=score.n, variant=score.variant
    )


def share_back(before: float, after: float, original: float) -> float | None:
    """Recovery: (after - before) / (original - before), of what the original had beyond `before`.

    1 = everything came back, 0 = nothing did, negative = even less is left. None where the
    original had no more than GAP beyond it, so that there was nothing to bring back.

    """
    if original - before < GAP:
        return None
    return (after - before) / (original - before)


def paired(ours: Score | None, theirs: Score | None) -> ScoreValue | None:
    """Mean difference, text by text, of two scores over the same texts, with its interval.

    Raises:
        UserError: the models cut the texts into different numbers of sequences.
    """
    if ours is None or theirs is None:
        return None
    if len(ours.samples) != len(theirs.samples):
        raise UserError(
            "The models read the texts in different tokens, so that they cannot be compared text "
            "by text.",
            "Choose models with the same tokenizer, or shorter passages.",
        )
    differences = [
        None if a is None or b is None else a - b
        for a, b in zip(ours.samples, theirs.samples, strict=True)
    ]
    found = mean_score(differences)
    return None if found is None else value_of(found)
