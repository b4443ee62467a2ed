"""What every attack works on: the models by side, the texts, and how figures are taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from peft import PeftModel

from unlearning.attacks.base import Attack, Side
from unlearning.data.base import Example, digest
from unlearning.data.encode import Encoded, encode
from unlearning.errors import UserError
from unlearning.metrics.base import Metric, Score
from unlearning.models.base import STUDENT, Versions
from unlearning.models.evidence import gather
from unlearning.models.full import FullVersions
from unlearning.models.load import Loaded, load
from unlearning.runs.measure import TextSet
from unlearning.runs.shelf import Origin, origin, original
from unlearning.runs.store import RunStore
from unlearning.runs.training import StopAskedError

ORIGINAL = "original:"
"""Before a run's id: what that run set out from."""
REFERENCE_FOLDER = "reference"
"""Where a run keeps the adapter of the text that it was taught first."""


@dataclass(frozen=True)
class Ground:
    """Models, texts and the way to the user of one attack."""

    store: RunStore
    names: Mapping[Side, str]
    texts: Mapping[str, Sequence[Example]]
    """By role; 'forget' is always there."""
    paraphrases: Mapping[str, str] = field(default_factory=dict)
    """Expected answer to its question in other words."""
    device: str = "auto"
    max_length: int = 512
    notices: Sequence[str] = ()
    tell: Callable[[str], None] = lambda message: None
    stop: Callable[[], bool] = lambda: False

    def open(self, side: Side) -> Loaded:
        """A copy of that side's model in memory, adapter merged, float32.

        In a shorter format the small changes of an adapter would be rounded away in merging.

        Raises:
            UserError: as `models.load.load`.
        """
        self.check()
        self.tell(f"{side}: {self.names[side]}")
        found = weights_of(self.store, self.names[side])
        loaded = load(
            found.base, device=self.device, dtype="float32", full=True, tokenizer=found.tokenizer
        )
        if found.adapter is not None:
            # Freshly made adapter layers draw random numbers, even where they are read from disk.
            with torch.random.fork_rng(devices=[]):
                merged = PeftModel.from_pretrained(loaded.model, str(found.adapter))
                loaded.model = merged.merge_and_unload().eval().requires_grad_(False)
        return loaded

    def check(self) -> None:
        """Raises StopAskedError where the stop flag is up: no figure is taken of half a look."""
        if self.stop():
            raise StopAskedError

    def text_set(self, role: str, loaded: Loaded, examples: Sequence[Example]) -> TextSet:
        """Texts in the tokens of this model."""
        length = min(self.max_length, loaded.context_length)
        return TextSet(role, examples, encode(examples, loaded.tokenizer, max_length=length))

    def scores(
        self,
        versions: Versions,
        metrics: Mapping[str, Metric],
        texts: TextSet,
        chosen: Sequence[Encoded],
    ) -> dict[str, Score]:
        """Metrics of the student on these sequences of the set, from one pass; what does not
        apply is left out."""
        evidence = gather(
            versions,
            STUDENT,
            texts.role,
            texts.examples,
            chosen,
            versions.tokenizer,
            stop=self.stop,
        )
        found = {name: metric.score(evidence) for name, metric in metrics.items()}
        self.check()
        return {name: score for name, score in found.items() if score is not None}

    def head(self, attack: Attack) -> dict[str, Any]:
        """The fields that all reports have in common."""
        return {
            "attack": attack.name,
            "settings": attack.model_dump(mode="json"),
            "models": dict(self.names),
            "texts": {role: digest(examples) for role, examples in self.texts.items()},
            "notices": tuple(self.notices),
        }


def as_it_is(loaded: Loaded) -> Versions:
    """A model to look at: its only version is the student."""
    return FullVersions(loaded)


def weights_of(store: RunStore, name: str) -> Origin:
    """`run:ID[@STEP]`, `original:ID`, or the name of a model.

    Raises:
        UserError: no such run or snapshot, or the run's method leaves no weights.
    """
    if name.startswith("run:"):
        config = store.config(name.removeprefix("run:").partition("@")[0])
        if config.build_method().artifact != "weights":
            raise UserError(
                f"{config.method} leaves a decoder, not weights, so its weights cannot be "
                "attacked.",
                "Attack a run of another method.",
            )
    if not name.startswith(ORIGINAL):
        return origin(store, name)
    run_id = name.removeprefix(ORIGINAL)
    config = store.config(run_id)
    if config.full:
        return original(store, run_id)
    found = origin(store, config.model)
    taught = store.folder(run_id) / "snapshots" / REFERENCE_FOLDER
    if not taught.is_dir():
        return found
    return Origin(found.base, found.tokenizer, taught, found.rank or config.lora_rank)
