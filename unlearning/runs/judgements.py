"""What every side of a request makes of every answer: the same text under all models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from unlearning.data.encode import prompt_ids
from unlearning.models.judge import Place, judge
from unlearning.runs.requests import Candidate, Delta, GenerateRequest, Judged
from unlearning.runs.shelf import Opened

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from unlearning.models.load import Loaded

Written = dict[tuple[int, int], list[int]]
"""Token ids of every answer by (side, prompt)."""


def rows_of(request: GenerateRequest, loaded: Loaded) -> list[list[int]]:
    """The request's prompts in the model's tokens, cut in front to leave room for answers."""
    room = max(loaded.context_length - request.max_new_tokens, 1)
    kind = "question" if request.as_question else "text"
    return [prompt_ids(text, loaded.tokenizer, kind=kind)[-room:] for text in request.prompts]


def judgements(
    request: GenerateRequest,
    opened: Sequence[Opened],
    written: Mapping[tuple[int, int], Sequence[int]],
    stop: Callable[[], bool],
) -> Iterator[Delta]:
    """Every answer judged by every side, one pass a side.

    Left out are empty answers, and answers that a side's tokens or context cannot hold.
    """
    for number, judging in enumerate(opened):
        if stop():
            return
        prompts, answers, whose = [], [], []
        rows = rows_of(request, judging.loaded)
        for (side, row), ids in sorted(written.items()):
            own = _in_tokens_of(judging.loaded, opened[side].loaded, ids)
            if own and rows[row] and len(rows[row]) + len(own) <= judging.loaded.context_length:
                prompts.append(rows[row])
                answers.append(own)
                whose.append((side, row))
        if not whose:
            continue
        judged = judge(judging.versions, judging.version, prompts, answers)
        for (side, row), places in zip(whose, judged, strict=True):
            tokens = tuple(_told(place) for place in places)
            yield Delta(kind="judged", side=side, prompt=row, judge=number, tokens=tokens)


def _in_tokens_of(judging: Loaded, writing: Loaded, ids: Sequence[int]) -> list[int]:
    """The same text in the tokens of another model."""
    if _same(judging.tokenizer, writing.tokenizer):
        return list(ids)
    text = writing.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
    return judging.tokenizer(text, add_special_tokens=False)["input_ids"]


def _same(one: PreTrainedTokenizerBase, other: PreTrainedTokenizerBase) -> bool:
    return one is other or one.get_vocab() == other.get_vocab()


def _told(place: Place) -> Judged:
    top = tuple(Candidate(text=c.text, probability=c.probability) for c in place.top)
    return Judged(text=place.text, logp=place.logp if isfinite(place.logp) else None, top=top)
