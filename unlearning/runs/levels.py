"""Where forgetting ends: the forget scores of a model that never saw the text."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from unlearning.config import RunConfig
from unlearning.data.base import Example, digest
from unlearning.data.encode import encode
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS
from unlearning.data.world import MODELS
from unlearning.metrics import METRICS
from unlearning.models.base import REFERENCE
from unlearning.models.load import Loaded
from unlearning.runs.events import Levels
from unlearning.runs.ground import Ground
from unlearning.runs.measure import FORGETTING, TextSet, forgetting_scores
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore, write_atomically


def retrained_of(config: RunConfig) -> str | None:
    """The model that never saw the forget text: as set, or the embedded one that is known."""
    name = config.retrained
    if name == "auto":
        name = _embedded(config.model, config.forget)
    return None if name in ("none", "") else name


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
    config = ground.config
    name = retrained_of(config)
    if name is None:
        return None
    loaded, versions = open_model(
        origin(store, name), lora_rank=1, device=device, dtype=config.dtype, seed=0
    )
    examples = ground.sets["forget"].examples
    length = min(config.max_length, loaded.context_length)
    sure = None if name.startswith("run:") else _place(store, loaded, examples, length)
    if sure is not None and sure.is_file():
        with suppress(ValueError):  # of a broken disk: measured again
            return json.loads(sure.read_text(encoding="utf-8"))
    own = TextSet("forget", examples, encode(examples, loaded.tokenizer, max_length=length))
    scores = forgetting_scores(versions, REFERENCE, own, loaded.tokenizer, stop)
    if sure is not None and not stop():
        sure.parent.mkdir(exist_ok=True)
        write_atomically(sure, json.dumps(scores))
    return scores


def _embedded(model: str, forget: str) -> str:
    """The embedded model trained like this one without the text; nothing is fetched unasked."""
    preset, split, group = parts(forget)
    known = forget.startswith("preset:") and not group and preset in PRESETS
    gold = PRESETS[preset].gold(split, model) if known else None
    return gold if gold in MODELS else "none"


def _place(store: RunStore, loaded: Loaded, examples: Sequence[Example], length: int) -> Path:
    """File for the level of this model on this text: it is dear, and the same for every run.

    Its name is a hash of all it rests on, the metrics' code included; no text is kept.
    """
    code = [inspect.getsource(inspect.getmodule(METRICS[name])) for name in FORGETTING]
    rests_on = [loaded.sha256, digest(examples), length, str(loaded.dtype), str(loaded.device.type)]
    key = sha256(json.dumps([*rests_on, *code]).encode()).hexdigest()[:32]
    return store.path / "levels" / f"{key}.json"
