"""Short requests beside the runs: side-by-side generation, and checks before a run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unlearning.declare import Declared
from unlearning.runs.check import CheckReport, CheckRequest

MOST_STRENGTH = 1.5
Strength = Annotated[float, Field(ge=0.0, le=MOST_STRENGTH)]
"""How much of its adapter a run has: 0 is its original, 1 as trained, more goes beyond."""


class GenerateRequest(Declared):
    """Continue the same prompts with several models, token by token, under one seed.

    A side is 'original:RUN' (the model that run started from), 'run:RUN' (its kept weights),
    'run:RUN@STEP' (a snapshot), or the name of a model ('demo-retain', a folder, a hub id).
    """

    title: ClassVar[str] = "Generation"

    sides: tuple[str, ...] = Field(min_length=1, max_length=4)
    strengths: tuple[Strength, ...] = ()
    """Of each side, original + strength * (run - original); none given: all as trained."""
    prompts: tuple[str, ...] = Field(min_length=1, max_length=16)
    as_question: bool = False
    """Put the prompt into the question template (or the chat template) instead of continuing it."""
    max_new_tokens: int = Field(64, ge=1, le=512)
    temperature: float = Field(0.0, ge=0.0, le=5.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    judge: bool = False
    """Also tell what every side makes of every answer, its own and the others', word for word."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.strengths and len(self.strengths) != len(self.sides):
            raise ValueError(
                "every side needs a strength, or none has one: there are "
                f"{len(self.sides)} and {len(self.strengths)}."
            )
        for side, strength in zip(self.sides, self.strengths, strict=False):
            if strength != 1 and not side.startswith("run:"):
                raise ValueError(
                    f"the strength of {side[:80]!r} cannot be turned: only a run has an adapter "
                    "of its own. Leave it at 1."
                )
        return self

    def strength(self, side: int) -> float:
        """Of the side with that index."""
        return self.strengths[side] if self.strengths else 1.0


class Candidate(BaseModel):
    """One of the most likely tokens at a place."""

    model_config = ConfigDict(frozen=True)

    text: str
    probability: float


class Judged(BaseModel):
    """One token of an answer as one side sees it."""

    model_config = ConfigDict(frozen=True)

    text: str
    """May be empty while a character is unfinished."""
    logp: float | None
    """Natural log-probability of the token; None where the model gives no number."""
    top: tuple[Candidate, ...] = ()
    """The most likely tokens at this place, most likely first."""


class Delta(BaseModel):
    """A piece of one answer, its end, or what a side makes of a whole answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["delta", "done", "judged", "told", "checked", "error"] = "delta"
    side: int = 0
    """Index into the request's sides."""
    prompt: int = 0
    """Index into the request's prompts."""
    text: str = ""
    """Text to append; for 'error' the sentence to show, for 'told' how far a check is."""
    probability: float | None = None
    """Probability that this model gave to the token."""
    looped: bool = False
    """At the end: whether the whole answer repeats itself."""
    judge: int = 0
    """For 'judged': index of the side that judges the answer of `side`."""
    tokens: tuple[Judged, ...] = ()
    """For 'judged': the answer in the judging side's own tokens, from its first."""
    report: CheckReport | None = None
    """For 'checked': what the check found."""


Request = GenerateRequest | CheckRequest
"""What a worker answers beside the runs."""
