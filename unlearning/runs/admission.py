"""Who may change a run, and whether there is room for more."""

from __future__ import annotations

from unlearning.errors import UserError
from unlearning.runs.limits import Limits
from unlearning.runs.standing import Standing
from unlearning.runs.store import RunStore
from unlearning.runs.view import LIVE


class Admission:
    """Every check raises `UserError` with what to do instead. Call them behind the door."""

    def __init__(self, store: RunStore, standing: Standing, limits: Limits) -> None:
        self._store, self._standing, self.limits = store, standing, limits

    def owner(self, run_id: str, key: str) -> None:
        """Only the owner changes a run."""
        if not self._store.owned_by(run_id, key):
            raise UserError(
                "This run belongs to somebody else; you can watch it.",
                "Start your own run in Set up.",
            )

    def ended(self, run_id: str, hint: str) -> None:
        """Nothing is under way on the run; `hint` says what to do where it still runs."""
        status = self._standing.status(run_id)
        if status in LIVE:
            raise UserError(f"The run is still {status}.", hint)
        job = self._standing.attack(run_id)
        if job is not None and job.live:
            raise UserError(
                "An attack on this run is under way.", "Stop it first, or wait for its end."
            )
        merged = self._standing.merge(run_id)
        if merged is not None and merged.live:
            raise UserError("The merged model of this run is being written.", "Wait for its end.")

    def merge(self, key: str) -> None:
        """One merged model at a time for each owner, where owners are limited."""
        if key and self.limits.queued_per_owner is not None and self._standing.merged(key):
            raise UserError(
                "You already have a merged model waiting or being written.",
                "Wait for its end before you ask for another.",
            )

    def room(self, key: str, wanted: int = 1, what: str = "runs") -> None:
        """The owner and the queue have room; `what` is told where it is too little."""
        live, most = self._standing.live(key), self.limits.queued_per_owner
        attacked = self._standing.attacked(key)
        if key and most is not None and attacked and len(live) + len(attacked) >= most:
            raise UserError(
                f"You already have an attack on run {attacked[0]} waiting or running.",
                "Wait for its end, or stop it, before you start another.",
            )
        if key and most is not None and len(live) >= most:
            place = next((p for p in map(self._standing.place, live) if p is not None), None)
            where = f"next is number {place} in the queue" if place else "running"
            runs = "1 run" if len(live) == 1 else f"{len(live)} runs"
            raise UserError(
                f"You already have {runs} waiting or running ({where}).",
                "Wait for its end, or stop it, before you start another.",
            )
        full = self.limits.queued
        waiting = len(self._standing.line().waiting)
        if full is not None and waiting + wanted > full:
            if waiting >= full:
                raise UserError(f"The queue is full: {full} runs are waiting.", "Try again later.")
            raise UserError(
                f"The queue has room for {full - waiting} more, not for {wanted}.",
                f"Choose fewer {what}, or try again later.",
            )
