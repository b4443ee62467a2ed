"""Everything chosen for one run: saved as `config.json`, shown as a command, hashed.

And everything chosen for teaching a model a corpus.
"""

from __future__ import annotations

import shlex
from hashlib import sha256
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from unlearning.declare import Declared, hyperparameter
from unlearning.errors import UserError
from unlearning.methods import method
from unlearning.methods.base import Method


class RunConfig(Declared):
    """Everything chosen for one run. Empty settings are decided when the run starts."""

    title: ClassVar[str] = "Run"

    model: str = "demo"
    """Embedded name, local folder, hub id, or run:ID[@STEP] to go on from an earlier run."""
    forget: str = "preset:world/forget"
    """Where the text to forget comes from."""
    retain: str = "auto"
    """Text of the same kind that must stay; auto takes what belongs to the forget text."""
    generic: str = "auto"
    """Ordinary text that guards general ability."""
    holdout: str = "auto"
    """Text of the same kind that the model never saw: the level at which forgetting ends."""
    retrained: str = "auto"
    """A model trained without the forget text: the exact level at which forgetting ends."""
    method: str = "undial"
    """Name of the unlearning method."""
    hyperparameters: dict[str, bool | int | float | str] = Field(default_factory=dict)
    """Settings of the method; those left out keep their defaults."""

    steps: int | None = hyperparameter(None, 1, 100_000)
    """Optimizer steps; empty takes the method's default."""
    learning_rate: float | None = hyperparameter(None, 1e-9, 10.0)
    """Step size of the optimizer; empty takes the default for method and model size."""
    batch_size: int | None = hyperparameter(None, 1, 4096, advanced=True)
    """Forget sequences a step."""
    retain_batch_size: int | None = hyperparameter(None, 1, 4096, advanced=True)
    """Sequences a step of the text to keep."""
    accumulation: int = hyperparameter(1, 1, 1024, advanced=True)
    """Micro-batches a step is cut into: less memory, same result."""
    lora_rank: int = hyperparameter(8, 0, 512, advanced=True)
    """Rank of the LoRA adapter; 0 trains all parameters."""
    max_length: int = hyperparameter(512, 16, 8192, advanced=True)
    """Tokens of a sequence; longer passages are cut into windows."""
    teach_first: bool = False
    """Memorise the text before forgetting it, for text the model does not know."""
    teach_steps: int = hyperparameter(150, 1, 10_000, advanced=True)
    """Most steps of teaching; it ends earlier once the text is memorised."""
    stop_on_collapse: bool = True
    """Stop and roll back when the model loses its language."""
    stop_when_forgotten: bool | None = None
    """Stop once the text is recited no better than unseen text; empty asks the method."""
    probe_every: int = hyperparameter(5, 1, 10_000, advanced=True)
    """Steps between two looks at the model."""
    snapshot_every: int = hyperparameter(5, 1, 10_000, advanced=True)
    """Steps between two snapshots."""
    prompts: tuple[str, ...] = ()
    """Pinned prompts, asked where they end with a question mark, else continued; empty takes
    beginnings of the forget and the kept text."""
    seed: int = hyperparameter(0, 0, 2**31 - 1)
    """Same seed and settings, same run."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the base weights."""
    label: str = hyperparameter("", advanced=True)
    """A name of your own for the list of runs."""

    @field_validator("prompts")
    @classmethod
    def _few_prompts(cls, prompts: tuple[str, ...]) -> tuple[str, ...]:
        if len(prompts) > 16 or any(len(p) > 4000 for p in prompts):
            raise ValueError("at most 16 pinned prompts of at most 4000 characters.")
        return prompts

    @model_validator(mode="after")
    def _known_method(self) -> RunConfig:
        try:
            self.build_method()
        except UserError as error:
            raise ValueError(str(error)) from None
        return self

    def build_method(self) -> Method:
        """The method with its hyperparameters.

        Raises:
            UserError: unknown method or hyperparameter, or a value out of range.
        """
        return method(self.method).parse(self.hyperparameters)

    @property
    def full(self) -> bool:
        """Whether all parameters are trained."""
        return self.lora_rank == 0

    def hash(self) -> str:
        """SHA-256 of all settings but the label, 16 hexadecimal digits."""
        chosen = self.model_dump_json(exclude={"label"})
        return sha256(chosen.encode()).hexdigest()[:16]

    def command(self) -> str:
        """The command line that repeats this run."""
        parts = ["python", "-m", "unlearning", "run"]
        defaults = RunConfig()
        for name, value in self.model_dump().items():
            if name in ("hyperparameters", "label"):
                continue
            needed = name in ("model", "forget", "method")
            if value != getattr(defaults, name) or needed:
                parts += _flag(name, value)
        for name, value in self.hyperparameters.items():
            parts += ["--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}"]
        return shlex.join(parts)


class FinetuneConfig(Declared):
    """Everything chosen for teaching a model a corpus. Empty settings are decided at the start."""

    title: ClassVar[str] = "Finetune"

    model: str = "demo"
    """Embedded name, local folder, hub id, or run:ID[@STEP]."""
    data: str = ""
    """Where the text to learn comes from."""
    epochs: int | None = hyperparameter(None, 1, 10_000)
    """How often every text is learnt; empty means 5, unless steps are given."""
    steps: int | None = hyperparameter(None, 1, 1_000_000)
    """Optimizer steps, in place of epochs."""
    learning_rate: float | None = hyperparameter(None, 1e-9, 10.0)
    """Highest step size of the optimizer; empty takes the default for the model's size."""
    schedule: Literal["linear", "constant"] = "linear"
    """linear: up over the first tenth of the steps, then down to zero; constant: always highest."""
    batch_size: int = hyperparameter(8, 1, 4096)
    """Sequences a step."""
    accumulation: int = hyperparameter(1, 1, 1024, advanced=True)
    """Micro-batches a step is cut into: less memory, same result."""
    lora_rank: int = hyperparameter(0, 0, 512, advanced=True)
    """Rank of a LoRA adapter, merged at the end; 0 trains all parameters."""
    max_length: int = hyperparameter(512, 16, 8192, advanced=True)
    """Tokens of a sequence; longer passages are cut into windows."""
    seed: int = hyperparameter(0, 0, 2**31 - 1)
    """Same seed and settings, same model."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 or mps."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Number format of the base weights under an adapter."""

    @model_validator(mode="after")
    def _one_length(self) -> FinetuneConfig:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("either epochs or steps can be given, not both.")
        return self

    @property
    def full(self) -> bool:
        """Whether all parameters are trained."""
        return self.lora_rank == 0


def _flag(name: str, value: Any) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag if value else "--no-" + name.replace("_", "-")]
    if isinstance(value, tuple):
        return [part for item in value for part in _given("--prompt", item)]
    return ["--full"] if name == "lora_rank" and value == 0 else _given(flag, str(value))


def _given(flag: str, value: str) -> list[str]:
    """A flag with its value; one that begins like a flag must be tied to its own."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
