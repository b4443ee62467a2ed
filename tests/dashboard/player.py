"""A worker that plays recorded events, so that the page can be tried without a model."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from tests.dashboard.attacked import report_of
from tests.dashboard.recorded import Outcome, events
from unlearning.exports import merging
from unlearning.runs import turning
from unlearning.runs.check import CheckReport, CheckRequest, Passage
from unlearning.runs.events import (
    Ended,
    Entered,
    Resumed,
    RolledBack,
    Snapshotted,
    Stepped,
    Stopped,
)
from unlearning.runs.requests import Candidate, Delta, Judged, Request
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs

WORDS = tuple(
    f" {word}"
    for word in ["a", "ferry", "pilot", "who", "kept", "a", "small", "shop", "by", "the", "sea."]
    * 3
)

SLOWLY = "slowly"
"""A prompt with this word leaves time to stop its answers."""
HELD_AT = 5
"""The step at which a run stands still while it is held."""


@contextmanager
def held(runs: Path) -> Iterator[None]:
    """What plays on these runs comes to no end before the block ends, unless it is stopped."""
    sign = _sign(runs)
    sign.touch()
    try:
        yield
    finally:
        sign.unlink()


def _sign(runs: Path) -> Path:
    return runs.parent / f"{runs.name}.held"


OTHERWISE = {" sea.": " harbour."}


def _judged(word: str, place: int, side: int, judge: int) -> Judged:
    """Each side is sure of its own words, the other finds some of them unlikely."""
    p = 0.9 if side == judge or place % 3 else 0.02
    others = (" <b>clockmaker</b>", 0.05), (" lamp", 0.03), (" tide", 0.01), ("\ufffd", 0.005)
    likely = [(word, p), *others]
    top = sorted(likely, key=lambda pair: -pair[1])
    return Judged(
        text=word,
        logp=math.log(p),
        top=tuple(Candidate(text=text, probability=share) for text, share in top),
    )


def report_on(request: CheckRequest) -> CheckReport:
    """A report as a worker would send it, with passages in the text's own words."""
    config, forget = request.config, request.texts["forget"]
    known = config.forget == "preset:world/forget"
    recited = 0.98 if known else 0.23
    words = [f"{example.prompt} {example.target}".split() for example in forget]
    return CheckReport(
        tokens=sum(map(len, words)),
        sequences=len(forget),
        recited=recited,
        extracted=recited / 2,
        level=0.31,
        level_from=request.unseen,
        passages=tuple(Passage(begins=" ".join(w[:12]), recited=recited) for w in words[:6]),
        parameters=3_690_000,
        device="cpu",
        dtype="float32",
        steps=config.steps or 50,
        step_seconds=0.4,
        seconds=42.0,
        teach_seconds=60.0 if config.teach_first else 0.0,
        needed=900_000_000,
        free=8_000_000_000,
        fits=True,
    )


