"""What a run keeps: snapshots with everything that must come back with them."""

from __future__ import annotations

from dataclasses import dataclass, field

from unlearning.models.base import STUDENT
from unlearning.models.versions import Versions
from unlearning.runs import snapshots
from unlearning.runs.events import RolledBack, Snapshotted
from unlearning.runs.prepare import kept_step
from unlearning.runs.probing import Prober
from unlearning.runs.store import RunStore
from unlearning.runs.trail import Trail
from unlearning.runs.training import Loop


@dataclass
class Keeper:
    """Saves, restores and rolls back one run."""

    store: RunStore
    run_id: str
    versions: Versions
    loop: Loop
    prober: Prober
    trail: Trail = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.store.folder(self.run_id) / "snapshots"
        self.trail = Trail(self.prober)

    def snapshot(self) -> Snapshotted:
        """Keep the step at which the loop stands."""
        loop, detector = self.loop, self.prober.detector
        rest = {
            "cursors": loop.cursors(),
            "rate": loop.rate,
            "detector": {"full_looks": detector.full_looks, "history": detector.history},
            "trail": self.trail.saved(),
        }
        snapshots.save(
            self.folder, loop.step, self.versions, loop.optimizer, loop.state, rest, loop.watched
        )
        if loop.step not in self.trail.snapshots:
            self.trail.snapshots.append(loop.step)
        keep = {0, loop.step, self.trail.healthy(), self.trail.best() or 0}
        for dropped in snapshots.make_room(self.folder, keep):
            self.trail.snapshots.remove(dropped)
        return Snapshotted(step=loop.step, healthy=self.trail.is_healthy(loop.step))

    def restore(self, step: int | None = None, *, drop: bool = True) -> None:
        """Go back to a snapshot, by default the one that stands for the run.

        With `drop` later ones are erased: the run takes another way from here.

        Raises:
            UserError: there is no such snapshot.
        """
        step = kept_step(self.store, self.run_id, "" if step is None else str(step))
        rest = snapshots.load(
            self.folder, step, self.versions, self.loop.optimizer, self.loop.state
        )
        self.loop.restore(step, rest["cursors"])
        self.loop.set_learning_rate(rest["rate"])
        self.prober.detector.full_looks = rest["detector"]["full_looks"]
        self.prober.detector.history = rest["detector"]["history"]
        if drop:
            snapshots.drop_after(self.folder, step)
        self.trail.restore(rest["trail"], self.store.snapshots(self.run_id))

    def roll_back(self) -> RolledBack:
        """Go back to the last healthy snapshot."""
        left, to = self.loop.step, self.trail.healthy()
        rest = snapshots.load(self.folder, to, self.versions, self.loop.optimizer, self.loop.state)
        self.loop.restore(to, rest["cursors"])
        return RolledBack(step=left, to=to)

    def hand_over(self, version: str) -> None:
        """The method gives another version than the student: it takes the student's place."""
        snapshots.hand_over(self.folder, self.loop.step, self.versions, version)
        self.versions.load_state(STUDENT, self.versions.state(version))
