"""Where a browser is in the recording of a run: held by the browser, cut out of the log here.

A playback is a few numbers in a hidden field of the page. Every look computes from them how far
the recording has come and folds its events up to there, so that all views show the run as it was
then, and nothing of it is kept on the server.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from unlearning.errors import UserError
from unlearning.runs.store import RUN_ID, RunStore
from unlearning.runs.tape import tape_of

if TYPE_CHECKING:
    from dashboard.page import Watched

SPEEDS = (1, 2, 4, 8, 16, 32, 64)
"""Times the speed at which the run was recorded."""
SHOWN_SECONDS = 30.0
"""About how long a playback lasts whose speed nobody chose."""


@dataclass(frozen=True)
class Playback:
    """A place in a recording, moving or held."""

    run: str
    speed: float
    at: float = 0.0
    """Seconds of the recording at the moment `since`."""
    since: float | None = None
    """When it began to move, seconds since the epoch; None while it is held."""
    length: float = 0.0
    """Seconds of the whole recording."""

    def position(self, now: float) -> float:
        """Seconds of the recording that have passed."""
        passed = 0.0 if self.since is None else max(now - self.since, 0.0) * self.speed
        return min(self.at + passed, self.length)

    def over(self, now: float) -> bool:
        """Whether the last event has come."""
        return self.position(now) >= self.length

    def moving(self, now: float) -> bool:
        """Whether more comes by itself."""
        return self.since is not None and not self.over(now)

    def held(self, now: float) -> Playback:
        """The same, standing still."""
        return replace(self, at=self.position(now), since=None)

    def going(self, now: float, speed: float | None = None) -> Playback:
        """The same, moving on from here; from the beginning where it was over."""
        at = 0.0 if self.over(now) else self.position(now)
        return replace(self, at=at, since=now, speed=speed or self.speed)

    def text(self) -> str:
        """As the browser keeps it."""
        return json.dumps(asdict(self))


def begin(store: RunStore, run_id: str, now: float, speed: float | None = None) -> Playback:
    """A playback from the first event on.

    Raises:
        UserError: no such run, nothing recorded, or its log cannot be read.
    """
    length = tape_of(store, run_id).length
    if not length:
        raise UserError("Nothing is recorded of this run yet.", "Choose a run that has begun.")
    return Playback(run_id, speed or suitable(length), since=now, length=length)


def suitable(length: float) -> float:
    """The slowest speed at which a recording of `length` seconds lasts about half a minute."""
    return next((s for s in SPEEDS if length / s <= SHOWN_SECONDS), SPEEDS[-1])


def parse(text: Any) -> Playback | None:
    """What the browser keeps; it comes from outside, so whatever is odd is no playback."""
    try:
        found = json.loads(text) if isinstance(text, str) and text else None
        if not isinstance(found, dict) or not RUN_ID.match(str(found.get("run"))):
            return None
        numbers = {name: float(found[name]) for name in ("speed", "at", "length")}
        since = None if found["since"] is None else float(found["since"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    told = [*numbers.values(), since or 0.0]
    if not all(math.isfinite(n) and 0 <= n < 1e12 for n in told) or numbers["speed"] > 1000:
        return None
    return Playback(run=str(found["run"]), since=since, **numbers)


def played(store: RunStore, watched: Watched, text: Any, now: float) -> Watched:
    """The run as it stood at this moment of the playback, to be looked at only.

    Without a playback of this run, and for a run that is still live, what was given.
    """
    chosen = parse(text)
    if chosen is None or chosen.run != watched.run_id or watched.live:
        return watched
    try:
        tape = tape_of(store, watched.run_id)
    except (UserError, OSError):  # deleted meanwhile
        return watched
    chosen = replace(chosen, length=tape.length)
    view = tape.view(chosen.position(now))
    over = chosen.over(now)
    # Another revision for every start: a browser that holds later points draws anew.
    nonce = 1 + int((chosen.since if chosen.since is not None else chosen.at) * 10)
    return replace(
        watched,
        view=replace(view, revision=view.revision + nonce),
        status=watched.status if over else view.status,
        owned=False,
        snapshots=tuple(step for step in watched.snapshots if step in view.snapshots),
        attack=None,
        attack_place=None,
        playback=chosen,
    )
