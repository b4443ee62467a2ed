"""Teach first: memorise a text the model does not know, so that forgetting it means something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from unlearning.config import RunConfig
from unlearning.methods.base import Defaults, Method
from unlearning.models.base import STUDENT
from unlearning.models.load import Loaded
from unlearning.models.passes import Batch
from unlearning.models.versions import Versions
from unlearning.runs.events import AnyEvent, Taught
from unlearning.runs.measure import TextSet, forgetting_scores
from unlearning.runs.training import Loop, StopAskedError

if TYPE_CHECKING:
    from torch import Tensor

MEMORIZED = 0.99
"""Memorization accuracy at which teaching ends."""
BATCH = 8
"""Sequences a step, of the text and of what is kept."""
LOOK_EVERY = 10
"""Steps between two looks at it."""
RATES = Defaults(steps=150, lora=5e-3, full=1e-3, lora_large=5e-4, full_large=2e-5)


class Memorise(Method):
    """Ordinary fine-tuning on the forget text, held to the original on ordinary text."""

    title: ClassVar[str] = "Teach"
    needs: ClassVar[frozenset[str]] = frozenset({"generic", "generic_reference"})
    defaults: ClassVar[Defaults] = RATES

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Token mean of the negative log-likelihood, plus KL to the original."""
        terms = {"teach": batch.forget.nll}
        if batch.generic is not None and batch.generic_reference is not None:
            terms["keep"] = batch.generic.kl(batch.generic_reference)
        return terms


def teach(
    versions: Versions,
    sets: Mapping[str, TextSet],
    config: RunConfig,
    loaded: Loaded,
    stop: Callable[[], bool],
) -> Iterator[AnyEvent]:
    """Train the student on the forget text until it is memorised, or for `teach_steps`."""
    forget = sets["forget"]
    loop = Loop(
        Memorise(),
        versions,
        sets,
        learning_rate=RATES.rate(loaded.parameters, config.full),
        batch_size=BATCH,
        retain_batch_size=BATCH,
        accumulation=config.accumulation,
        seed=config.seed,
        pad_id=loaded.tokenizer.pad_token_id or 0,
        autocast=config.full and loaded.device.type == "cuda",
        stop=stop,
    )
    for _ in range(config.teach_steps):
        try:
            done = loop.advance()
        except StopAskedError:
            return
        looked = loop.step % LOOK_EVERY == 0 or loop.step == config.teach_steps
        reached = memorized(versions, STUDENT, forget, loaded.tokenizer, stop) if looked else None
        yield Taught(step=loop.step, loss=done.forget_nll, memorized=reached, seconds=done.seconds)
        if reached is not None and reached >= MEMORIZED:
            return


def memorized(
    versions: Versions, version: str, forget: TextSet, tokenizer: Any, stop: Callable[[], bool]
) -> float | None:
    """Memorization accuracy on the forget text."""
    scores = forgetting_scores(
        versions, version, forget, tokenizer, stop, ("memorization_accuracy",)
    )
    return scores.get("memorization_accuracy")
