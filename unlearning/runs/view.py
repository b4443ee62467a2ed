"""Fold events into what a page, a command line or a report shows.

A reload, a second viewer, a recorded run and a test all take this one path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from unlearning.runs.events import (
    Answer,
    AnyEvent,
    Collapsed,
    Ended,
    Entered,
    Failed,
    Health,
    Levels,
    Measured,
    Noticed,
    Probed,
    Resumed,
    RolledBack,
    ScoreValue,
    Snapshotted,
    Started,
    Status,
    Stepped,
    Stopped,
    Taught,
    TextScores,
)

LIVE: frozenset[str] = frozenset({"queued", "running", "stopping"})
"""States in which more events may come."""


@dataclass
class Series:
    """One curve: steps strictly rising, one value each (NaN and infinity included)."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        """Append a point; points of this step or a later one make way for it."""
        self.cut(step - 1)
        self.steps.append(step)
        self.values.append(value)

    def cut(self, step: int) -> None:
        """Drop the points after `step`."""
        while self.steps and self.steps[-1] > step:
            self.steps.pop()
            self.values.pop()


@dataclass
class View:
    """What is known of a run so far.

    `series` keys: 'forget_nll', 'term/NAME', 'extra/NAME', 'gradient_norm', 'learning_rate',
    'score/METRIC/ROLE', 'health', 'teach/loss', 'teach/memorized'.
    """

    status: Status = "queued"
    phase: str = ""
    method: str = ""
    model: str = ""
    step: int = 0
    steps: int = 0
    taught: int = 0
    """Steps of teaching done."""
    started: Started | None = None
    begun: float | None = None
    """Time of the first event, seconds since the epoch."""
    updated: float = 0.0
    """Time of the latest event."""
    step_seconds: float = 0.0
    """Smoothed duration of a step."""
    memory: int = 0
    """Bytes in use after the latest step."""
    memory_peak: int = 0
    """Most bytes in use so far."""
    series: dict[str, Series] = field(default_factory=dict)
    answers: dict[int, tuple[Answer, ...]] = field(default_factory=dict)
    """Pinned answers by step."""
    health: Health = field(default_factory=lambda: Health(meter=0.0))
    scores: dict[str, dict[str, dict[str, ScoreValue]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Metric to why the last panel has no score of it."""
    """Stage ('original', 'unlearned', ...) to metric to role to score."""
    membership: dict[str, dict[str, TextScores]] = field(default_factory=dict)
    """Stage to membership attack to the scores of the texts."""
    levels: Levels | None = None
    forgotten_at: int | None = None
    """First step at which forget scores reached the never-saw-it level."""
    over_forgotten: bool = False
    snapshots: list[int] = field(default_factory=list)
    collapse: Collapsed | None = None
    rolled_back: RolledBack | None = None
    stopped: Stopped | None = None
    failed: Failed | None = None
    ended: Ended | None = None
    notices: list[str] = field(default_factory=list)
    version: int = 0
    """Events folded so far."""
    revision: int = 0
    """Rises when earlier points became void: charts must draw anew."""

    @property
    def live(self) -> bool:
        """Whether more events may come."""
        return self.status in LIVE

    def curve(self, name: str) -> Series:
        """The series of that name, empty if there is none yet."""
        return self.series.get(name) or Series()

    def copy(self) -> View:
        """A view that further folding of this one does not change."""
        return replace(
            self,
            series={k: Series(s.steps.copy(), s.values.copy()) for k, s in self.series.items()},
            answers=self.answers.copy(),
            scores=self.scores.copy(),
            membership=self.membership.copy(),
            snapshots=self.snapshots.copy(),
            notices=self.notices.copy(),
        )

    def _add(self, name: str, step: int, value: float) -> None:
        self.series.setdefault(name, Series()).add(step, value)

    def fold(self, event: AnyEvent) -> View:
        """Take one event in; returns itself."""
        self.version += 1
        self.begun = event.time if self.begun is None else self.begun
        self.updated = event.time
        match event:
            case Entered():
                self.phase, self.status = event.phase, "running"
            case Noticed():
                self.notices.append(event.message)
            case Started():
                self.started, self.method, self.model = event, event.method, event.model
                self.steps = event.steps
            case Taught():
                self._teach(event)
            case Measured():
                self.scores[event.stage] = event.scores
                self.membership[event.stage] = event.membership
                self.missing = event.missing
            case Levels():
                self.levels = event
            case Stepped():
                self._step(event)
            case Probed():
                self._probe(event)
            case Snapshotted():
                self.snapshots = [s for s in self.snapshots if s != event.step] + [event.step]
            case Collapsed():
                self.collapse = event
            case RolledBack():
                self._roll_back(event)
            case Resumed():
                self._resume(event)
            case Stopped():
                self.stopped = event
            case Failed():
                self.failed, self.status = event, "failed"
            case Ended():
                self.ended, self.status, self.step = event, event.status, event.step
                self.failed = None  # of an earlier try, where Resumed never came
        return self

    def _teach(self, event: Taught) -> None:
        if event.step <= self.taught:
            self.revision += 1  # teaching began again
        self.taught = event.step
        self._add("teach/loss", event.step, event.loss)
        if event.memorized is not None:
            self._add("teach/memorized", event.step, event.memorized)

    def _step(self, event: Stepped) -> None:
        self.step = event.step
        self._add("forget_nll", event.step, event.forget_nll)
        self._add("gradient_norm", event.step, event.gradient_norm)
        self._add("learning_rate", event.step, event.learning_rate)
        for name, value in event.terms.items():
            self._add(f"term/{name}", event.step, value)
        for name, value in event.extras.items():
            self._add(f"extra/{name}", event.step, value)
        self.memory = event.memory
        self.memory_peak = max(self.memory_peak, event.memory, event.memory_peak)
        smooth = 0.8 if self.step_seconds else 0.0
        self.step_seconds = smooth * self.step_seconds + (1 - smooth) * event.seconds

    def _probe(self, event: Probed) -> None:
        self.answers[event.step] = event.answers
        self.health = event.health
        self._add("health", event.step, event.health.meter)
        for metric, by_role in event.scores.items():
            for role, value in by_role.items():
                self._add(f"score/{metric}/{role}", event.step, value)
        if event.forgotten and self.forgotten_at is None:
            self.forgotten_at = event.step
        self.over_forgotten = event.over_forgotten

    def _roll_back(self, event: RolledBack) -> None:
        """What is kept is the snapshot; the collapse stays in the curves and in its card."""
        self.rolled_back, self.step = event, event.to
        curve = self.curve("health")
        looks = zip(curve.steps, curve.values, strict=True)
        self.health = Health(
            meter=max((look for look in looks if look[0] <= event.to), default=(0, 0.0))[1]
        )
        if event.asked:
            # The figures are of the step that was left.
            self.failed = None
            self._forget_result(event.to)

    def _resume(self, event: Resumed) -> None:
        self.revision += 1
        self.status, self.step, self.steps = "running", event.step, event.steps
        self.failed = self.ended = self.stopped = self.collapse = self.rolled_back = None
        for name, series in self.series.items():
            if not name.startswith("teach/"):
                series.cut(event.step)
        self.answers = {step: a for step, a in self.answers.items() if step <= event.step}
        self.snapshots = [step for step in self.snapshots if step <= event.step]
        self._forget_result(event.step)
        self.health = Health(meter=next(reversed(self.curve("health").values), 0.0))

    def _forget_result(self, step: int) -> None:
        """What was said of later weights no longer holds."""
        self.scores.pop("unlearned", None)
        self.membership.pop("unlearned", None)
        if self.forgotten_at is not None and self.forgotten_at > step:
            self.forgotten_at = None
        self.over_forgotten = False


def view_of(events: Iterable[AnyEvent]) -> View:
    """Fold a whole log."""
    view = View()
    for event in events:
        view.fold(event)
    return view
