"""What metrics read of a model on one text set: figures of one pass, continuations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from transformers import PreTrainedTokenizerBase

from unlearning.data.base import Example
from unlearning.data.encode import Encoded, encode
from unlearning.metrics.base import Continuation, Evidence, Positions
from unlearning.models.base import Versions
from unlearning.models.continuations import continue_greedily
from unlearning.models.figures import read_all
from unlearning.models.generate import generate

BEYOND_REFERENCE = 8
"""Tokens that a passage's continuation may run past the end of the true text."""
TOGETHER = 64
"""Texts continued in one batch."""


def gather(
    versions: Versions,
    version: str,
    role: str,
    examples: Sequence[Example],
    encoded: Sequence[Encoded],
    tokenizer: PreTrainedTokenizerBase,
    *,
    continuations: int = 0,
    rewritten: int = 0,
    new_tokens: int = 48,
    batch_tokens: int = 4096,
    original: str | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Evidence:
    """Evidence on the sequences `encoded`, in their order; `Encoded.example` indexes `examples`.

    `continuations` of them, spread evenly so that every kind of text is among them, are continued
    greedily from their scored region. Of `rewritten` of those that have any, the paraphrased and
    the wrong answers are read as well. With `original` each token's divergence from that version is
    read in the same pass. When `stop` goes up, the evidence covers what was read
    until then.
    """
    kept = [item for item in encoded if item.labels_from < len(item.ids)]
    positions = read_all(versions, version, kept, batch_tokens, stop, original)
    order = sorted(positions)
    done = [kept[i] for i in order]
    there = [examples[item.example] for item in done]
    count = min(continuations, len(done))
    chosen = [done[i * len(done) // count] for i in range(count)]
    continued = _continue(versions, version, examples, chosen, tokenizer, new_tokens, stop)
    others = rewritten_answers(there, tokenizer, versions.context_length, rewritten)
    flat = [item for items in others for item in items]
    # Only a complete set of answers can be compared.
    read = read_all(versions, version, flat, batch_tokens, stop) if not stop() else {}
    paraphrased, perturbed = _by_example(there, others, read if len(read) == len(flat) else {})
    return Evidence(
        role=role,
        examples=there,
        positions=[positions[i] for i in order],
        ids=[item.ids for item in done],
        scored_from=[item.scored_from for item in done],
        continuations=continued,
        continue_greedily=continue_greedily(versions, version, stop),
        texts=[_labelled_text(item, tokenizer) for item in done],
        paraphrased=paraphrased,
        perturbed=perturbed,
    )


def rewritten_answers(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, longest: int, count: int
) -> list[list[Encoded]]:
    """For each example its paraphrased answer, if any, then its wrong ones; empty for most.

    `count` examples that have wrong answers or a paraphrase are taken, spread evenly. An example
    of which one answer has more than `longest` tokens is passed over.
    """
    answers = [_other_answers(example) for example in examples]
    having = [i for i, one in enumerate(answers) if one]
    count = min(count, len(having))
    found: list[list[Encoded]] = [[] for _ in examples]
    for i in (having[k * len(having) // count] for k in range(count)):
        others = [examples[i].model_copy(update={"answer": answer}) for answer in answers[i]]
        items = encode(others, tokenizer, max_length=sys.maxsize)
        if max(len(item.ids) for item in items) <= longest:
            found[i] = items
    return found


def _other_answers(example: Example) -> list[str]:
    if example.kind != "qa":
        return []
    paraphrased = [example.paraphrased_answer] if example.paraphrased_answer else []
    return [answer for answer in (*paraphrased, *example.perturbed_answers) if answer.strip()]


def _by_example(
    examples: Sequence[Example], others: Sequence[Sequence[Encoded]], read: Mapping[int, Positions]
) -> tuple[list[Positions | None], list[list[Positions]]]:
    """Paraphrased and wrong answers, aligned with the examples."""
    paraphrased: list[Positions | None] = []
    perturbed: list[list[Positions]] = []
    remaining = iter(sorted(read))
    for example, items in zip(examples, others, strict=True):
        mine = [read[i] for i in islice(remaining, len(items))]
        first = 1 if mine and (example.paraphrased_answer or "").strip() else 0
        paraphrased.append(mine[0] if first else None)
        perturbed.append(mine[first:])
    return paraphrased, perturbed


def _labelled_text(item: Encoded, tokenizer: PreTrainedTokenizerBase) -> str:
    ids = item.ids[item.labels_from : len(item.ids) - item.ends]
    return tokenizer.decode(list(ids), skip_special_tokens=True)


def _continue(
    versions: Versions,
    version: str,
    examples: Sequence[Example],
    encoded: Sequence[Encoded],
    tokenizer: PreTrainedTokenizerBase,
    new_tokens: int,
    stop: Callable[[], bool],
) -> list[Continuation]:
    """Greedy continuations beside the text that truly follows, many to a batch."""
    if len(encoded) > TOGETHER:
        parts = [encoded[i : i + TOGETHER] for i in range(0, len(encoded), TOGETHER)]
        found = [
            _continue(versions, version, examples, part, tokenizer, new_tokens, stop)
            for part in parts
        ]
        return [one for part in found for one in part] if not stop() else []
    if not encoded:
        return []
    # What was never asked for cannot be recalled: a long passage is compared as far as it goes.
    references = [
        item.ids[item.scored_from : len(item.ids) - item.ends][:new_tokens] for item in encoded
    ]
    limits = [
        min(new_tokens, len(reference) + BEYOND_REFERENCE)
        if examples[item.example].kind == "passage"
        else new_tokens
        for item, reference in zip(encoded, references, strict=True)
    ]
    written: list[list[int]] = [[] for _ in encoded]
    prompts = [item.ids[: item.scored_from] for item in encoded]
    for pieces in generate(versions, prompts, [version], max_new_tokens=max(limits), stop=stop):
        for piece in pieces:
            if len(written[piece.row]) < limits[piece.row]:
                written[piece.row].append(piece.token)
    if stop():
        return []

    def said(ids: Sequence[int]) -> str:
        return tokenizer.decode(list(ids), skip_special_tokens=True)

    return [
        Continuation(
            prompt_ids=tuple(prompt),
            ids=tuple(ids),
            text=said(ids),
            reference_ids=tuple(reference),
            reference=said(reference),
            example=examples[item.example],
        )
        for prompt, ids, reference, item in zip(prompts, written, references, encoded, strict=True)
    ]
