"""What a run stands on: the model, the texts as tokens, and the settings that were left open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version as version_of
from typing import Any

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role, digest
from unlearning.data.encode import Encoded, encode
from unlearning.methods.base import Method
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.load import Loaded
from unlearning.models.memory import Estimate, check_fit, estimate, free_memory, total_memory
from unlearning.models.versions import Versions
from unlearning.runs.analogous import ANALOGOUS, analogous
from unlearning.runs.drawing import micro_batches, sequences_a_step
from unlearning.runs.events import Started
from unlearning.runs.measure import TextSet
from unlearning.runs.own_text import own_text
from unlearning.runs.preferred import PREFERRED
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore
from unlearning.runs.teaching import BATCH, Memorise

LIBRARIES = ("torch", "transformers", "peft", "tokenizers")
PADDED_TO = 16
"""Batches are padded to a multiple of this many tokens."""
THERE = ("weights", "adapter", "original")
"""Parts of the memory estimate that opening the model has already taken."""


@dataclass
class Ground:
    """Model, texts and settings of one run."""

    config: RunConfig
    method: Method
    loaded: Loaded
    versions: Versions
    length: int
    """Longest sequence, tokens."""
    sets: dict[str, TextSet] = field(default_factory=dict)
    stand_ins: set[str] = field(default_factory=set)
    """Roles whose text is another role's."""
    chosen: dict[str, Any] = field(default_factory=dict)
    """Settings left open, decided."""
    notices: list[str] = field(default_factory=list)

    @property
    def original(self) -> str:
        """The version that forgetting is measured against. Where all parameters are trained and
        no copy is kept, that is the student until its first step."""
        return REFERENCE if self.versions.has(REFERENCE) else STUDENT

    @property
    def looked_at(self) -> dict[str, TextSet]:
        """The sets that are measured: stand-ins would only be counted twice."""
        return {role: s for role, s in self.sets.items() if role not in self.stand_ins}

    def add_preferred(self, encoded: Sequence[Encoded]) -> None:
        """Take in the other answers to the forget prompts."""
        self.sets[PREFERRED] = TextSet(PREFERRED, self.sets["forget"].examples, encoded)
        self.stand_ins.add(PREFERRED)

    def started(self, texts: Mapping[Role, Sequence[Example]]) -> Started:
        """The event that says what was decided."""
        settings = {
            **self.config.model_dump(mode="json"),
            **self.chosen,
            "hyperparameters": self.method.model_dump(mode="json"),
        }
        return Started(
            method=self.config.method,
            model=self.config.model,
            model_hash=self.loaded.sha256,
            steps=self.chosen["steps"],
            learning_rate=self.chosen["learning_rate"],
            settings=settings,
            parameters=self.loaded.parameters,
            trainable=sum(p.numel() for _, p in self.versions.trainable()),
            device=str(self.loaded.device),
            dtype=str(self.loaded.dtype).removeprefix("torch."),
            counts={role: len(s.encoded) for role, s in self.sets.items()},
            texts_hash={role: digest(examples) for role, examples in texts.items()},
            versions={name: version_of(name) for name in LIBRARIES},
            memory_total=total_memory(str(self.loaded.device)),
        )


def lay(
    store: RunStore,
    config: RunConfig,
    method: Method,
    texts: Mapping[Role, Sequence[Example]],
    *,
    device: str,
    stop: Callable[[], bool],
) -> Ground:
    """Load the model, cut the texts into tokens, decide what was left open.

    Raises:
        UserError: bad model or text, or more memory is needed than is free.
    """
    asked = method.passes()
    loaded, versions = open_model(
        origin(store, config.model),
        lora_rank=config.lora_rank,
        device=device,
        dtype=config.dtype,
        seed=config.seed,
        trainable=method.trainable,
        keep_base=config.teach_first or any(need.endswith(REFERENCE) for need in asked),
    )
    length = min(config.max_length, loaded.context_length)
    ground = Ground(config, method, loaded, versions, length, notices=list(loaded.notices))
    for role, examples in texts.items():
        told: list[str] = []
        marks = None
        if role == "forget":
            marks = method.focus_marks([example.target for example in examples])
        encoded = encode(examples, loaded.tokenizer, max_length=length, notices=told, marks=marks)
        ground.notices += [f"{role}: {notice}" for notice in told]
        ground.sets[role] = TextSet(role, examples, encoded)
    _fill_roles(ground, asked, stop)
    if any(need.startswith(ANALOGOUS) for need in asked):
        _pair(ground, stop)
    ground.notices += method.notices()
    ground.chosen = decide(config, method, loaded.parameters)
    # Refuse a run that will not fit, before it takes the machine down.
    needed = memory_needed(ground)
    more = {name: size for name, size in needed.parts.items() if name not in THERE}
    check_fit(Estimate(more, needed.parameters), free_memory(str(loaded.device)))
    return ground


