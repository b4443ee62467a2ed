"""The last event of a run whose worker died: how, where, and how to go on."""

from __future__ import annotations

import signal

from unlearning.runs.events import Failed
from unlearning.runs.store import RunStore

SHORTER = "use a smaller model, shorter text or a smaller batch"
_BY_HAND = frozenset({signal.SIGTERM.value, signal.SIGINT.value})


def obituary(
    store: RunStore, run_id: str, status: int | None, because: str = "", log: str = ""
) -> Failed:
    """Words for a death.

    Args:
        status: exit status as subprocess gives it (negative: signal); None where nobody knows.
        because: what this program itself did to the worker, if it did.
        log: end of the worker's output, shown where the death looks like a defect.
    """
    place = _place(store, run_id)
    saved = bool(store.snapshots(run_id))
    go_on = "Press Continue to go on from the last snapshot" if saved else "Start it again"
    if because:
        return Failed(message=f"The worker process {because} {place}.", hint=f"{go_on}.")
    how, defect = _how(status, place)
    return Failed(
        message=f"The worker process {how}.",
        hint=f"{go_on}, or {SHORTER}.",
        traceback=log if defect else "",
    )


def obituary_of_attack(status: int | None, because: str = "", log: str = "") -> Failed:
    """Words for a death during an attack; the arguments are those of `obituary`."""
    place = "during the attack"
    if because:
        return Failed(message=f"The worker process {because} {place}.", hint="Start it again.")
    how, defect = _how(status, place)
    return Failed(
        message=f"The worker process {how}.",
        hint="Start the attack again, or let it read fewer texts.",
        traceback=log if defect else "",
    )


def _place(store: RunStore, run_id: str) -> str:
    view = store.view(run_id)
    if view.phase == "training" and view.step:
        return f"at step {view.step}"
    return f"while {view.phase}" if view.phase else "before the run began"


def _how(status: int | None, place: str) -> tuple[str, bool]:
    """How it died, and whether that looks like a defect."""
    memory = "possibly by the system for lack of memory"
    if status is None:
        return f"ended unexpectedly {place}, {memory}", False
    number = -status
    if number == 9:
        return f"was killed {place} (signal 9), {memory}", False
    if number in _BY_HAND:
        return f"was ended from outside {place} (signal {number})", False
    if number > 0:
        return f"crashed {place} (signal {number})", True
    return f"ended {place} with status {status}", True
