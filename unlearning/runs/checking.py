"""Carry a check out: read the text with the model, time a pass, add up the memory.

The model is opened anew, as a run would, and let go of afterwards; nothing is trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from unlearning.data.encode import encode
from unlearning.methods.base import Defaults, Method
from unlearning.metrics._recited import recited, recited_shares
from unlearning.metrics.base import Evidence
from unlearning.metrics.extraction_strength import strength
from unlearning.models.device import choose_device
from unlearning.models.evidence import gather
from unlearning.models.generate import generate
from unlearning.models.memory import USABLE, free_memory
from unlearning.models.passes import Batch
from unlearning.runs.check import GUESSED, CheckReport, CheckRequest, Passage
from unlearning.runs.drawing import PAIRED, sequences_a_step
from unlearning.runs.ground import Ground, decide, memory_needed
from unlearning.runs.measure import CONTINUED, PANEL_ROLES, PANEL_TEXTS, PROBE_TEXTS, TextSet
from unlearning.runs.probing import ANSWER_TOKENS
from unlearning.runs.requests import Delta
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore
from unlearning.runs.teaching import BATCH, MEMORIZED, Memorise
from unlearning.runs.training import Loop, StopAskedError

if TYPE_CHECKING:
    from torch import Tensor

FROZEN = 0.4
"""Cost of a pass without gradient, in passes forward and back."""
PATIENCE = 2.0
"""Seconds of a first timed pass up to which a second, warm one is timed."""
WRITTEN = 8
"""Tokens that are written to time the writing."""
PANEL_TOKENS = 48
"""Tokens that the panel lets each role continue."""
CONTINUED_ROLES = 3
PANELS = 2.7
"""Both panels in panels of the original: a model that no longer recites writes on after every
prefix, which makes the second one dearer (1.7 times, measured on the embedded model)."""
SHOWN = 12
"""Passages in the report."""


class _Push(Method):
    """One pass of the forget text, forward and back: the unit that a step is counted in."""

    title: ClassVar[str] = "Push"
    defaults: ClassVar[Defaults] = Memorise.defaults

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        return {"forget": batch.forget.nll}


def check(
    store: RunStore,
    request: CheckRequest,
    *,
    device: str = "auto",
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Delta]:
    """Progress in words, then the report; nothing more once `stop` is up.

    Raises:
        UserError: bad model or text, or not even the model fits into the memory.
    """
    config = request.config
    device = config.device if config.device != "auto" else device
    free = free_memory(str(choose_device(device)))
    yield Delta(kind="told", text="Loading the model …")
    begun = time.perf_counter()
    method = config.build_method()
    loaded, versions = open_model(
        origin(store, config.model),
        lora_rank=config.lora_rank,
        device=device,
        dtype=config.dtype,
        seed=config.seed,
        trainable=method.trainable,
    )
    ground = Ground(config, method, loaded, versions, min(config.max_length, loaded.context_length))
    loading = time.perf_counter() - begun
    for role, examples in request.texts.items():
        told: list[str] = []
        encoded = encode(examples, loaded.tokenizer, max_length=ground.length, notices=told)
        ground.sets[role] = TextSet(role, examples, encoded)
        ground.notices += [f"{role}: {notice}" for notice in told]
    unseen = ground.sets.pop("holdout", None)
    ground.chosen = decide(config, method, loaded.parameters)
    _stand_in(ground)
    if stop():
        return
    yield Delta(kind="told", text="Reading the text …")
    forget, read_seconds = _read(ground, ground.sets["forget"], stop)
    beside = _read(ground, unseen, stop)[0] if unseen else None
    if stop():
        return
    yield Delta(kind="told", text="Timing a step …")
    try:
        unit = _unit_seconds(ground, stop)
    except StopAskedError:
        return
    look, panel = _looking_seconds(ground, read_seconds, stop)
    if stop():
        return
    step = unit * _work(ground)
    looks = 1 + ground.chosen["steps"] / config.probe_every
    needed = memory_needed(ground)
    own, level = _mean(recited_shares(forget.positions)), None
    if beside is not None:
        level = _mean(recited_shares(beside.positions))
    report = CheckReport(
        tokens=sum(len(one.ids) - one.labels_from for one in ground.sets["forget"].encoded),
        sequences=len(ground.sets["forget"].encoded),
        recited=own,
        extracted=_mean([strength(recited(one)) for one in forget.positions]),
        level=GUESSED if level is None else level,
        level_from="assumed" if level is None else request.unseen,
        passages=_passages(forget),
        parameters=loaded.parameters,
        device=str(loaded.device),
        dtype=str(loaded.dtype).removeprefix("torch."),
        steps=ground.chosen["steps"],
        step_seconds=step,
        seconds=loading + ground.chosen["steps"] * step + looks * look + PANELS * panel,
        teach_seconds=_teaching_seconds(ground, unit, read_seconds, own),
        needed=needed.total,
        free=free,
        fits=needed.total <= USABLE * free,
        notices=tuple(dict.fromkeys([*loaded.notices, *ground.notices, *method.notices()])),
    )
    yield Delta(kind="checked", report=report)


def _stand_in(ground: Ground) -> None:
    """Sizes alone count here: what a run would write for itself is as long as the forget text."""
    for role, other in (("retain", "generic"), ("generic", "retain")):
        found = ground.sets.get(other, ground.sets["forget"])
        ground.sets.setdefault(role, TextSet(role, found.examples, found.encoded))


def _read(ground: Ground, texts: TextSet, stop: Callable[[], bool]) -> tuple[Evidence, float]:
    """Evidence on some of the texts, and the seconds that one of them took."""
    some = texts.some(PANEL_TEXTS)
    begun = time.perf_counter()
    found = gather(
        ground.versions,
        ground.original,
        "forget",
        some.examples,
        some.encoded,
        ground.loaded.tokenizer,
        stop=stop,
    )
    return found, (time.perf_counter() - begun) / max(len(some.encoded), 1)


def _unit_seconds(ground: Ground, stop: Callable[[], bool]) -> float:
    """Seconds of one forget batch forward and back; a step of size zero, so nothing moves.

    Raises:
        StopAskedError: the stop flag went up.
    """
    loop = Loop(
        _Push(),
        ground.versions,
        {"forget": ground.sets["forget"]},
        learning_rate=0.0,
        batch_size=_sizes(ground)["forget"],
        retain_batch_size=1,
        accumulation=ground.config.accumulation,
        seed=ground.config.seed,
        pad_id=ground.loaded.tokenizer.pad_token_id or 0,
        autocast=ground.config.full and ground.loaded.device.type == "cuda",
        stop=stop,
    )
    seconds = loop.advance().seconds
    return loop.advance().seconds if seconds < PATIENCE else seconds


def _sizes(ground: Ground) -> dict[str, int]:
    chosen = ground.chosen
    return sequences_a_step(
        ground.method, ground.sets, chosen["batch_size"], chosen["retain_batch_size"]
    )


def _work(ground: Ground) -> float:
    """A step of the method in passes of its forget batch forward and back, by tokens."""
    asked, sizes = ground.method.passes(), _sizes(ground)
    unit = sizes["forget"] * _length(ground, "forget")
    work = 1.0
    for role, rows in sizes.items():
        share = rows * _length(ground, role) / unit
        start = "" if role == "forget" else f"{role}_"
        frozen = sum(f"{start}{name}" in asked for name in ("reference", "teacher", "reinforced"))
        work += share * (FROZEN * frozen + (role != "forget"))
    paired = sum(any(need.startswith(role) for need in asked) for role in PAIRED)
    frozen = sum(f"{role}_reference" in asked for role in PAIRED)
    return work + paired + FROZEN * frozen


def _length(ground: Ground, role: str) -> float:
    encoded = ground.sets[role].encoded
    return sum(len(one.ids) for one in encoded) / len(encoded)


def _looking_seconds(ground: Ground, read: float, stop: Callable[[], bool]) -> tuple[float, float]:
    """Seconds of one look between steps, and of the full panel."""
    some = ground.sets["forget"].some(CONTINUED).encoded
    prompts = [list(one.ids[: one.scored_from]) for one in some if one.scored_from]
    written = 0.0
    if prompts:
        begun, ticks = time.perf_counter(), 0
        for _ in generate(
            ground.versions, prompts, [ground.original], max_new_tokens=WRITTEN, stop=stop
        ):
            ticks += 1
        written = (time.perf_counter() - begun) / max(ticks, 1)
    roles = len([role for role in PANEL_ROLES if role in ground.sets])
    look = roles * PROBE_TEXTS * read + ANSWER_TOKENS * written
    panel = roles * PANEL_TEXTS * read + CONTINUED_ROLES * PANEL_TOKENS * written
    return look, panel


def _teaching_seconds(ground: Ground, unit: float, read: float, known: float | None) -> float:
    """At most: teaching ends once the text is memorised."""
    config = ground.config
    if not config.teach_first or (known is not None and known >= MEMORIZED):
        return 0.0
    a_row = unit / _sizes(ground)["forget"]
    return config.teach_steps * a_row * BATCH * (2 + FROZEN) + PANEL_TEXTS * read


def _passages(found: Evidence) -> tuple[Passage, ...]:
    """What was read, best known first."""
    shares = recited_shares(found.positions)
    told = [
        Passage(begins=" ".join((one.prompt or one.target).split())[:120], recited=share)
        for one, share in zip(found.examples, shares, strict=True)
        if share is not None
    ]
    return tuple(sorted(told, key=lambda one: -one.recited)[:SHOWN])


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
