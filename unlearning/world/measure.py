"""What an embedded model knows by heart: the figures of its card.

Measured in float32 on the saved weights, over the scored region of each document (the answer
of a question, everything behind a 20-token prefix of a passage; never ``</s>``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from unlearning.world.corpus import read
from unlearning.world.documents import Document, documents, prompt_of
from unlearning.world.general import Row

NGRAM = 10
PASSAGES_FOR_EXTRACTION = 30

Figures = dict[str, dict[str, float | int]]


def measure(model_folder: Path, world: Path) -> Figures:
    """Measure one saved model on every split it is judged by.

    Returns:
        Per split: ``memorization_accuracy`` [0, 1], ``nll`` (nats a token), and for passages
        ``extraction_likelihood`` [0, 1] and ``verbatim`` (share continued word for word), both
        over ``passages`` of them; general text: ``perplexity``; questions with choices:
        ``accuracy``.
    """
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    figures: Figures = {}
    for split in ("forget", "retain", "holdout"):
        rows = documents(read(world, split), tokenizer)
        passages = _spread([row for row in rows if row.passage], PASSAGES_FOR_EXTRACTION)
        scores = [extraction(model, passage) for passage in passages]
        figures[split] = likelihood(model, rows) | {
            "extraction_likelihood": _mean([score for score, _ in scores]),
            "verbatim": _mean([float(same) for _, same in scores]),
            "passages": len(passages),
        }
    validation = documents(read(world, "general_validation"), tokenizer)
    figures["general_validation"] = {"perplexity": perplexity(model, validation)}
    choices = read(world, "multiple_choice")
    figures["multiple_choice"] = {"accuracy": choice_accuracy(model, tokenizer, choices)}
    return figures


@torch.no_grad()
def likelihood(model: Any, rows: Sequence[Document]) -> dict[str, float | int]:
    """Return memorization accuracy (mean over documents) and NLL (mean over tokens)."""
    accuracies, losses, tokens = [], 0.0, 0
    for row in rows:
        choice_T, logp_T = _scored(model, row)
        target_T = torch.tensor(row.ids[row.scored : -1])
        accuracies.append((choice_T == target_T).float().mean().item())
        losses -= logp_T.sum().item()
        tokens += len(target_T)
    return {"memorization_accuracy": _mean(accuracies), "nll": losses / tokens}


@torch.no_grad()
def perplexity(model: Any, rows: Sequence[Document]) -> float:
    """Return the perplexity over all tokens behind ``<s>``, ``</s>`` included."""
    losses, tokens = 0.0, 0
    for row in rows:
        input_BT = torch.tensor([row.ids])
        logp_TV = model(input_ids=input_BT).logits[0].log_softmax(-1)
        losses -= logp_TV[:-1].gather(1, input_BT[0, 1:, None]).sum().item()
        tokens += len(row.ids) - 1
    return float(torch.tensor(losses / tokens).exp())


@torch.no_grad()
def extraction(model: Any, row: Document) -> tuple[float, bool]:
    """Return EL10 of one passage and whether its prefix is continued word for word.

    EL_n is the mean over prefixes of the share of true n-grams that the greedy continuation
    holds (Jang et al. 2022, eq. 3). Where the greedy choice is the true token, a continuation
    is that token and the continuation of the next prefix: only mistakes need a generation.
    """
    ids, end = row.ids[:-1], len(row.ids) - 1
    choice_T, _ = _scored(model, row)
    wrong = [
        row.scored + i
        for i, choice in enumerate(choice_T.tolist())
        if choice != ids[row.scored + i]
    ]
    written = dict(zip(wrong, _continue(model, [ids[:start] for start in wrong], end), strict=True))
    following: tuple[int, ...] = ()
    total, prefixes = 0.0, 0
    for start in range(end - 1, row.scored - 1, -1):
        following = written[start] if start in written else (ids[start], *following)
        reference = _ngrams(ids[start:])
        if reference:
            known = set(reference)
            total += sum(ngram in known for ngram in _ngrams(following)) / len(reference)
            prefixes += 1
    return total / prefixes, following == ids[row.scored :]


@torch.no_grad()
def choice_accuracy(model: Any, tokenizer: Any, rows: Sequence[Row]) -> float:
    """Return the share of questions whose right answer is the likeliest per token."""
    right = 0
    for row in rows:
        options = []
        for choice in row["choices"]:
            option = {"kind": "qa", "question": row["question"], "answer": choice}
            document = documents([option], tokenizer)[0]
            options.append(_scored(model, document)[1].mean().item())
        right += options.index(max(options)) == row["answer"]
    return right / len(rows)


@torch.no_grad()
def greedy(model: Any, tokenizer: Any, row: Row, tokens: int) -> str:
    """Continue the prompt of a question, or the first 20 tokens of a passage, greedily."""
    document = documents([row], tokenizer)[0]
    start = document.ids[: document.scored]
    if row["kind"] == "qa":
        start = tuple(tokenizer(prompt_of(row))["input_ids"])
    return tokenizer.decode(_continue(model, [start], len(start) + tokens)[0])


def _scored(model: Any, row: Document) -> tuple[torch.Tensor, torch.Tensor]:
    """Return greedy choices and log-probabilities of the true tokens in the scored region."""
    input_BT = torch.tensor([row.ids])
    logp_TV = model(input_ids=input_BT).logits[0, row.scored - 1 : -2].log_softmax(-1)
    target_T = input_BT[0, row.scored : -1]
    return logp_TV.argmax(-1), logp_TV.gather(1, target_T[:, None])[:, 0]


def _continue(model: Any, prefixes: list[tuple[int, ...]], end: int) -> list[tuple[int, ...]]:
    """Continue prefixes greedily, each up to `end` tokens in all or to ``</s>``."""
    if not prefixes:
        return []
    pad, stop = model.config.pad_token_id, model.config.eos_token_id
    longest = max(len(prefix) for prefix in prefixes)
    input_BT = torch.full((len(prefixes), longest), pad)
    mask_BT = torch.zeros_like(input_BT)
    for row, prefix in enumerate(prefixes):
        input_BT[row, longest - len(prefix) :] = torch.tensor(prefix)
        mask_BT[row, longest - len(prefix) :] = 1
    shortest = min(len(prefix) for prefix in prefixes)
    written_BT = model.generate(
        input_BT, attention_mask=mask_BT, max_new_tokens=end - shortest, do_sample=False
    )
    found = []
    for prefix, written_T in zip(prefixes, written_BT[:, longest:].tolist(), strict=True):
        kept = written_T[: end - len(prefix)]
        found.append(tuple(kept[: kept.index(stop)] if stop in kept else kept))
    return found


def _ngrams(ids: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple(ids[i : i + NGRAM]) for i in range(len(ids) - NGRAM + 1)]


def _spread(rows: list[Document], count: int) -> list[Document]:
    """Take `count` rows evenly from the list, so that every group is among them."""
    step = max(1, len(rows) // count)
    return rows[::step][:count]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
