"""Start the worker process so that it outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen

PACKAGE = Path(__file__).resolve().parents[1]
LOG = "log.txt"
LOG_BYTES = 2**20
"""A longer log is begun anew with the next worker."""
TAIL_BYTES = 4000


def launch(options: Sequence[str], folder: Path) -> Popen[bytes]:
    """Start `python -m unlearning.workers.serve` with these options; output goes to `folder`."""
    log = folder / LOG
    mode = "wb" if log.exists() and log.stat().st_size > LOG_BYTES else "ab"
    with log.open(mode) as output:
        return Popen(
            [sys.executable, "-m", "unlearning.workers.serve", *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(),
            **_detached(),
        )


def _environment() -> dict[str, str]:
    paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        # The page may have been started from another folder than the package's.
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _detached() -> dict[str, int | bool]:
    """Out of reach of the terminal's signals and of the parent's end."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}


def tail(folder: Path) -> str:
    """The end of the worker's log."""
    log = folder / LOG
    if not log.exists():
        return ""
    with log.open("rb") as text:
        text.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return text.read().decode("utf-8", errors="replace")


def newest_change() -> float:
    """When the code of this package last changed, seconds since the epoch."""
    return max(path.stat().st_mtime for path in PACKAGE.rglob("*.py"))
