"""Check first: does the model know the text, and what would the run cost? No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.data.sources import load
from unlearning.runs.sampler import spread

KNOWN = 0.5
"""From this share of the way between the level of unseen text and all tokens a text is known."""
PARTLY = 0.2
"""From this share on it is known in parts."""
GUESSED = 0.5
"""Level where no unseen text could be read: high, so that little is called known."""
UNSEEN = "preset:world/holdout"
"""Invented text that no model was trained on, for runs that bring no unseen text along."""
SAMPLED = 64
"""Texts of every role but the forget text that go with a request."""

Source = Literal["holdout", "invented", "assumed"]


class CheckRequest(BaseModel):
    """What a run would be: its settings and its texts."""

    model_config = ConfigDict(frozen=True)

    config: RunConfig
    texts: dict[Role, tuple[Example, ...]]
    unseen: Source = "holdout"
    """Where the holdout text is from."""

    @classmethod
    def of(cls, config: RunConfig, texts: Mapping[Role, Sequence[Example]]) -> CheckRequest:
        """All of the forget text, some of the others, and invented text where none is unseen."""
        some = {
            role: tuple(examples[i] for i in spread(len(examples), SAMPLED))
            for role, examples in texts.items()
        }
        some["forget"] = tuple(texts["forget"])
        if some.get("holdout"):
            return cls(config=config, texts=some)
        if config.forget.startswith(UNSEEN):
            return cls(config=config, texts=some, unseen="assumed")
        # Passages are cut to any length; an answer that is too long would be refused.
        invented = [example for example in load(UNSEEN) if example.kind == "passage"]
        some["holdout"] = tuple(invented[i] for i in spread(len(invented), SAMPLED))
        return cls(config=config, texts=some, unseen="invented")


class Passage(BaseModel):
    """One text that was read."""

    model_config = ConfigDict(frozen=True)

    begins: str
    """Its first words, or the question."""
    recited: float
    """Memorization accuracy, 0 to 1."""


class CheckReport(BaseModel):
    """What the worker found."""

    model_config = ConfigDict(frozen=True)

    tokens: int
    """Of the whole forget text."""
    sequences: int
    """Its passages and questions, cut to the longest sequence."""
    recited: float | None
    """Memorization accuracy on those that were read, 0 to 1; None where nothing is scored."""
    extracted: float | None
    """Extraction strength on the same, 0 to 1."""
    level: float
    """Memorization accuracy on unseen text, 0 to 1."""
    level_from: Source
    passages: tuple[Passage, ...] = ()
    """Those that were read, best known first."""
    parameters: int
    device: str
    dtype: str
    steps: int
    step_seconds: float
    """Of one optimizer step, estimated from a measured pass forward and back."""
    seconds: float
    """Of the whole run, estimated; it ends earlier once the text is forgotten."""
    teach_seconds: float = 0.0
    """Of teaching before it, at most; 0 where none is asked for."""
    needed: int
    """Bytes at the peak."""
    free: int
    """Bytes that were free before the model was loaded."""
    fits: bool
    notices: tuple[str, ...] = ()

    @property
    def known(self) -> float | None:
        """How far from unseen text (0) to all tokens recited (1); may be below 0."""
        if self.recited is None:
            return None
        return (self.recited - self.level) / max(1 - self.level, 0.01)

    @property
    def verdict(self) -> Literal["known", "partly", "unknown", "unmeasured"]:
        """Whether there is something to forget."""
        known = self.known
        if known is None:
            return "unmeasured"
        return "known" if known >= KNOWN else "partly" if known >= PARTLY else "unknown"


def verdict(report: CheckReport) -> str:
    """The answer in one or two plain sentences."""
    if report.recited is None:
        return "The text is too short to be measured. Use longer text."
    share, level = f"{report.recited:.0%}", f"{report.level:.0%}"
    words = {"holdout": "unseen text of the same kind", "invented": "invented text it never saw",
             "assumed": "unseen text, as a rough guess"}[report.level_from]  # fmt: skip
    beside = f"({words}: {level})"
    if report.verdict == "known":
        return f"The model recites {share} of this text {beside}. There is something to forget."
    if report.verdict == "partly":
        return (
            f"The model knows parts of this text: it recites {share} {beside}. "
            "Teach it first for a clear picture."
        )
    return f"The model does not know this text: it recites {share} {beside}. Teach it first."
