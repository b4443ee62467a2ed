"""What a run would cost in time: one pass is timed, the rest is counted in such passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from unlearning.methods.base import Defaults, Method
from unlearning.models.generate import generate
from unlearning.models.passes import Batch
from unlearning.runs.drawing import PAIRED, sequences_a_step
from unlearning.runs.ground import Ground
from unlearning.runs.measure import CONTINUED, PANEL_ROLES, PANEL_TEXTS, PROBE_TEXTS
from unlearning.runs.probing import ANSWER_TOKENS
from unlearning.runs.teaching import BATCH, MEMORIZED, Memorise
from unlearning.runs.training import Loop

if TYPE_CHECKING:
    from torch import Tensor

FROZEN = 0.4
"""Cost of a pass without gradient, in passes forward and back."""
TIMED = 32
"""Sequences of the timed batch at most; a larger one takes as many times longer."""
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


class _Push(Method):
    """One pass of the forget text, forward and back: the unit that a step is counted in."""

    title: ClassVar[str] = "Push"
    defaults: ClassVar[Defaults] = Memorise.defaults

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        return {"forget": batch.forget.nll}


def unit_seconds(ground: Ground, most: int, stop: Callable[[], bool]) -> float:
    """Seconds of one forget batch forward and back, timed on `most` of its sequences; a step of
    size zero, so nothing moves.

    Raises:
        StopAskedError: the stop flag went up.
    """
    size = _sizes(ground)["forget"]
    rows = min(size, most)
    loop = Loop(
        _Push(),
        ground.versions,
        {"forget": ground.sets["forget"]},
        learning_rate=0.0,
        batch_size=rows,
        retain_batch_size=1,
        accumulation=ground.config.accumulation,
        seed=ground.config.seed,
        pad_id=ground.loaded.tokenizer.pad_token_id or 0,
        autocast=ground.config.full and ground.loaded.device.type == "cuda",
        stop=stop,
    )
    seconds = loop.advance().seconds
    if seconds < PATIENCE:
        seconds = loop.advance().seconds
    return seconds * size / rows


def _sizes(ground: Ground) -> dict[str, int]:
    chosen = ground.chosen
    return sequences_a_step(
        ground.method, ground.sets, chosen["batch_size"], chosen["retain_batch_size"]
    )


def work(ground: Ground) -> float:
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


def looking_seconds(ground: Ground, read: float, stop: Callable[[], bool]) -> tuple[float, float]:
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


def teaching_seconds(ground: Ground, unit: float, read: float, known: float | None) -> float:
    """At most: teaching ends once the text is memorised."""
    config = ground.config
    if not config.teach_first or (known is not None and known >= MEMORIZED):
        return 0.0
    a_row = unit / _sizes(ground)["forget"]
    return config.teach_steps * a_row * BATCH * (2 + FROZEN) + PANEL_TEXTS * read
