"""The fictional world: its texts, its tokenizer and the two embedded models.

``corpus`` writes the texts without torch; ``making`` trains and measures the models.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from unlearning.errors import UserError
from unlearning.world.corpus import DEFAULT_SEED, generate, write


def build(
    out: Path,
    *,
    seed: int = DEFAULT_SEED,
    models: bool = True,
    only: str | None = None,
    progress: Callable[[str], None] = print,
) -> None:
    """Write ``out/world/*.jsonl`` and, with `models`, ``out/models/demo`` and ``demo-retain``.

    Args:
        only: train just this one of the two models.
        progress: told in short lines how far things are.

    Raises:
        UserError: there is no model of the name `only`, or the folder cannot be written.
    """
    try:
        write(out / "world", generate(seed))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}.", "Name another.") from error
    progress(f"texts written to {out / 'world'}")
    if models:
        # Late: writing texts needs no torch.
        from unlearning.world.making import make_models  # noqa: PLC0415

        make_models(out, only=only, progress=progress)
