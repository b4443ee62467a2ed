"""Which weights a name stands for, and the models that a worker holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from unlearning.errors import UserError
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.load import Loaded, load
from unlearning.models.versions import Versions, open_versions
from unlearning.runs.prepare import kept_step
from unlearning.runs.snapshots import result
from unlearning.runs.store import RunStore


@dataclass(frozen=True)
class Origin:
    """Where a model's weights come from, with runs resolved to folders."""

    base: str
    """Embedded name, folder or hub id to load."""
    tokenizer: str | None = None
    """Where the tokenizer comes from, if not from `base`."""
    adapter: Path | None = None
    """Adapter that, on top of `base`, is the model."""
    rank: int | None = None
    """Rank of that adapter."""


def origin(store: RunStore, model: str) -> Origin:
    """Resolve a model name; `run:ID[@STEP]` to the weights that run kept.

    Raises:
        UserError: no such run or snapshot.
    """
    if not model.startswith("run:"):
        return Origin(base=model)
    run_id, _, wanted = model.removeprefix("run:").partition("@")
    step = kept_step(store, run_id, wanted)
    weights = result(store.folder(run_id) / "snapshots", step)
    config = store.config(run_id)
    parent = origin(store, config.model)
    if config.full:
        return Origin(base=str(weights), tokenizer=parent.tokenizer or parent.base)
    return Origin(parent.base, parent.tokenizer, weights, parent.rank or config.lora_rank)


def original(store: RunStore, run_id: str) -> Origin:
    """What a run of all parameters set out from: its model, or that model as it was taught.

    Raises:
        UserError: no such run, or its model is a run that is gone.
    """
    found = origin(store, store.config(run_id).model)
    taught = store.folder(run_id) / "snapshots" / REFERENCE
    if not taught.is_dir():
        return found
    return Origin(base=str(taught), tokenizer=found.tokenizer or found.base)


def open_model(
    found: Origin,
    *,
    lora_rank: int,
    device: str,
    dtype: str,
    seed: int,
    trainable: Callable[[str], bool] = lambda name: True,
    keep_base: bool = False,
) -> tuple[Loaded, Versions]:
    """Load a model and make it trainable; an earlier run's adapter becomes the reference.

    Raises:
        UserError: as `models.load.load`.
    """
    full = lora_rank == 0
    if full and found.adapter is not None:
        raise UserError(
            "A run with an adapter cannot go on with all parameters.",
            "Leave out --full, or export the merged model first and start from its folder.",
        )
    loaded = load(found.base, device=device, dtype=dtype, full=full, tokenizer=found.tokenizer)
    versions = open_versions(
        loaded,
        lora_rank=None if full else (found.rank or lora_rank),
        trainable=trainable,
        seed=seed,
        keep_base=keep_base,
    )
    if found.adapter is not None:
        versions.load_saved(found.adapter, STUDENT)
        versions.copy(STUDENT, REFERENCE)
    return loaded, versions


@dataclass
class Opened:
    """A model held for side requests."""

    loaded: Loaded
    versions: Versions
    version: str


class ModelShelf:
    """The few models that a worker keeps for side requests, least recently used out first."""

    def __init__(self, room: int = 3) -> None:
        self._room = room
        self._held: OrderedDict[str, Opened] = OrderedDict()

    def get(self, key: str, make: Callable[[], Opened]) -> Opened:
        """The model of that key, made on first use."""
        if key not in self._held:
            while len(self._held) >= self._room:
                self._held.popitem(last=False)
            self._held[key] = make()
        self._held.move_to_end(key)
        return self._held[key]

    def clear(self) -> None:
        """Let go of everything: a run is about to need the memory."""
        self._held.clear()