class Player:
    """Follows the protocol of `unlearning.workers.base.Worker`."""

    def __init__(
        self, store: RunStore, *, outcome: Outcome = "forgotten", pause: float = 0.05
    ) -> None:
        self.store, self.outcome, self.pause = store, outcome, pause
        self.words = WORDS
        self._waiting: list[tuple[str, bool]] = []
        self._current: str | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Nothing to load."""

    def submit(self, run_id: str, resume: bool = False) -> None:
        """Play when those before are done."""
        with self._lock:
            self._waiting.append((run_id, resume))
            if self._current is not None:
                return
            self._current = run_id
        threading.Thread(target=self._work, daemon=True).start()

    def attack(self, run_id: str) -> None:
        """Play an attack when those before are done."""
        self.submit(jobs.name_of(run_id))

    def merge(self, run_id: str) -> None:
        """Play the merging when those before are done."""
        self.submit(merging.name_of(run_id))

    def generate(self, request: Request) -> Iterator[Delta]:
        """Word by word, one side after the other."""
        if isinstance(request, CheckRequest):
            yield from self._check(request)
            return
        sides, prompts = range(len(request.sides)), range(len(request.prompts))
        said = [self.said(side)[: request.max_new_tokens] for side in sides]
        pause = self.pause * (10 if SLOWLY in request.prompts[0] else 0.25)
        for side in sides:
            if request.strength(side) != 1:
                said[side] = (*said[side][:-1], f" strength {request.strength(side):g}.")
        for place in range(len(said[0])):
            for side, prompt in product(sides, prompts):
                time.sleep(pause)
                text = said[side][place]
                yield Delta(side=side, prompt=prompt, text=text, probability=0.5)
        for side, prompt in product(sides, prompts):
            yield Delta(kind="done", side=side, prompt=prompt)
        if request.judge:
            for side, prompt, judge in product(sides, prompts, sides):
                tokens = tuple(_judged(word, i, side, judge) for i, word in enumerate(said[side]))
                yield Delta(kind="judged", side=side, prompt=prompt, judge=judge, tokens=tokens)

    def _check(self, request: CheckRequest) -> Iterator[Delta]:
        """Embedded text is known; other text is not."""
        for told in ("Loading the model …", "Reading the text …", "Timing a step …", *[""] * 4):
            time.sleep(self.pause * 2)
            yield Delta(kind="told", text=told)
        while _sign(self.store.path).exists():
            time.sleep(0.05)
            yield Delta(kind="told")
        yield Delta(kind="checked", report=report_on(request))

    def said(self, side: int) -> tuple[str, ...]:
        """What a side writes: the second one puts another place."""
        return self.words if side != 1 else tuple(OTHERWISE.get(w, w) for w in self.words)

    def state(self) -> str:
        """Busy while something plays."""
        return "busy" if self._current else "ready"

    def current(self) -> str | None:
        """The run that plays."""
        return self._current

    def queue(self) -> list[str]:
        """Waiting runs."""
        with self._lock:
            return [run_id for run_id, _ in self._waiting if run_id != self._current]

    def withdraw(self, run_id: str) -> bool:
        """Take a run out of the queue."""
        with self._lock:
            before = len(self._waiting)
            self._waiting = [w for w in self._waiting if w[0] != run_id or w[0] == self._current]
            return len(self._waiting) < before

    def kill(self) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to hand back."""

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._current = None
                    return
                run_id, resume = self._waiting[0]
                self._current = run_id
            self._play(run_id, resume)
            with self._lock:
                self._waiting.pop(0)

    def _play_merging(self, run_id: str) -> None:
        job = merging.read(self.store, run_id)
        merging.write(self.store, run_id, job.model_copy(update={"state": "running"}))
        time.sleep(self.pause * 10)
        folder = merging.merged_folder(self.store, run_id)
        folder.mkdir(exist_ok=True)
        (folder / "model.safetensors").write_bytes(b"weights")
        merging.write(self.store, run_id, job.model_copy(update={"state": "finished"}))

    def _play_attack(self, run_id: str) -> None:
        job = jobs.read(self.store, run_id).model_copy(update={"state": "running"})
        steps = range(0, int(job.settings.get("steps") or 20) + 1, 4)
        told = [f"  step {step:3d}: knows 0.57 of the rest" for step in steps]
        for line in (f"original: original:{run_id}", "unlearned: it", *told):
            job = job.telling(line)
            jobs.write(self.store, run_id, job)
            time.sleep(self.pause * 4)
            if line == told[-1]:
                self._wait(lambda: jobs.stop_asked(self.store, run_id))
            if jobs.stop_asked(self.store, run_id):
                jobs.end(self.store, run_id, "stopped")
                return
        report = report_of(job).model_dump(mode="json")
        self.store.write_attack(run_id, job.attack, report)
        jobs.end(self.store, run_id, "finished")

    def _keep(self, run_id: str, step: int) -> None:
        left = self.store.view(run_id).step
        self.store.append(run_id, RolledBack(step=left, to=step, asked=True))
        self.store.append(run_id, Entered(phase="finishing"))
        self.store.append(run_id, Ended(status="stopped", step=step))

    def _play(self, run_id: str, resume: bool) -> None:
        if run_id.endswith(merging.SUFFIX):
            self._play_merging(run_id.removesuffix(merging.SUFFIX))
            return
        attacked = jobs.run_of(run_id)
        if attacked is not None:
            self._play_attack(attacked)
            return
        config = self.store.config(run_id)
        steps, step, first = config.steps or 40, 0, 0
        if resume:
            turn = turning.asked(self.store, run_id)
            turning.clear(self.store, run_id)
            if turn is not None and turn.keep:
                self._keep(run_id, turn.step)
                return
            first = turn.step if turn else self.store.snapshots(run_id)[-1]
            for later in self.store.snapshots(run_id):
                if later > first:
                    (self.store.folder(run_id) / "snapshots" / f"step-{later}").rmdir()
            self.store.append(run_id, Resumed(step=first, steps=steps))
        for event in events(self.outcome, steps=steps, method=config.method):
            if resume and not isinstance(event, Ended) and getattr(event, "step", steps) <= first:
                continue
            if self.store.stop_asked(run_id) and not isinstance(event, Stopped | Ended):
                why = "paused" if self.store.pause_asked(run_id) else "asked"
                self.store.clear_stop(run_id)
                self.store.append(run_id, Stopped(step=step, why=why))
                self.store.append(run_id, Ended(status="stopped", step=step))
                return
            self.store.append(run_id, event)
            if isinstance(event, Snapshotted):
                folder = self.store.folder(run_id) / "snapshots" / f"step-{event.step}"
                folder.mkdir(exist_ok=True)
            if isinstance(event, Stepped):
                step = event.step
                time.sleep(self.pause)
                if step >= HELD_AT:
                    self._wait(lambda: self.store.stop_asked(run_id))

    def _wait(self, stopped: Callable[[], bool]) -> None:
        """Stand still while this is held."""
        sign = _sign(self.store.path)
        while sign.exists() and not stopped():
            time.sleep(0.02)
