"""Ordinary text where none was given: what the model itself writes.

Sampled from the original model at temperature 1 from its beginning-of-text token, so that it is
spread over what the model knows best. A stand-in for the pretraining text that most methods
assume and that nobody has at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unlearning.data.base import Example
from unlearning.data.encode import Encoded
from unlearning.errors import UserError
from unlearning.metrics.base import PREFIX_TOKENS
from unlearning.models.generate import generate
from unlearning.models.versions import Versions
from unlearning.runs.measure import TextSet

TEXTS = 48
TOKENS = 64
SHORTEST = 8
"""Tokens; what ends sooner is no text."""


def own_text(
    versions: Versions,
    version: str,
    tokenizer: Any,
    *,
    seed: int,
    tokens: int,
    stop: Callable[[], bool],
) -> TextSet:
    """Samples of `version` as the generic role.

    Raises:
        UserError: the model ends at once, however often it is asked.
    """
    first = tokenizer.bos_token_id
    if first is None:
        first = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0
    rows: list[list[int]] = [[first] for _ in range(TEXTS)]
    for pieces in generate(
        versions,
        rows,
        [version],
        max_new_tokens=min(TOKENS, tokens - 1),
        temperature=1.0,
        seed=seed,
        stop=stop,
    ):
        for piece in pieces:
            if piece.token is not None:
                rows[piece.row].append(piece.token)
    rows = [row for row in rows if len(row) > SHORTEST]
    if not rows and not stop():
        raise UserError(
            "No text to keep was given, and the model writes none by itself.",
            "Name some with --retain or --generic.",
        )
    examples = [
        Example(id=f"own-{i}", group="own", text=tokenizer.decode(row[1:]))
        for i, row in enumerate(rows)
    ]
    # As for every passage: the first tokens are given, the rest is scored.
    encoded = [
        Encoded(tuple(row), 1, 1 + min(PREFIX_TOKENS, (len(row) - 1) // 2), False, i)
        for i, row in enumerate(rows)
    ]
    return TextSet("generic", examples, encoded)
