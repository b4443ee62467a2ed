"""Blind votes on two answers: kept with a run, counted by model.

    RUNS/ID/votes.jsonl        one vote a line

Whoever voted did not know which model wrote which answer.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.store import RunStore, write_atomically

Which = Literal["a", "b", "both", "neither"]
MOST_VOTES = 2000
"""Votes of one run."""
Z95 = 1.959963984540054


class Shown(BaseModel):
    """One side as it was voted on."""

    model_config = ConfigDict(frozen=True)

    model: str
    """original:RUN, run:RUN@STEP, or the name of a model."""
    strength: float = 1.0
    """Of the run's adapter."""
    texts: tuple[str, ...]
    """Its answer, or its samples."""

    @property
    def which(self) -> tuple[str, float]:
        """Model and strength."""
        return self.model, self.strength


class Vote(BaseModel):
    """What one visitor said of two answers."""

    model_config = ConfigDict(frozen=True)

    time: float
    """Seconds since the epoch."""
    voter: str
    """A mark of the browser, of no use with another run."""
    request: GenerateRequest
    """Prompt and sampling; its sides stand in the order in which they were shown."""
    a: Shown
    b: Shown
    knows: Which
    """Which one knows the text to forget."""
    writes: Which
    """Which one writes well."""

    def ballot(self) -> tuple[Any, ...]:
        """What was voted on, and by whom, whatever the order of the sides."""
        asked = self.request.model_dump(exclude={"sides", "strengths"})
        return self.voter, json.dumps(asked), frozenset({self.a.which, self.b.which})

    def names(self, question: Literal["knows", "writes"], side: Shown) -> bool:
        """Whether the side is named in answer to the question, alone or with the other."""
        answer = getattr(self, question)
        return answer == "both" or answer == ("a" if side is self.a else "b")


@dataclass(frozen=True)
class Share:
    """How often a model was named, of how many votes."""

    named: int
    n: int

    @property
    def value(self) -> float:
        """From 0 to 1."""
        return self.named / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of Wilson (1927), which is right for few votes, too."""
        p, n, z = self.value, self.n, Z95
        middle = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        # Exactly 0 and 1 at the ends, where rounding would miss them.
        low = (middle - half) / scale if self.named else 0.0
        high = (middle + half) / scale if self.named < n else 1.0
        return low, high


@dataclass(frozen=True)
class Tally:
    """Votes on one pair of models, originals first."""

    models: tuple[tuple[str, float], tuple[str, float]]
    """Model and strength."""
    knows: tuple[Share, Share]
    writes: tuple[Share, Share]

    @property
    def n(self) -> int:
        """Votes."""
        return self.knows[0].n


def tallies(votes: Sequence[Vote]) -> list[Tally]:
    """The votes counted by pair of models, most votes first."""
    pairs: dict[frozenset[tuple[str, float]], list[Vote]] = {}
    for vote in votes:
        pairs.setdefault(frozenset({vote.a.which, vote.b.which}), []).append(vote)
    found = [_tally(pair, own) for pair, own in pairs.items()]
    return sorted(found, key=lambda tally: -tally.n)


def _tally(pair: frozenset[tuple[str, float]], votes: Sequence[Vote]) -> Tally:
    models = sorted(pair, key=lambda which: (not which[0].startswith("original:"), which))
    counts: Counter[tuple[str, tuple[str, float]]] = Counter()
    for vote in votes:
        for side in (vote.a, vote.b):
            for question in ("knows", "writes"):
                counts[question, side.which] += vote.names(question, side)
    knows, writes = (
        tuple(Share(counts[question, which], len(votes)) for which in models)
        for question in ("knows", "writes")
    )
    return Tally(tuple(models), knows, writes)


def votes_of(store: RunStore, run_id: str) -> list[Vote]:
    """All votes kept with a run, oldest first; lines of another version are left out.

    Raises:
        UserError: no such run.
    """
    return [vote for line in _lines(_path(store, run_id)) if (vote := _read(line)) is not None]


def add(store: RunStore, run_id: str, vote: Vote) -> None:
    """Keep a vote. The caller checks the owner, and that no two add at a time.

    Raises:
        UserError: no such run, the same ballot again, or too many votes.
    """
    path = _path(store, run_id)
    if vote.ballot() in {other.ballot() for other in votes_of(store, run_id)}:
        raise UserError("You have voted on these answers before.", "The first vote stands.")
    lines = _lines(path)
    if len(lines) >= MOST_VOTES:
        raise UserError(f"Run {run_id} has {MOST_VOTES} votes; no more are kept.")
    write_atomically(path, "".join(f"{line}\n" for line in [*lines, vote.model_dump_json()]))


def voter(run_id: str, key: str) -> str:
    """The mark of a browser among the voters of a run."""
    return sha256(f"lethe voter\0{run_id}\0{key}".encode()).hexdigest()[:12]


def _path(store: RunStore, run_id: str) -> Path:
    return store.folder(run_id) / "votes.jsonl"


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [line for line in text.split("\n") if line]


def _read(line: str) -> Vote | None:
    try:
        return Vote.model_validate_json(line)
    except ValidationError:
        return None
