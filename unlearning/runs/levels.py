"""Where forgetting ends: the forget scores of a model that never saw the text."""

from __future__ import annotations

from collections.abc import Callable

from unlearning.data.encode import encode
from unlearning.models.base import REFERENCE
from unlearning.runs.events import Levels
from unlearning.runs.ground import Ground
from unlearning.runs.measure import TextSet, forgetting_scores
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore


def untaught_level(ground: Ground, stop: Callable[[], bool]) -> Levels:
    """The model itself, before it is taught the text."""
    scores = forgetting_scores(
        ground.versions, ground.original, ground.sets["forget"], ground.loaded.tokenizer, stop
    )
    return Levels(source="untaught", scores=scores)


def find_level(
    store: RunStore, ground: Ground, device: str, stop: Callable[[], bool]
) -> Levels | None:
    """A retrained model on the forget text, else the original on text it never saw."""
    scores = _retrained(store, ground, device, stop)
    if scores:
        return Levels(source="retrained", scores=scores)
    if "holdout" not in ground.sets:
        return None
    scores = forgetting_scores(
        ground.versions, ground.original, ground.sets["holdout"], ground.loaded.tokenizer, stop
    )
    return Levels(source="holdout", scores=scores) if scores else None


def _retrained(
    store: RunStore, ground: Ground, device: str, stop: Callable[[], bool]
) -> dict[str, float] | None:
    config, name = ground.config, ground.config.retrained
    if name == "auto":
        known = config.model == "demo" and config.forget == "preset:world/forget"
        name = "demo-retain" if known else "none"
    if name in ("none", ""):
        return None
    loaded, versions = open_model(
        origin(store, name), lora_rank=1, device=device, dtype=config.dtype, seed=0
    )
    examples = ground.sets["forget"].examples
    length = min(config.max_length, loaded.context_length)
    own = TextSet("forget", examples, encode(examples, loaded.tokenizer, max_length=length))
    return forgetting_scores(versions, REFERENCE, own, loaded.tokenizer, stop)
