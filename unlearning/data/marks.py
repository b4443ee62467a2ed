"""From marked stretches of a text to the tokens that touch them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unlearning.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Mark = tuple[int, int]
"""A stretch of a text: its first character and the one after its last."""


def touching(
    whole: str, target: str, after: int, marks: Sequence[Mark], tokenizer: PreTrainedTokenizerBase
) -> frozenset[int]:
    """Indices of the tokens of `whole` that hold at least one marked character of `target`.

    `target` stands in `whole` at or behind the character `after`, perhaps without the space
    around it (chat templates strip it).

    Raises:
        UserError: the tokenizer does not tell where in the text its tokens stand.
    """
    if not tokenizer.is_fast:
        raise UserError(
            "This model's tokenizer does not tell where in the text its tokens stand, so single "
            "words cannot be focused on.",
            "Choose focus=none, or a model with a tokenizer.json.",
        )
    begin = whole.index(target.strip(), after) - (len(target) - len(target.lstrip()))
    marked = bytearray(len(whole))
    for start, end in marks:
        first, last = max(begin + start, 0), min(begin + end, len(whole))
        marked[first:last] = b"\1" * (last - first)
    told = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
        "offset_mapping"
    ]
    return frozenset(i for i, (start, end) in enumerate(told) if any(marked[start:end]))
