"""Deleted runs that can still be brought back, and the clock that erases them for good.

    RUNS/.undo-ID-MILLISECONDS/   a deleted run; the number is when it is erased, since the epoch

The name is the tombstone: setting aside, bringing back and erasing are one rename each, so that
a killed server leaves no run in between, and whoever starts next sees what is overdue.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from unlearning.errors import UserError
from unlearning.runs.store import RunStore, is_owner

UNDO_SECONDS = 60.0
NAME = re.compile(r"\.undo-([0-9a-z]{8,32})-(\d{1,16})\Z")


@dataclass(frozen=True)
class Discarded:
    """A run that waits to be erased."""

    run_id: str
    until: float
    """When it is erased, seconds since the epoch."""
    path: Path


class Wastebasket:
    """The deleted runs of one folder. From any thread; several processes may look after it."""

    def __init__(
        self,
        store: RunStore,
        seconds: float = UNDO_SECONDS,
        erased: Callable[[str], None] = lambda run_id: None,
    ) -> None:
        """Erase what is overdue and set the clock for the rest.

        `erased` is told of every run that this process erases.
        """
        self._store, self._seconds, self.erased = store, seconds, erased
        self._lock = threading.Lock()
        self._clock: threading.Timer | None = None
        self.erase_due()

    def put(self, run_id: str) -> float:
        """Set a run aside; returns when it will be erased. The caller checks that it may.

        Raises:
            UserError: no such run.
        """
        folder = self._store.folder(run_id)
        until = time.time() + self._seconds
        folder.rename(self._store.path / f".undo-{run_id}-{int(until * 1000)}")
        self._store.forget(run_id)
        self._wind()
        return until

    def restore(self, run_id: str, key: str) -> None:
        """Bring a run back.

        Raises:
            UserError: it is erased already, or it is somebody else's.
        """
        found = next((one for one in self.waiting() if one.run_id == run_id), None)
        if found is None or found.until <= time.time():
            raise UserError("That run is erased already.", "It cannot be brought back.")
        if not is_owner(found.path, key):
            raise UserError("That run belongs to somebody else.", "Only its owner brings it back.")
        try:
            found.path.rename(self._store.path / run_id)
        except OSError:  # erased, or brought back in another window
            raise UserError("That run is erased already.", "It cannot be brought back.") from None

    def of(self, key: str) -> list[Discarded]:
        """What the key's owner can bring back, deleted last first."""
        now = time.time()
        return [
            one for one in reversed(self.waiting()) if one.until > now and is_owner(one.path, key)
        ]

    def waiting(self) -> list[Discarded]:
        """All that is set aside, deleted first first."""
        found = []
        for path in self._store.path.glob(".undo-*"):
            name = NAME.match(path.name)
            if name:
                found.append(Discarded(name[1], int(name[2]) / 1000, path))
        return sorted(found, key=lambda one: one.until)

    def erase_due(self) -> None:
        """Erase what is overdue, and look again when the next one is."""
        for one in self.waiting():
            if one.until <= time.time() and self._store.erase(one.path, one.run_id):
                self.erased(one.run_id)
        self._wind()

    def close(self) -> None:
        """Stop the clock; what is left is erased by whoever opens the folder next."""
        with self._lock:
            if self._clock is not None:
                self._clock.cancel()

    def _wind(self) -> None:
        waiting = self.waiting()
        with self._lock:
            if self._clock is not None:
                self._clock.cancel()
            if not waiting:
                return
            # A moment later, so that what is due is due by the time's last digit.
            pause = max(waiting[0].until - time.time(), 0.0) + 0.05
            self._clock = threading.Timer(pause, self._tick)
            self._clock.daemon = True
            self._clock.start()

    def _tick(self) -> None:
        # The folder for runs may be gone by now.
        with suppress(OSError):
            self.erase_due()
