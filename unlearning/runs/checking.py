"""Carry a check out: read the text with the model, time a pass, add up the memory.

The model is opened anew, as a run would, and let go of afterwards; nothing is trained.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from unlearning.data.encode import encode
from unlearning.metrics._recited import recited, recited_shares
from unlearning.metrics.base import Evidence
from unlearning.metrics.extraction_strength import strength
from unlearning.models.device import choose_device
from unlearning.models.evidence import gather
from unlearning.models.memory import USABLE, free_memory
from unlearning.runs.check import GUESSED, CheckReport, CheckRequest, Passage
from unlearning.runs.ground import Ground, decide, memory_needed
from unlearning.runs.measure import PANEL_TEXTS, TextSet
from unlearning.runs.pricing import (
    PANELS,
    TIMED,
    looking_seconds,
    teaching_seconds,
    unit_seconds,
    work,
)
from unlearning.runs.requests import Delta
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore
from unlearning.runs.training import StopAskedError

SHOWN = 12
"""Passages in the report."""


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
    needed = memory_needed(ground)
    fits = needed.total <= USABLE * free
    try:
        # What does not fit must not be tried out.
        unit = unit_seconds(ground, TIMED if fits else 1, stop)
    except StopAskedError:
        return
    look, panel = looking_seconds(ground, read_seconds, stop)
    if stop():
        return
    step = unit * work(ground)
    looks = 1 + ground.chosen["steps"] / config.probe_every
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
        teach_seconds=teaching_seconds(ground, unit, read_seconds, own),
        needed=needed.total,
        free=free,
        fits=fits,
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
