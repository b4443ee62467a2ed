"""A recorded run as time goes by: the same events, folded up to a moment of the recording."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from unlearning.runs.events import AnyEvent
from unlearning.runs.store import RunStore
from unlearning.runs.view import View, view_of

LONGEST_GAP = 5.0
"""Seconds of silence that a recording keeps at most: loading, or the night before a Continue."""


@dataclass(frozen=True, eq=False)
class Tape:
    """Events of a run and when each came; made by `tape_of`."""

    events: tuple[AnyEvent, ...]
    at: tuple[float, ...]
    """Seconds from the first event to each, never falling, silences shortened."""

    @property
    def length(self) -> float:
        """Seconds from the first event to the last."""
        return self.at[-1] if self.at else 0.0

    def view(self, seconds: float) -> View:
        """The run as it stood so many seconds after its first event. Do not change it."""
        return _folded(self, bisect_right(self.at, seconds))


def tape(events: Sequence[AnyEvent]) -> Tape:
    """A log with its own clock; a clock that was set back counts as no time."""
    at: list[float] = []
    for before, event in zip((None, *events), events, strict=False):
        gap = event.time - before.time if before else 0.0
        at.append((at[-1] if at else 0.0) + min(max(gap, 0.0), LONGEST_GAP))
    return Tape(tuple(events), tuple(at))


def tape_of(store: RunStore, run_id: str) -> Tape:
    """The recording of a run as far as it has come. Reads the log, writes nothing.

    Raises:
        UserError: no such run, or its log cannot be read.
    """
    size = (store.folder(run_id) / "events.jsonl").stat().st_size
    return _read(store, run_id, size)


@lru_cache(maxsize=16)
def _read(store: RunStore, run_id: str, _: int) -> Tape:
    return tape(store.read(run_id)[0])


@lru_cache(maxsize=64)
def _folded(recording: Tape, count: int) -> View:
    return view_of(recording.events[:count])
