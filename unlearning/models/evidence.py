"""What metrics read of a model: per-token figures of one teacher-forced pass, continuations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from unlearning.data.base import Example
from unlearning.data.encode import Encoded, collate, encode
from unlearning.metrics.base import Continuation, Evidence, Positions
from unlearning.models.base import Versions
from unlearning.models.continuations import continue_greedily
from unlearning.models.generate import generate

BEYOND_REFERENCE = 8
"""Tokens that a passage's continuation may run past the end of the true text."""
LOGP, ENTROPY, VARIANCE, ARGMAX, RANK = range(5)
TOGETHER = 64
"""Texts continued in one batch."""
NOT_A_NUMBER = -1
"""Argmax where the model gives no numbers: equal to no token."""


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
    stop: Callable[[], bool] = lambda: False,
) -> Evidence:
    """Evidence on the sequences `encoded`, in their order; `Encoded.example` indexes `examples`.

    `continuations` of them, spread evenly so that every kind of text is among them, are continued
    greedily from their scored region. Of `rewritten` of those that have any, the paraphrased and
    the wrong answers are read as well. When `stop` goes up, the evidence covers what was read
    until then.
    """
    kept = [item for item in encoded if item.labels_from < len(item.ids)]
    positions = read_all(versions, version, kept, batch_tokens, stop)
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


def read_all(
    versions: Versions,
    version: str,
    encoded: Sequence[Encoded],
    batch_tokens: int,
    stop: Callable[[], bool],
) -> dict[int, Positions]:
    """Figures of each sequence by its index; those that were read before `stop` went up."""
    positions: dict[int, Positions] = {}
    for batch in batches(encoded, batch_tokens):
        if stop():
            break
        read = _read(versions, version, [encoded[i] for i in batch])
        positions |= zip(batch, read, strict=True)
    return positions


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


def batches(encoded: Sequence[Encoded], batch_tokens: int) -> Iterator[list[int]]:
    """Indices, longest sequences first, so that batches hardly pad."""
    order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].ids))
    while order:
        count = max(1, batch_tokens // len(encoded[order[0]].ids))
        yield order[:count]
        order = order[count:]


def _read(versions: Versions, version: str, batch: Sequence[Encoded]) -> list[Positions]:
    """Figures of every labelled token, float32 log-softmax."""
    tokens = collate(batch, versions.tokenizer.pad_token_id or 0)
    with torch.no_grad(), torch.autocast(versions.device.type, enabled=False):
        out = versions.outputs(version, tokens)
        width = tokens.ids_BT.shape[1]
        # Position t predicts token t + 1.
        index_N = torch.cat(
            [
                torch.arange(item.labels_from - 1, len(item.ids) - 1) + b * width
                for b, item in enumerate(batch)
            ]
        )
        target_N = torch.cat([torch.tensor(item.ids[item.labels_from :]) for item in batch])
        figures_NK = out.reduce(
            index_N, lambda logits_nV, place_n: _figures(logits_nV, target_N[place_n])
        )
    counts = [len(item.ids) - item.labels_from for item in batch]
    parts = zip(figures_NK.split(counts), target_N.split(counts), batch, strict=True)
    return [_positions(figures_nK, target_n, item) for figures_nK, target_n, item in parts]


def _figures(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """[N, 5] float64 on the CPU: log-probability, entropy, its variance, argmax, rank."""
    target_N1 = target_N.to(logits_NV.device)[:, None]
    logp_NV = logits_NV.log_softmax(-1)
    p_NV = logp_NV.exp()
    # 0 * log 0 counts as 0.
    finite_NV = logp_NV.masked_fill(p_NV == 0, 0.0)
    entropy_N = -(p_NV * finite_NV).sum(-1)
    variance_N = (p_NV * (finite_NV + entropy_N[:, None]).square()).sum(-1)
    rank_N = (logits_NV > logits_NV.gather(-1, target_N1)).sum(-1)
    broken_N = logits_NV.isnan().any(-1)
    argmax_N = logits_NV.argmax(-1).masked_fill(broken_N, NOT_A_NUMBER)
    rank_N = rank_N.masked_fill(broken_N, logits_NV.shape[-1])
    columns = (logp_NV.gather(-1, target_N1)[:, 0], entropy_N, variance_N, argmax_N, rank_N)
    return torch.stack([column.cpu().double() for column in columns], dim=1)


def _positions(figures_nK: Tensor, target_n: Tensor, item: Encoded) -> Positions:
    columns = figures_nK.numpy()
    place = np.arange(item.labels_from, len(item.ids))
    end = (place == len(item.ids) - 1) & item.ends
    return Positions(
        target=target_n.numpy().astype(np.int64),
        argmax=columns[:, ARGMAX].astype(np.int64),
        logp=columns[:, LOGP],
        rank=columns[:, RANK].astype(np.int64),
        entropy=columns[:, ENTROPY],
        mean_logp=-columns[:, ENTROPY],
        variance_logp=columns[:, VARIANCE],
        scored=(place >= item.scored_from) & ~end,
        end=end,
    )


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
        Continuation(tuple(prompt), tuple(ids), said(ids), tuple(reference), said(reference))
        for prompt, ids, reference in zip(prompts, written, references, strict=True)
    ]
