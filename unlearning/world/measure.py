"""What an embedded model knows by heart: the figures of its card.

Measured in float32 on the saved weights, over the scored region of each document (the answer
of a question, everything behind a 20-token prefix of a passage; never ``</s>``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from unlearning.metrics.extraction_likelihood import (
    Text,
    all_continuations,
    needed_prefixes,
)
from unlearning.metrics.extraction_likelihood import likelihood as extraction_likelihood
from unlearning.models.base import BASE
from unlearning.models.continuations import continue_greedily
from unlearning.models.load import load
from unlearning.models.versions import Versions, open_versions
from unlearning.world.corpus import read
from unlearning.world.documents import Document, documents, prompt_of
from unlearning.world.general import Row

NGRAM = 10

Figures = dict[str, dict[str, float | int]]


def open_to_measure(model_folder: Path) -> Versions:
    """Open a saved model in float32 on the CPU."""
    loaded = load(str(model_folder), device="cpu", dtype="float32")
    return open_versions(loaded, lora_rank=1, seed=0)


def measure(model_folder: Path, world: Path) -> Figures:
    """Measure one saved model on every split it is judged by.

    Returns:
        Per split: ``memorization_accuracy`` [0, 1], ``nll`` (nats a token), and for passages
        ``extraction_likelihood`` [0, 1] and ``verbatim`` (share continued word for word), both
        over ``passages`` of them; general text: ``perplexity``; questions with choices:
        ``accuracy``.
    """
    versions = open_to_measure(model_folder)
    tokenizer = versions.tokenizer
    figures: Figures = {}
    with versions.use(BASE) as model:
        for split in ("forget", "retain", "holdout"):
            rows = documents(read(world, split), tokenizer)
            scores = extraction(versions, [row for row in rows if _leaves_ngram(row)])
            figures[split] = likelihood(model, rows) | {
                "extraction_likelihood": _mean([score for score, _ in scores]),
                "verbatim": _mean([float(same) for _, same in scores]),
                "passages": len(scores),
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
def extraction(versions: Versions, rows: Sequence[Document]) -> list[tuple[float, bool]]:
    """Return per passage EL10 and whether its prefix is continued word for word.

    Raises:
        ValueError: a passage leaves fewer than ten tokens behind its prefix.
    """
    if not all(map(_leaves_ngram, rows)):
        raise ValueError(f"passages must leave {NGRAM} tokens behind their prefix")
    with versions.use(BASE) as model:
        texts = [_text(model, row) for row in rows]
    needed = [needed_prefixes(text, NGRAM) for text in texts]
    generated = continue_greedily(versions, BASE)([text.ids for text in texts], needed)
    found = []
    for text, written in zip(texts, generated, strict=True):
        continuations = all_continuations(text, written, NGRAM)
        score = extraction_likelihood(text.ids, continuations, NGRAM)
        found.append((score, continuations[text.first] == text.ids[text.first :]))
    return found


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
    ids = model.generate(torch.tensor([start]), max_new_tokens=tokens, do_sample=False)[0]
    written = ids[len(start) :].tolist()
    stop = model.config.eos_token_id
    return tokenizer.decode(written[: written.index(stop)] if stop in written else written)


def _scored(model: Any, row: Document) -> tuple[torch.Tensor, torch.Tensor]:
    """Return greedy choices and log-probabilities of the true tokens in the scored region."""
    input_BT = torch.tensor([row.ids])
    logp_TV = model(input_ids=input_BT).logits[0, row.scored - 1 : -2].log_softmax(-1)
    target_T = input_BT[0, row.scored : -1]
    return logp_TV.argmax(-1), logp_TV.gather(1, target_T[:, None])[:, 0]


def _text(model: Any, row: Document) -> Text:
    """Return a passage with the model's choice after each prefix of the scored region."""
    choice_T, _ = _scored(model, row)
    choices = dict(enumerate(choice_T.tolist(), start=row.scored))
    return Text(row.ids[:-1], choices, row.scored, model.config.eos_token_id)


def _leaves_ngram(row: Document) -> bool:
    return row.passage and len(row.ids) - 1 - row.scored >= NGRAM


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
