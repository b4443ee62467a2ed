"""Everything a run can say. The log of these is the single truth about a run.

Events are frozen, in the past tense, one JSON object a line in `events.jsonl`. Fields listed in
`MEASURED` (clock, memory, speed) differ between equal runs; all others are repeatable.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter


def _write_number(value: float) -> float | str:
    """JSON has no NaN or infinity; losing them would hide a divergence."""
    return value if math.isfinite(value) else str(value)


Number = Annotated[float, BeforeValidator(float), PlainSerializer(_write_number, when_used="json")]
"""A float that survives JSON also when it is NaN or infinite."""

Status = Literal[
    "queued", "running", "stopping", "finished", "stopped", "collapsed", "failed", "interrupted"
]

Scores = dict[str, dict[str, "ScoreValue"]]
"""Metric name to role to score."""


class ScoreValue(BaseModel):
    """A score as it travels: without the per-example samples."""

    model_config = ConfigDict(frozen=True)

    value: Number
    low: Number | None = None
    high: Number | None = None
    n: int = 0
    variant: str = ""


class TextScores(BaseModel):
    """What a membership attack gives each text: high = never seen. No text is told."""

    model_config = ConfigDict(frozen=True)

    forget: tuple[Number, ...]
    holdout: tuple[Number, ...]


class Event(BaseModel):
    """Base of all events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    MEASURED: ClassVar[frozenset[str]] = frozenset({"time"})
    time: float = 0.0
    """Seconds since the epoch, set by the store when the event is written."""

    def repeatable(self) -> dict[str, Any]:
        """The event without its measured fields: equal for equal configuration and seed."""
        return self.model_dump(mode="json", exclude=set(self.MEASURED))


class Entered(Event):
    """A phase began."""

    kind: Literal["entered"] = "entered"
    phase: Literal["loading", "teaching", "answering", "measuring", "training", "finishing"]


class Noticed(Event):
    """Something the user should know, in one sentence."""

    kind: Literal["noticed"] = "noticed"
    message: str


class Started(Event):
    """Model and texts are ready; settings left open are now decided."""

    MEASURED = frozenset({"time", "versions", "memory_total"})
    kind: Literal["started"] = "started"
    method: str
    model: str
    model_hash: str
    steps: int
    learning_rate: float
    settings: dict[str, Any]
    """All settings as used, defaults filled in."""
    parameters: int
    trainable: int
    device: str
    dtype: str
    counts: dict[str, int]
    """Sequences by role."""
    texts_hash: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the examples by role."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of the libraries."""
    memory_total: int = 0
    """Bytes that the device has; 0 where it was not noted."""


class Taught(Event):
    """One step of memorising the text before it is forgotten."""

    MEASURED = frozenset({"time", "seconds"})
    kind: Literal["taught"] = "taught"
    step: int
    loss: Number
    memorized: Number | None = None
    """Memorization accuracy on the forget text, where it was measured at this step."""
    seconds: float = 0.0


class Measured(Event):
    """The panel of metrics on one model."""

    MEASURED = frozenset({"time", "seconds"})
    kind: Literal["measured"] = "measured"
    stage: Literal["untaught", "original", "unlearned", "retrained"]
    scores: Scores
    missing: dict[str, str] = Field(default_factory=dict)
    """Metric to why it has no score, in one sentence."""
    membership: dict[str, TextScores] = Field(default_factory=dict)
    """Membership attack to the scores of the texts."""
    seconds: float = 0.0


class Levels(Event):
    """Where forgetting ends: the scores of a model that never saw the text."""

    kind: Literal["levels"] = "levels"
    source: Literal["retrained", "untaught", "holdout"]
    scores: dict[str, Number]
    """Metric name to its level on the forget text."""


