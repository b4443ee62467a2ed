"""Who is alive: a process leaves its mark in a file and touches the file while it lives."""

from __future__ import annotations

import json
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from unlearning.errors import UserError
from unlearning.runs.store import write_atomically

BEAT_SECONDS = 1.0
FRESH_SECONDS = 15.0
"""A touch younger than this counts as life where the process itself cannot be looked at."""
CLAIM = "executor.json"
"""File in a run's folder: who executes it."""


class Mark(BaseModel):
    """A process, told apart from any other that gets the same number later."""

    model_config = ConfigDict(frozen=True)

    pid: int
    born: float
    """Start of the process: clock ticks since boot on Linux, seconds since the epoch elsewhere."""
    host: str

    def same(self, other: Mark | None) -> bool:
        """Whether both mean one process."""
        if other is None or (self.pid, self.host) != (other.pid, other.host):
            return False
        return abs(self.born - other.born) < 0.5


def mark_of(pid: int) -> Mark:
    """The mark of a process of this machine."""
    return Mark(pid=pid, born=_born(pid), host=platform.node())


@cache
def own_mark() -> Mark:
    """The mark of this process."""
    return mark_of(os.getpid())


def alive(mark: Mark, beat: float) -> bool:
    """Whether the process lives; `beat` is when its file was last touched, seconds since epoch."""
    if mark.host != platform.node():
        return time.time() - beat < FRESH_SECONDS
    try:
        if psutil.Process(mark.pid).status() == psutil.STATUS_ZOMBIE:
            return False
        return mark_of(mark.pid).same(mark)
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return False
    except psutil.AccessDenied:
        return time.time() - beat < FRESH_SECONDS


def _born(pid: int) -> float:
    if sys.platform == "linux":
        # Unlike psutil's create_time, this does not move when the clock is set.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return float(stat[stat.rindex(")") + 2 :].split()[19])
    return psutil.Process(pid).create_time()


def leave_mark(path: Path) -> None:
    """Write this process's mark."""
    write_atomically(path, own_mark().model_dump_json())


def marked_alive(path: Path) -> bool:
    """Whether the process that left its mark there lives."""
    try:
        mark = Mark.model_validate_json(path.read_text(encoding="utf-8"))
        return alive(mark, path.stat().st_mtime)
    except (FileNotFoundError, ValidationError, json.JSONDecodeError):
        return False


@contextmanager
def beating(path: Path) -> Iterator[None]:
    """Touch a file every second from a thread of its own."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_SECONDS):
            with suppress(OSError):
                os.utime(path)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Execute a run alone.

    Raises:
        UserError: another live process executes it.
    """
    path = folder / CLAIM
    if marked_alive(path):
        raise UserError(
            f"Run {folder.name} is being executed by another process.",
            "Wait for it to end, or stop it first.",
        )
    leave_mark(path)
    try:
        with beating(path):
            yield
    finally:
        path.unlink(missing_ok=True)


def claimed(folder: Path) -> bool:
    """Whether a live process executes the run of that folder."""
    return marked_alive(folder / CLAIM)
