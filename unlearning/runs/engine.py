"""The engine: a run as a generator of events. Knows neither page nor log file.

load -> (teach) -> (other answers) -> measure the original -> train with probes and snapshots
-> measure -> end
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping

from unlearning.config import RunConfig
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.load import Loaded
from unlearning.models.versions import Versions
from unlearning.runs import remembered, snapshots, turning
from unlearning.runs.collapse import SHAKY
from unlearning.runs.events import (
    AnyEvent,
    Collapsed,
    Ended,
    Entered,
    Levels,
    Measured,
    Noticed,
    Probed,
    Resumed,
    RolledBack,
    Stepped,
    Stopped,
    TextScores,
)
from unlearning.runs.ground import Ground, lay
from unlearning.runs.keeping import Keeper
from unlearning.runs.levels import find_level, untaught_level
from unlearning.runs.measure import PANEL_ROLES, panel, some_scores
from unlearning.runs.memory_use import count_peak_anew, memory_in_use, peak_memory
from unlearning.runs.preferred import PREFERRED, Found, find
from unlearning.runs.probing import Prober, pinned
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.store import RunStore
from unlearning.runs.teaching import memorized, teach
from unlearning.runs.training import Loop, Step, StopAskedError

Stop = Callable[[], bool]

TAUGHT_ENOUGH = 0.9
"""Memorization accuracy under which teaching is said to have fallen short."""


class Engine:
    """One run from its folder.

    `asked` names the metrics to measure before and after, by role; without it, all of them.
    """

    def __init__(
        self,
        store: RunStore,
        run_id: str,
        models: ModelShelf,
        *,
        device: str = "auto",
        asked: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.asked = asked
        self.store, self.run_id, self.shelf = store, run_id, models
        self.config: RunConfig = store.config(run_id)
        self.method = self.config.build_method()
        self.device = self.config.device if self.config.device != "auto" else device
        self.ground: Ground | None = None
        self.level: Levels | None = None
        self.loop: Loop | None = None

    @property
    def versions(self) -> Versions | None:
        """The weights in training, once the model is loaded."""
        return self.ground.versions if self.ground else None

    @property
    def watched(self) -> str:
        """The version that stands for the run as it is now."""
        return self.loop.watched if self.loop else STUDENT

    @property
    def loaded(self) -> Loaded | None:
        """Model and tokenizer, once they are there."""
        return self.ground.loaded if self.ground else None

    def events(self, *, resume: bool = False, stop: Stop = lambda: False) -> Iterator[AnyEvent]:
        """Do the run. Ends with `Ended`; a failure is raised, for the worker to write down.

        Raises:
            UserError: bad model, text or setting.
        """
        self.begun = time.perf_counter()
        phases = (self._open, self._teach, self._answer, self._measure_original, self._train)
        for phase in phases:
            if stop():
                yield from self._ended_early(resume)
                return
            yield from phase(resume, stop)

    # phases

    def _open(self, resume: bool, stop: Stop) -> Iterator[AnyEvent]:
        """Model and texts."""
        yield Entered(phase="loading")
        snapshots.sweep(self.store.folder(self.run_id) / "snapshots")
        # What was held for side requests makes room.
        self.shelf.clear()
        texts = self.store.texts(self.run_id)
        self.ground = lay(
            self.store, self.config, self.method, texts, device=self.device, stop=stop
        )
        if not resume:
            yield self.ground.started(texts)
        for notice in self.ground.notices:
            yield Noticed(message=notice)

    def _teach(self, resume: bool, stop: Stop) -> Iterator[AnyEvent]:
        """Memorise the forget text, if asked for; what results is the original of this run."""
        if not self.config.teach_first:
            return
        ground, versions = self.ground, self.versions
        saved = self.store.folder(self.run_id) / "snapshots" / REFERENCE
        if resume and saved.is_dir():
            versions.load_saved(saved, STUDENT)
        else:
            yield Entered(phase="teaching")
            self.level = untaught_level(ground, stop)
            yield self.level
            yield from teach(versions, ground.sets, self.config, self.loaded, stop)
            reached = memorized(
                versions, STUDENT, ground.sets["forget"], self.loaded.tokenizer, stop
            )
            if stop():
                return
            versions.save(STUDENT, saved)
            if reached is not None and reached < TAUGHT_ENOUGH:
                yield Noticed(
                    message=f"After teaching, the model recites {reached:.0%} of the tokens; "
                    "more teaching steps or a higher LoRA rank would bring it nearer to all."
                )
        versions.copy(STUDENT, REFERENCE)

    def _answer(self, resume: bool, stop: Stop) -> Iterator[AnyEvent]:
        """Other answers to the forget prompts, for methods that read them; kept for a resume."""
        ground = self.ground
        if not any(need.startswith(PREFERRED) for need in self.method.passes()):
            return
        kept = self.store.folder(self.run_id) / f"{PREFERRED}.json"
        if resume and kept.is_file():
            found = Found.load(kept)
        else:
            yield Entered(phase="answering")
            found = find(
                self.method,
                self.versions,
                ground.original,
                ground.sets["forget"],
                seed=self.config.seed,
                length=ground.length,
                stop=stop,
            )
            if stop():
                return
            found.save(kept)
        ground.add_preferred(found.encoded)
        for notice in found.notices:
            yield Noticed(message=notice)

    def _measure_original(self, resume: bool, stop: Stop) -> Iterator[AnyEvent]:
        """The panel on the original, and the level at which forgetting ends."""
        yield Entered(phase="measuring")
        if resume:
            self.level = self.store.view(self.run_id).levels
            return
        if self.level is None:
            self.level = find_level(self.store, self.ground, self.device, stop)
            if self.level is not None:
                yield self.level
        where = remembered.place(self.store, self.ground, self.asked)
        known = remembered.recall(where)
        if known is not None:
            yield known
            return
        for measured in self._measure("original", self.ground.original, stop):
            remembered.keep(where, measured)
            yield measured

    def _train(self, resume: bool, stop: Stop) -> Iterator[AnyEvent]:
        """The loop, from the first step or a snapshot to the last step or a reason to stop."""
        keeper = self._keeper(stop)
        if stop():
            yield from self._ended_early(resume)
            return
        loop, steps = keeper.loop, self.ground.chosen["steps"]
        if resume:
            turn = turning.asked(self.store, self.run_id)
            if turn is not None and turn.keep:
                yield from self._keep(keeper, turn.step, stop)
                return
            keeper.restore(turn.step if turn else None)
            turning.clear(self.store, self.run_id)
            yield Resumed(step=loop.step, steps=steps)
        else:
            yield keeper.prober.baseline()
            yield keeper.snapshot()
        yield Entered(phase="training")
        count_peak_anew(self.loaded.device)
        try:
            status = yield from self._loop(keeper, steps, stop)
        except StopAskedError:
            paused = self.store.pause_asked(self.run_id)
            self.store.clear_stop(self.run_id)
            yield Stopped(step=loop.step, why="paused" if paused else "asked")
            status = "paused" if paused else "stopped"
        if loop.step not in self.store.snapshots(self.run_id):
            yield keeper.snapshot()
        yield from self._finish(keeper, status, stop)

    def _keep(self, keeper: Keeper, step: int, stop: Stop) -> Iterator[AnyEvent]:
        """An earlier snapshot becomes the result; later ones stay, to look back at."""
        before = self.store.view(self.run_id)
        keeper.restore(step, drop=False)
        turning.clear(self.store, self.run_id)
        yield RolledBack(step=before.step, to=step, asked=True)
        collapsed = before.collapse is not None and step >= before.collapse.step
        yield from self._finish(keeper, "collapsed" if collapsed else "stopped", stop)

    def _finish(self, keeper: Keeper, status: str, stop: Stop) -> Iterator[AnyEvent]:
        """What results is handed over and measured; a pause leaves the measuring out."""
        handed = self.method.finish(keeper.loop, keeper.loop.state)
        if handed != STUDENT:
            keeper.hand_over(handed)
        if status == "paused":
            yield self._ended("stopped", keeper.loop.step, keeper.trail.best())
            return
        yield Entered(phase="finishing")
        yield from self._measure("unlearned", STUDENT, stop)
        yield self._ended(status, keeper.loop.step, keeper.trail.best())

    def _loop(self, keeper: Keeper, steps: int, stop: Stop) -> Iterator[AnyEvent]:
        """Step, look, keep, until something ends it; returns the status."""
        config, loop, trail = self.config, keeper.loop, keeper.trail
        while loop.step < steps and not loop.idle:
            if stop():
                raise StopAskedError
            done = loop.advance()
            yield self._stepped(loop, done)
            last, reason = loop.step == steps, None
            due = loop.step % config.probe_every == 0
            if last or due or loop.idle or not done.finite:
                probed, collapsed = keeper.prober.probe(loop.step, done.finite)
                trail.see(probed)
                yield probed
                if collapsed and not trail.collapsed:
                    trail.collapsed = True
                    yield Collapsed(
                        step=loop.step, signs=probed.health.signs, answers=probed.answers
                    )
                if collapsed and (config.stop_on_collapse or not done.finite):
                    yield keeper.roll_back()
                    return "collapsed"
                reason = None if last else self._reason_to_stop(probed, loop)
            if last or reason is not None or loop.step % config.snapshot_every == 0:
                yield keeper.snapshot()
            if reason is not None:
                yield reason
                break
        return "finished"

    # parts

    def _keeper(self, stop: Stop) -> Keeper:
        """Loop, prober and snapshots of this run, all at their beginning."""
        ground, chosen, tokenizer = self.ground, self.ground.chosen, self.loaded.tokenizer
        loop = Loop(
            self.method,
            ground.versions,
            ground.sets,
            learning_rate=chosen["learning_rate"],
            batch_size=chosen["batch_size"],
            retain_batch_size=chosen["retain_batch_size"],
            accumulation=self.config.accumulation,
            seed=self.config.seed,
            pad_id=tokenizer.pad_token_id or 0,
            autocast=self.config.full and self.loaded.device.type == "cuda",
            levels=self.level.scores if self.level else None,
            stop=stop,
        )
        room = self.loaded.context_length - 1
        prompts = pinned(ground.looked_at, self.config.prompts, tokenizer, room)
        level = self.level.scores if self.level else None
        self.loop = loop
        prober = Prober(
            ground.versions,
            ground.original,
            ground.looked_at,
            prompts,
            tokenizer,
            stop,
            level,
            lambda: loop.watched,
        )
        return Keeper(self.store, self.run_id, ground.versions, loop, prober)

    def _measure(self, stage: str, version: str, stop: Stop) -> Iterator[AnyEvent]:
        begun = time.perf_counter()
        there = self.ground.looked_at
        sets = [there[role] for role in PANEL_ROLES if role in there]
        missing: dict[str, str] = {}
        texts: dict[str, TextScores] = {}
        models = self.versions, version
        tokenizer = self.loaded.tokenizer
        if self.asked is None:
            scores = panel(*models, sets, tokenizer, stop, missing=missing, membership=texts)
        else:
            scores = some_scores(*models, sets, tokenizer, stop, self.asked)
        if not stop():
            seconds = time.perf_counter() - begun
            yield Measured(
                stage=stage, scores=scores, missing=missing, membership=texts, seconds=seconds
            )

    def _stepped(self, loop: Loop, done: Step) -> Stepped:
        return Stepped(
            step=loop.step,
            terms=done.terms,
            forget_nll=done.forget_nll,
            gradient_norm=done.gradient_norm,
            learning_rate=done.learning_rate,
            extras=done.extras,
            seconds=done.seconds,
            tokens_per_second=done.tokens / done.seconds if done.seconds else 0.0,
            memory=memory_in_use(self.loaded.device),
            memory_peak=peak_memory(self.loaded.device),
        )

    def _reason_to_stop(self, probed: Probed, loop: Loop) -> Stopped | None:
        own = self.method.stop(loop.state, probed.scores)
        if own is not None:
            return Stopped(step=loop.step, why="rule", message=own)
        # Below the level with the rest in ruins is no success: the model may yet recover.
        healthy = probed.health.meter < SHAKY
        if probed.forgotten and healthy and self.ground.chosen["stop_when_forgotten"]:
            return Stopped(
                step=loop.step,
                why="forgotten",
                message="The text is recited no better than text the model never saw.",
            )
        return None

    def _ended_early(self, resume: bool) -> Iterator[AnyEvent]:
        """Stopped before the loop had begun."""
        step = self.store.view(self.run_id).step if resume else 0
        yield Stopped(step=step, why="asked")
        yield self._ended("stopped", step)

    def _ended(self, status: str, step: int, best: int | None = None) -> Ended:
        self.store.clear_stop(self.run_id)
        seconds = time.perf_counter() - self.begun
        return Ended(status=status, step=step, best_step=best, seconds=seconds)
