"""What a model makes of a given continuation: every token's probability, and what was likelier.

Shape letters: B sequences, T tokens, N judged tokens, V vocabulary, K most likely ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from unlearning.data.encode import Encoded, collate
from unlearning.models.base import Versions
from unlearning.models.generate import TOP, Candidate
from unlearning.models.text_stream import TextStream

ROWS = 8
"""Sequences of one pass."""


@dataclass(frozen=True, slots=True)
class Place:
    """One token of a given continuation."""

    text: str
    """Text that the token completes; may be empty while a character is unfinished."""
    logp: float
    """Natural log-probability of the token; NaN where the logits are no numbers."""
    top: tuple[Candidate, ...]


def judge(
    versions: Versions,
    version: str,
    prompts_ids: Sequence[Sequence[int]],
    answers_ids: Sequence[Sequence[int]],
) -> list[list[Place]]:
    """One teacher-forced pass over prompts with their answers; the places of each answer.

    No answer and no prompt may be empty, and together they fit into the context.
    """
    rows = [
        Encoded((*prompt, *answer), len(prompt), len(prompt), ends=False, example=i)
        for i, (prompt, answer) in enumerate(zip(prompts_ids, answers_ids, strict=True))
    ]
    found: list[list[Place]] = []
    for start in range(0, len(rows), ROWS):
        found += _batch(versions, version, rows[start : start + ROWS])
    return found


def _batch(versions: Versions, version: str, rows: Sequence[Encoded]) -> list[list[Place]]:
    tokens = collate(rows, pad_id=0, multiple_of=1)
    width = tokens.ids_BT.shape[1]
    with torch.no_grad():
        out = versions.outputs(version, tokens)
        # Position t predicts token t + 1.
        index_N = torch.cat(
            [
                torch.arange(row.labels_from - 1, len(row.ids) - 1) + b * width
                for b, row in enumerate(rows)
            ]
        )
        target_N = torch.cat([torch.tensor(row.ids[row.labels_from :]) for row in rows])
        figures_NF = out.reduce(
            index_N, lambda logits_nV, place_n: _figures(logits_nV, target_N[place_n])
        )
    counts = [len(row.ids) - row.labels_from for row in rows]
    return [
        _places(versions.tokenizer, row, figures_nF)
        for row, figures_nF in zip(rows, figures_NF.split(counts), strict=True)
    ]


def _figures(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """[N, 1 + 2 K] float64 on the CPU: log-probability, the K largest, and whose they are."""
    logp_NV = logits_NV.log_softmax(-1)
    own_N1 = logp_NV.gather(-1, target_N.to(logp_NV.device)[:, None])
    values_NK, tokens_NK = logp_NV.topk(min(TOP, logp_NV.shape[-1]))
    return torch.cat([own_N1.double(), values_NK.double(), tokens_NK.double()], dim=-1).cpu()


def _places(tokenizer: PreTrainedTokenizerBase, row: Encoded, figures_NF: Tensor) -> list[Place]:
    stream = TextStream(tokenizer, row.ids[: row.labels_from])
    texts = [stream.add(token) for token in row.ids[row.labels_from :]]
    texts[-1] += stream.rest()
    places = []
    for text, (logp, *rest) in zip(texts, figures_NF.tolist(), strict=True):
        values, tokens = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        top = () if logp != logp else _candidates(tokenizer, tokens, values)
        places.append(Place(text, logp, top))
    return places


def _candidates(
    tokenizer: PreTrainedTokenizerBase, tokens: Sequence[float], logps: Sequence[float]
) -> tuple[Candidate, ...]:
    values = torch.tensor(logps, dtype=torch.float64).exp().tolist()
    return tuple(
        Candidate(int(token), tokenizer.decode([int(token)]), value)
        for token, value in zip(tokens, values, strict=True)
    )
