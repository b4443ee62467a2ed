"""The line to reach: the figures of a model that never saw the text, beside those of the runs."""

from __future__ import annotations

from unlearning.config import RunConfig
from unlearning.data.encode import encode
from unlearning.runs.events import Scores
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.sweeps.columns import FIGURES, asked


def line_to_reach(
    store: RunStore, ground: RunConfig, original: Scores, device: str = "auto"
) -> dict[str, float] | None:
    """Figure to value of the retrained model; None where none is known.

    `original` are the scores of the model that the runs set out from. Unlike the level that runs
    stop at, which a few texts give, this is measured as the runs themselves are in the end.
    """
    # Late: loads torch.
    from unlearning.models.base import REFERENCE  # noqa: PLC0415
    from unlearning.runs.levels import retrained_of  # noqa: PLC0415
    from unlearning.runs.measure import TextSet, some_scores  # noqa: PLC0415
    from unlearning.runs.shelf import open_model, origin  # noqa: PLC0415

    name = retrained_of(ground)
    if name is None:
        return None
    loaded, versions = open_model(
        origin(store, name), lora_rank=1, device=device, dtype=ground.dtype, seed=0
    )
    length = min(ground.max_length, loaded.context_length)
    texts, _ = gather_texts(ground)
    sets = [
        TextSet(role, examples, encode(examples, loaded.tokenizer, max_length=length))
        for role, examples in texts.items()
    ]
    found = some_scores(versions, REFERENCE, sets, loaded.tokenizer, lambda: False, asked())
    values = {name: figure.of(original, found) for name, figure in FIGURES.items()}
    return {name: value for name, value in values.items() if value is not None}