class Stepped(Event):
    """One optimizer step."""

    MEASURED = frozenset({"time", "seconds", "tokens_per_second", "memory", "memory_peak"})
    kind: Literal["stepped"] = "stepped"
    step: int
    """Steps done, from 1."""
    terms: dict[str, Number]
    """Weighted loss terms; their sum is what was minimised."""
    forget_nll: Number
    """Negative log-likelihood of the forget text before this step, nats per token."""
    gradient_norm: Number
    learning_rate: Number
    extras: dict[str, Number] = Field(default_factory=dict)
    """Curves of the method's own."""
    seconds: float = 0.0
    tokens_per_second: float = 0.0
    memory: int = 0
    """Bytes in use: device memory on CUDA, resident memory of the process elsewhere."""
    memory_peak: int = 0
    """Most bytes in use at a time since training began, within a step too; 0 where the device does
    not count."""


class Answer(BaseModel):
    """A pinned prompt and what the original and the model in training say to it."""

    model_config = ConfigDict(frozen=True)

    role: str
    prompt: str
    original: str
    unlearned: str
    looped: bool = False
    """Whether the unlearned text repeats itself and the original does not."""


class Health(BaseModel):
    """The collapse meter."""

    model_config = ConfigDict(frozen=True)

    meter: Number
    """0 healthy to 1 collapsed."""
    signs: tuple[str, ...] = ()
    """What is wrong, in words."""


class Probed(Event):
    """The model in training was looked at."""

    MEASURED = frozenset({"time", "seconds"})
    kind: Literal["probed"] = "probed"
    step: int
    scores: dict[str, dict[str, Number]]
    """Metric name to role to value, on the probe's subset."""
    answers: tuple[Answer, ...]
    health: Health
    forgotten: bool = False
    """Forget scores are at the level of a model that never saw the text."""
    over_forgotten: bool = False
    """Forget scores are clearly beyond that level."""
    seconds: float = 0.0


class Snapshotted(Event):
    """Weights, optimizer and cursor were saved; the run can continue from here."""

    kind: Literal["snapshotted"] = "snapshotted"
    step: int
    healthy: bool = True


class Collapsed(Event):
    """The model lost its language."""

    kind: Literal["collapsed"] = "collapsed"
    step: int
    signs: tuple[str, ...]
    answers: tuple[Answer, ...] = ()
    """The collapsed texts, kept for showing."""


class RolledBack(Event):
    """Weights went back to an earlier snapshot."""

    kind: Literal["rolled_back"] = "rolled_back"
    step: int
    """The step that was left."""
    to: int
    asked: bool = False
    """Whether somebody chose that step, in place of the guard against collapse."""


class Resumed(Event):
    """The run went on from a snapshot; later points of the log are void."""

    kind: Literal["resumed"] = "resumed"
    step: int
    steps: int


class Stopped(Event):
    """The loop ended before its last step."""

    kind: Literal["stopped"] = "stopped"
    step: int
    why: Literal["asked", "paused", "forgotten", "rule"]
    message: str = ""


class Failed(Event):
    """The run ended with an error."""

    MEASURED = frozenset({"time", "traceback"})
    kind: Literal["failed"] = "failed"
    message: str
    hint: str = ""
    traceback: str = ""
    """Empty when the user, not we, can fix it."""


class Ended(Event):
    """The last event of a run that did not fail."""

    MEASURED = frozenset({"time", "seconds"})
    kind: Literal["ended"] = "ended"
    status: Literal["finished", "stopped", "collapsed"]
    step: int
    """The step whose weights are kept."""
    best_step: int | None = None
    """The healthy snapshot nearest to the never-saw-it level with utility kept."""
    seconds: float = 0.0


AnyEvent = Annotated[
    Entered
    | Noticed
    | Started
    | Taught
    | Measured
    | Levels
    | Stepped
    | Probed
    | Snapshotted
    | Collapsed
    | RolledBack
    | Resumed
    | Stopped
    | Failed
    | Ended,
    Field(discriminator="kind"),
]

_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)


def read_event(line: str | bytes) -> AnyEvent:
    """One line of `events.jsonl` back to its event."""
    return _ADAPTER.validate_json(line)
