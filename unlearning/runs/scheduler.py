"""All runs seen from the page: queue, owners and limits before the one worker.

Thread-safe. The key that callers hand over is a secret of their browser; the empty key is the
local command line. A run without owner belongs to everybody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from unlearning.attacks.base import Attack
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.runs import turning, votes
from unlearning.runs.admission import Admission
from unlearning.runs.check import CheckRequest
from unlearning.runs.events import Status
from unlearning.runs.limits import Limits
from unlearning.runs.prepare import check_left, kept_step
from unlearning.runs.requests import Delta, GenerateRequest, Request
from unlearning.runs.standing import Line, Standing
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.runs.summary import Summary, summary_of
from unlearning.runs.turning import Turn
from unlearning.runs.view import LIVE, View
from unlearning.runs.wastebasket import Discarded, Wastebasket
from unlearning.workers.base import State, Worker
from unlearning.workers.execute import end_unstarted

LONGEST_LABEL = 80


class Scheduler:
    """The one way for a page or a command line to start, watch and change runs."""

    def __init__(self, store: RunStore, worker: Worker, limits: Limits | None = None) -> None:
        self.store, self.worker = store, worker
        self._standing = Standing(store, worker)
        self.wastebasket = Wastebasket(store)
        jobs.sweep_apart(store)
        limits = limits if limits is not None else Limits()
        self._admission = Admission(store, self._standing, limits)
        self._door = self._standing.door
        # Reentrant: an abandoned iterator may be closed by the garbage collector anywhere.
        self._counting = threading.RLock()
        self._asking: Counter[str] = Counter()

    @property
    def limits(self) -> Limits:
        """What one visitor may ask for."""
        return self._admission.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._admission.limits = limits

    # watching

    def status(self, run_id: str) -> Status:
        """What the run is doing; a death of the worker is noticed here."""
        return self._standing.status(run_id)

    def view(self, run_id: str) -> View:
        """The run folded so far, with its status as of now. Do not change what it returns."""
        status = self.status(run_id)
        return replace(self.store.view(run_id), status=status)

    def place(self, run_id: str) -> int | None:
        """Place in the queue: 1 comes next; None if the run does not wait."""
        return self._standing.place(run_id)

    def active(self, key: str) -> str | None:
        """The newest live run that was started with this key."""
        return next(reversed(self._standing.live(key)), None)

    def owned(self, run_id: str, key: str) -> bool:
        """Whether the key may change the run."""
        return self.store.owned_by(run_id, key)

    def summaries(self, key: str = "") -> list[Summary]:
        """All runs, newest first. A run whose log cannot be read is listed as failed."""
        line = self._standing.line()
        rows = (self._summary(run_id, key, line) for run_id in self.store.ids())
        return [row for row in rows if row is not None]

    def attack_job(self, run_id: str) -> jobs.AttackJob | None:
        """The last attack asked for on the run, and where it stands."""
        return self._standing.attack(run_id)

    def attack_place(self, run_id: str) -> int | None:
        """Place of the attack in the queue: 1 comes next; None if it does not wait."""
        return self._standing.place(jobs.name_of(run_id))

    def worker_state(self) -> State:
        """What the worker is doing."""
        return self.worker.state()

    # changing

    def submit(
        self, config: RunConfig, texts: Mapping[Role, Sequence[Example]], key: str = ""
    ) -> str:
        """Create a run and put it into the queue; returns its id.

        Raises:
            UserError: a limit, or this owner's place in the queue.
        """
        self.limits.check_run(config, texts)
        with self._door:
            self._admission.room(key)
            run_id = self.store.create(config, texts, owner=key)
            entry = self._standing.enter(run_id)
        with entry:
            self.worker.submit(run_id)
        return run_id

    def resume(
        self, run_id: str, key: str = "", steps: int | None = None, step: int | None = None
    ) -> None:
        """Go on, to more steps in all where `steps` is given.

        From the snapshot of `step`, and what lies beyond it is dropped; without one from the last.

        Raises:
            UserError: not the owner's, still live, without snapshot, or nothing left to do.
        """
        self._admission.owner(run_id, key)
        with self._door:
            self._admission.ended(run_id, "Stop it first, or wait for its end.")
            self._admission.room(key)
            check_left(self.store, run_id, steps, step)
            if steps is not None:
                self.limits.check_steps(steps)
                self.store.change_config(run_id, steps=steps)
            entry = self._again(run_id, None if step is None else Turn(step=step))
        with entry:
            self.worker.submit(run_id, resume=True)

    def roll_back(self, run_id: str, step: int, key: str = "") -> None:
        """Make an earlier snapshot the result of an ended run; it is measured anew.

        Raises:
            UserError: not the owner's, still live, or there is no such snapshot.
        """
        self._admission.owner(run_id, key)
        with self._door:
            self._admission.ended(run_id, "Stop it first, or wait for its end.")
            self._admission.room(key)
            kept = Turn(step=kept_step(self.store, run_id, str(step)), keep=True)
            entry = self._again(run_id, kept)
        with entry:
            self.worker.submit(run_id, resume=True)

    def stop(self, run_id: str, key: str = "", *, pause: bool = False) -> None:
        """Take a waiting run out of the queue, or ask a running one to stop.

        With `pause` the result is not measured: the run is only to go on later.

        Raises:
            UserError: not the owner's.
        """
        self._admission.owner(run_id, key)
        if self.worker.withdraw(run_id):
            end_unstarted(self.store, run_id)
        elif self.status(run_id) in LIVE:
            self.store.ask_stop(run_id, pause=pause)

    def race(
        self,
        configs: Sequence[RunConfig],
        texts: Mapping[Role, Sequence[Example]],
        key: str = "",
        what: str = "methods",
    ) -> list[str]:
        """Put several runs on the same texts into the queue in one go; returns their ids.

        `what` says in which they differ, for messages.

        Raises:
            UserError: a limit, or this owner's place in the queue; then nothing was created.
        """
        self.limits.check_race(len(configs), what)
        for config in configs:
            self.limits.check_run(config, texts)
        with self._door:
            self._admission.room(key, len(configs), what)
            made: list[str] = []
            try:
                for config in configs:
                    made.append(self.store.create(config, texts, owner=key))
                for run_id in made:
                    self.store.join_race(run_id, made)
            except Exception:
                for run_id in made:
                    self.store.delete(run_id)
                raise
            entries = [(run_id, self._standing.enter(run_id)) for run_id in made]
        for run_id, entry in entries:
            with entry:
                self.worker.submit(run_id)
        return made

    def delete(self, run_id: str, key: str = "") -> float:
        """Set a run aside; its texts and weights are erased a minute later.

        Returns when that is, in seconds since the epoch.

        Raises:
            UserError: not the owner's, or still live.
        """
        self._admission.owner(run_id, key)
        with self._door:
            self._admission.ended(run_id, "Stop it first, then delete it.")
            return self.wastebasket.put(run_id)

    def undelete(self, run_id: str, key: str = "") -> None:
        """Bring a deleted run back.

        Raises:
            UserError: not the owner's, or erased already.
        """
        self.wastebasket.restore(run_id, key)

    def deleted(self, key: str = "") -> list[Discarded]:
        """Runs that this owner can still bring back, deleted last first."""
        return self.wastebasket.of(key)

    def attack(self, run_id: str, attack: Attack, key: str = "", step: int | None = None) -> None:
        """Put an attack on an ended run into the queue; `step` names a snapshot.

        Raises:
            UserError: not the owner's, still live, without weights, a limit, or another attack
                on the run is not over.
        """
        self._admission.owner(run_id, key)
        self.limits.check_attack(attack)
        with self._door:
            self._admission.ended(run_id, "Stop it first, or wait for its end.")
            target = jobs.target_of(self.store, run_id, step)
            self.limits.check_training(attack, jobs.steps_of(self.store, target))
            self._admission.room(key)
            entry = self._standing.enter(jobs.name_of(run_id))
            jobs.clear_stop(self.store, run_id)
            jobs.write(self.store, run_id, jobs.asked(attack, target))
        with entry:
            self.worker.attack(run_id)

    def stop_attack(self, run_id: str, key: str = "") -> None:
        """Take a waiting attack out of the queue, or ask one under way to stop.

        Raises:
            UserError: not the owner's.
        """
        self._admission.owner(run_id, key)
        if self.worker.withdraw(jobs.name_of(run_id)):
            jobs.end(self.store, run_id, "stopped")
            return
        job = self.attack_job(run_id)
        if job is not None and job.live:
            jobs.ask_stop(self.store, run_id)

    def merge(self, run_id: str, key: str = "", step: int | None = None) -> None:
        """Put the merged model of an ended run into the queue; `step` names a snapshot.

        Raises:
            UserError: not the owner's, still live, without weights, a limit, or it is on its way.
        """
        self._admission.owner(run_id, key)
        with self._door:
            self._admission.ended(run_id, "Stop it first, or wait for its end.")
            job = merging.asked(self.store, run_id, step)
            self._admission.room(key)
            self._admission.merge(key)
            entry = self._standing.enter(merging.name_of(run_id))
            merging.write(self.store, run_id, job)
        with entry:
            self.worker.merge(run_id)

    def merge_job(self, run_id: str) -> merging.MergeJob | None:
        """The merged model asked for last; one that nobody writes any more failed."""
        return self._standing.merge(run_id)

    def relabel(self, run_id: str, label: str, key: str = "") -> None:
        """Give a run another name in the list.

        Raises:
            UserError: not the owner's.
        """
        self._admission.owner(run_id, key)
        words = " ".join(label.split())[:LONGEST_LABEL]
        with self._door:
            self.store.change_config(run_id, label=words)

    def vote(self, run_id: str, vote: votes.Vote, key: str = "") -> None:
        """Keep a blind vote with a run.

        Raises:
            UserError: not the owner's, or the same vote again.
        """
        self._admission.owner(run_id, key)
        with self._door:
            votes.add(self.store, run_id, vote)

    def generate(self, request: GenerateRequest, key: str = "") -> Iterator[Delta]:
        """Stream answers. Runs of others may be asked, too: asking changes nothing.

        Raises:
            UserError: a limit, a run that does not exist, or too many requests wait.
        """
        self.limits.check_request(request)
        for side in request.sides:
            kind, _, rest = side.partition(":")
            if kind in ("run", "original"):
                self.store.folder(rest.partition("@")[0])
        return self._ask(request, key)

    def check(
        self, config: RunConfig, texts: Mapping[Role, Sequence[Example]], key: str = ""
    ) -> Iterator[Delta]:
        """Stream what a check of a run finds before it is started; nothing is kept.

        Raises:
            UserError: a limit, or too many requests wait.
        """
        self.limits.check_run(config, texts)
        return self._ask(CheckRequest.of(config, texts), key)

    def close(self) -> None:
        """The page goes away."""
        self.wastebasket.close()
        self.worker.close()

    # parts

    def _again(self, run_id: str, turn: Turn | None) -> AbstractContextManager[None]:
        """An ended run enters the queue once more."""
        turning.ask(self.store, run_id, turn)
        self.store.clear_stop(run_id)
        return self._standing.enter(run_id)

    def _summary(self, run_id: str, key: str, line: Line) -> Summary | None:
        try:
            head, mine = self.store.head(run_id), self.owned(run_id, key)
            try:
                view, status = self.store.view(run_id), self._standing.status(run_id, line)
            except UserError:  # unreadable, unless it is gone
                self.store.folder(run_id)
                view, status = View(), "failed"
        except (UserError, FileNotFoundError):  # deleted while this looks
            return None
        return summary_of(head, view, status, mine)

    def _ask(self, request: Request, key: str) -> Iterator[Delta]:
        with self._counting:
            most = self.limits.requests_per_owner
            if key and most is not None and self._asking[key] >= most:
                raise UserError(
                    f"You are already waiting for {most} answers.", "Wait for one, or stop it."
                )
            self._asking[key] += 1
        try:
            yield from self.worker.generate(request)
        finally:
            with self._counting:
                self._asking[key] -= 1