def _fill_roles(ground: Ground, asked: frozenset[str], stop: Callable[[], bool]) -> None:
    """Text to keep where none was given: the other kept role, else the model's own."""
    if not {"retain", "generic"} & ground.sets.keys():
        ground.sets["generic"] = own_text(
            ground.versions,
            ground.original,
            ground.loaded.tokenizer,
            seed=ground.config.seed,
            tokens=ground.length,
            stop=stop,
        )
        ground.notices.append(
            "No text to keep was given: text that the original model writes by itself "
            "stands in for it."
        )
    for role, other in (("retain", "generic"), ("generic", "retain")):
        needed = any(need == role or need.startswith(role + "_") for need in asked)
        if needed and role not in ground.sets:
            found = ground.sets[other]
            ground.sets[role] = TextSet(role, found.examples, found.encoded)
            ground.stand_ins.add(role)


def _pair(ground: Ground, stop: Callable[[], bool]) -> None:
    """A neighbour for every forget sequence, from the text to keep."""
    pool = ground.sets["retain" if "retain" in ground.sets else "generic"]
    forget = ground.sets["forget"]
    ground.sets[ANALOGOUS], copies = analogous(ground.versions, ground.original, forget, pool, stop)
    ground.stand_ins.add(ANALOGOUS)
    if copies:
        ground.notices.append(
            f"{copies} {pool.role} text(s) come too close to the wording of a forget text to be "
            "its look-alike, and are nobody's."
        )


def decide(config: RunConfig, method: Method, parameters: int) -> dict[str, Any]:
    """Settings left open, from the method's defaults and the model's size."""
    defaults = method.defaults
    stops = config.stop_when_forgotten
    return {
        "steps": config.steps or defaults.steps,
        "learning_rate": config.learning_rate or defaults.rate(parameters, config.full),
        "batch_size": config.batch_size or defaults.batch_size,
        "retain_batch_size": config.retain_batch_size or defaults.retain_batch_size,
        "stop_when_forgotten": defaults.stop_when_forgotten if stops is None else stops,
    }


def memory_needed(ground: Ground) -> Estimate:
    """Peak memory of the run, from its texts and settings as they are."""
    config, chosen, loaded = ground.config, ground.chosen, ground.loaded
    asked = ground.method.passes()
    steps = [_rows(ground, ground.method, chosen["batch_size"], chosen["retain_batch_size"])]
    if config.teach_first:
        steps.append(_rows(ground, Memorise(), BATCH, BATCH))
        asked |= Memorise.needs
    forget, kept = max(steps, key=sum)
    longest = max(len(e.ids) for s in ground.sets.values() for e in s.encoded)
    # A weight of zero saves the teacher's pass, not the teacher.
    teacher = {need for need in ground.method.needs if need.endswith("teacher")}
    return estimate(
        loaded.model.config.get_text_config().to_dict(),
        method_needs=asked | teacher,
        teach_first=config.teach_first,
        lora_rank=config.lora_rank,
        batch_size=forget,
        retain_batch_size=kept,
        length=-(-longest // PADDED_TO) * PADDED_TO,
        dtype=str(loaded.dtype).removeprefix("torch."),
        parameters=loaded.parameters,
        copies=ground.method.copies,
    )


def _rows(ground: Ground, method: Method, batch_size: int, kept: int) -> tuple[int, int]:
    """Sequences of the largest micro-batch: of the forget text, and of all others together."""
    sizes = sequences_a_step(method, ground.sets, batch_size, kept)
    device = ground.loaded.device.type
    parts = micro_batches(ground.config.accumulation, sizes.values(), device)
    rows = {role: -(-size // parts) for role, size in sizes.items()}
    return rows.pop("forget"), sum(rows.values())
