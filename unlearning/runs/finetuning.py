"""Teach a model a corpus by ordinary fine-tuning; the result is an ordinary model folder."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unlearning.config import FinetuneConfig
from unlearning.data.base import Example, digest
from unlearning.data.encode import encode
from unlearning.errors import UserError
from unlearning.models.base import STUDENT
from unlearning.models.load import Loaded
from unlearning.models.memory import Estimate, check_fit, estimate, free_memory
from unlearning.models.versions import Versions
from unlearning.runs.ground import PADDED_TO, THERE
from unlearning.runs.measure import TextSet
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore
from unlearning.runs.teaching import RATES, Memorise, memorized
from unlearning.runs.training import Loop, StopAskedError

EPOCHS = 5
"""Epochs where neither they nor steps are given, as TOFU and MUSE train their models."""
WARM_UP = 0.1
"""Share of the steps in which the linear schedule rises."""
TOLD_EVERY = 10
"""Steps between two lines of progress."""
RECIPE = "finetune.json"
"""Name of the note beside the weights."""

Tell = Callable[[str], None]


def finetune(
    store: RunStore,
    config: FinetuneConfig,
    examples: Sequence[Example],
    folder: Path,
    *,
    stop: Callable[[], bool],
    tell: Tell,
) -> dict[str, Any]:
    """Train, write the model with its tokenizer and recipe to `folder`, and give the recipe.

    Once `stop` says so, what has been learnt is written; before the first step that is nothing,
    and `folder` of the result is None. Losses are means over the trained tokens, in nats:
    `first_loss` of the first step, `loss` of the last ten.

    Raises:
        UserError: bad model, text or setting, too little memory, or a loss that is not finite.
    """
    begun = time.perf_counter()
    loaded, versions = open_model(
        origin(store, config.model),
        lora_rank=config.lora_rank,
        device=config.device,
        dtype=config.dtype,
        seed=config.seed,
    )
    corpus = _tokens(config, loaded, examples, tell)
    steps = _steps(config, len(corpus.encoded))
    rate = config.learning_rate or RATES.rate(loaded.parameters, config.full)
    recited = memorized(versions, STUDENT, corpus, loaded.tokenizer, stop)
    losses = _train(config, loaded, versions, corpus, steps, rate, stop, tell)
    done = len(losses)
    last = losses[-TOLD_EVERY:]
    found = {
        **config.model_dump(mode="json"),
        "folder": str(folder) if done else None,
        "status": "finished" if done == steps else "stopped",
        "steps": done,
        "planned_steps": steps,
        "learning_rate": rate,
        "loss": sum(last) / len(last) if last else None,
        "first_loss": losses[0] if losses else None,
        "memorization_accuracy": {
            "before": recited,
            "after": memorized(versions, STUDENT, corpus, loaded.tokenizer, stop),
        },
        "texts": len(examples),
        "sequences": len(corpus.encoded),
        "texts_sha256": digest(examples),
        "model_sha256": loaded.sha256,
        "seconds": time.perf_counter() - begun,
    }
    if done:
        versions.merged(folder, STUDENT)
        (folder / RECIPE).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return found


def _tokens(
    config: FinetuneConfig, loaded: Loaded, examples: Sequence[Example], tell: Tell
) -> TextSet:
    """The corpus as tokens, where a step of it fits into memory."""
    notices = list(loaded.notices)
    length = min(config.max_length, loaded.context_length)
    encoded = encode(examples, loaded.tokenizer, max_length=length, notices=notices)
    for notice in notices:
        tell(f"note: {notice}")
    needed = estimate(
        loaded.model.config.get_text_config().to_dict(),
        lora_rank=config.lora_rank,
        batch_size=-(-min(config.batch_size, len(encoded)) // config.accumulation),
        length=-(-max(len(e.ids) for e in encoded) // PADDED_TO) * PADDED_TO,
        dtype=str(loaded.dtype).removeprefix("torch."),
        parameters=loaded.parameters,
    )
    more = {name: size for name, size in needed.parts.items() if name not in THERE}
    check_fit(Estimate(more, needed.parameters), free_memory(str(loaded.device)))
    # The loop's name for the text that a method works on, be it to learn it.
    return TextSet("forget", examples, encoded)


def _steps(config: FinetuneConfig, sequences: int) -> int:
    if config.steps is not None:
        return config.steps
    epochs = config.epochs or EPOCHS
    return math.ceil(epochs * sequences / min(config.batch_size, sequences))


def _train(
    config: FinetuneConfig,
    loaded: Loaded,
    versions: Versions,
    corpus: TextSet,
    steps: int,
    rate: float,
    stop: Callable[[], bool],
    tell: Tell,
) -> list[float]:
    """The loss of every step that was done.

    Raises:
        UserError: a loss or gradient is not finite.
    """
    loop = Loop(
        # Without generic text beside it, this is the plain likelihood of the corpus.
        Memorise(),
        versions,
        {"forget": corpus},
        learning_rate=rate,
        batch_size=config.batch_size,
        retain_batch_size=config.batch_size,
        accumulation=config.accumulation,
        seed=config.seed,
        pad_id=loaded.tokenizer.pad_token_id or 0,
        autocast=config.full and loaded.device.type == "cuda",
        stop=stop,
    )
    losses: list[float] = []
    tell(f"{len(corpus.encoded)} sequences, {steps} steps, learning rate {rate:g}")
    for step in range(1, steps + 1):
        loop.set_learning_rate(rate * share(step, steps, config.schedule))
        try:
            done = loop.advance()
        except StopAskedError:
            break
        if not done.finite:
            raise UserError(
                f"The loss or its gradient is not finite at step {step}, so nothing is written.",
                f"Take a learning rate below {rate:g}.",
            )
        losses.append(done.forget_nll)
        if step % TOLD_EVERY == 0 or step in (1, steps):
            recent = losses[-TOLD_EVERY:]
            tell(
                f"step {step} of {steps}  loss {sum(recent) / len(recent):.4f}  "
                f"{done.seconds:.2f} s"
            )
    return losses


def share(step: int, steps: int, schedule: str) -> float:
    """Part of the highest learning rate in step 1 to `steps`, above 0 and at most 1."""
    if schedule == "constant":
        return 1.0
    rising = max(1, round(WARM_UP * steps))
    if step <= rising:
        return step / rising
    return (steps - step + 1) / (steps - rising + 1)
