"""Other answers in the place of an example's own, behind the very same prompt."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix
from sys import maxsize
from typing import TYPE_CHECKING

from unlearning.data.base import Example
from unlearning.data.encode import Encoded, encode

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Asked = tuple[Example, Encoded, str]
"""An example, one of its sequences, and the other answer."""


def with_answers(
    asked: Sequence[Asked], tokenizer: PreTrainedTokenizerBase, *, max_length: int
) -> list[Encoded | None]:
    """Each sequence with the other answer in place of what is scored; None where it is too long.

    Questions and chats go through the same templates as their own answers. Of a passage the
    unscored beginning is kept, and the answer follows it as a sentence of its own. End-of-text
    closes every answer where the tokenizer has it.
    """
    found: list[Encoded | None] = [None] * len(asked)
    turns = [i for i, (example, _, _) in enumerate(asked) if example.kind != "passage"]
    passages = [i for i, (example, _, _) in enumerate(asked) if example.kind == "passage"]
    changed = [_answered(asked[i][0], asked[i][2]) for i in turns]
    # Without a limit: here what is too long is left out, not refused.
    for i, made in zip(turns, encode(changed, tokenizer, max_length=maxsize), strict=True):
        found[i] = Encoded(
            made.ids, made.labels_from, made.scored_from, made.ends, asked[i][1].example
        )
    pairs = [(asked[i][1], asked[i][2]) for i in passages]
    for i, made in zip(passages, _continued(pairs, tokenizer), strict=True):
        found[i] = made
    return [item if item is not None and len(item.ids) <= max_length else None for item in found]


def _answered(example: Example, answer: str) -> Example:
    if example.kind == "qa":
        return example.model_copy(update={"answer": answer})
    last = example.messages[-1].model_copy(update={"content": answer})
    return example.model_copy(update={"messages": (*example.messages[:-1], last)})


def _continued(
    pairs: Sequence[tuple[Encoded, str]], tokenizer: PreTrainedTokenizerBase
) -> list[Encoded]:
    """The beginnings of passages, each with the other text after a space."""
    if not pairs:
        return []
    prompts = [tokenizer.decode(item.ids[: item.scored_from]) for item, _ in pairs]
    wholes = [f"{prompt} {text}" for prompt, (_, text) in zip(prompts, pairs, strict=True)]
    ids = tokenizer(prompts + wholes, add_special_tokens=False, verbose=False)["input_ids"]
    end = () if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,)
    made = []
    for i, (item, _) in enumerate(pairs):
        prompt, whole = ids[i], ids[len(pairs) + i]
        # Only the new part is taken from here: what is decoded and read again may be cut
        # otherwise than it was. A merge across the boundary takes the prompt's last tokens along.
        shared = len(commonprefix([prompt, whole]))
        start = max(1, item.scored_from - (len(prompt) - shared))
        made.append(
            Encoded(
                (*item.ids[:start], *whole[shared:], *end), start, start, bool(end), item.example
            )
        )
    return made
