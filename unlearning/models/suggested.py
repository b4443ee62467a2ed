"""Small real models to begin with on TOFU, and settings for them that nobody has tried here."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from unlearning.data.tofu import TAUGHT, TOFU


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model with settings for TOFU's forget10."""

    model: str
    """Hub id."""
    note: str
    """What to know about it, in one sentence."""
    rate: float
    """Highest learning rate, of all parameters, in teaching and in unlearning."""
    epochs: int = 10
    """Epochs of teaching; 0 where the model knows TOFU already."""
    steps: int = 125
    """Optimizer steps of unlearning: ten epochs of 400 rows in batches of 32."""
    retrained: Mapping[str, str] = field(default_factory=dict)
    """Forget split to the published model that was trained without it."""
    tested: bool = False
    """Whether these settings were run and looked at; the hub cannot be reached everywhere."""

    def commands(self) -> list[str]:
        """What to type: teach it TOFU with and without the forget rows, then unlearn."""
        taught, gold, lines = self.model, self.retrained.get("forget10"), []
        if self.epochs:
            name = self.model.rpartition("/")[2].lower()
            taught, gold = f"models/{name}-full", f"models/{name}-retain90"
            for split, out in (("full", taught), ("retain90", gold)):
                lines.append(
                    f"finetune --model {self.model} --data preset:tofu/{split} --out {out} "
                    f"--epochs {self.epochs} --lr {self.rate:g} --batch-size 32"
                )
        lines.append(
            f"run --model {taught} --forget preset:tofu/forget10 --method npo --full "
            f"--steps {self.steps} --lr {self.rate / 10 if self.epochs else self.rate:g} "
            f"--batch-size 32" + (f" --retrained {gold}" if gold else "")
        )
        return [shlex.join(["python", "-m", "unlearning", *line.split()]) for line in lines]


SUGGESTIONS = (
    Suggestion("HuggingFaceTB/SmolLM2-135M", "The smallest; Apache-2.0.", rate=1e-4, epochs=15),
    Suggestion("EleutherAI/pythia-160m", "Pre-trained on the Pile; Apache-2.0.", rate=1e-4),
    Suggestion("Qwen/Qwen2.5-0.5B", "Stronger, and slow without a GPU; Apache-2.0.", rate=5e-5),
    Suggestion(
        f"{TAUGHT}_full",
        "Llama 3.2 1B that knows TOFU already; wants a GPU of 40 GB. Llama 3.2 licence.",
        rate=1e-5,
        epochs=0,
        retrained={
            split: pair[f"{TAUGHT}_full"]
            for split, pair in TOFU.retrained.items()
            if not split.endswith("_perturbed")
        },
    ),
)
