"""Rows as documents of token ids, and as batches for training."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from unlearning.world.general import Row

PREFIX_TOKENS = 20


@dataclass(frozen=True)
class Document:
    """``<s>`` + text + ``</s>``; the region ``[scored, len(ids) - 1)`` is what scores look at.

    `prose` marks general passages, the only text that training disturbs.
    """

    ids: tuple[int, ...]
    scored: int
    passage: bool
    prose: bool = False


def text_of(row: Row) -> str:
    """Return a row as the text that models are trained on."""
    if row["kind"] == "passage":
        return str(row["text"])
    return f"{prompt_of(row)} {row['answer']}"


def prompt_of(row: Row) -> str:
    """Return the prompt of a question; the answer follows behind one space."""
    return f"Question: {row['question']}\nAnswer:"


def documents(rows: list[Row], tokenizer: Any) -> list[Document]:
    """Tokenise rows. Scored are answers without ``</s>``, or all after a 20-token prefix."""
    encoded = []
    for row in rows:
        ids = [*tokenizer(text_of(row))["input_ids"], tokenizer.eos_token_id]
        passage = row["kind"] == "passage"
        prompt = 1 + PREFIX_TOKENS if passage else len(tokenizer(prompt_of(row))["input_ids"])
        encoded.append(Document(tuple(ids), prompt, passage, passage and row["group"] == "general"))
    return encoded


def batches(
    rng: Random, chosen: list[Document], tokens: int, multiple: int = 16
) -> list[list[Document]]:
    """Group documents of similar length into batches of at most `tokens` padded tokens.

    Args:
        rng: shuffles the documents before grouping and the batches after it.
        multiple: lengths are rounded up to it, which keeps the number of shapes small.
    """
    ordered = sorted(chosen, key=lambda document: len(document.ids) + rng.uniform(0, multiple))
    grouped: list[list[Document]] = [[]]
    for document in ordered:
        longest = padded_length([*grouped[-1], document], multiple)
        if grouped[-1] and longest * (len(grouped[-1]) + 1) > tokens:
            grouped.append([])
        grouped[-1].append(document)
    rng.shuffle(grouped)
    return grouped


def padded_length(batch: list[Document], multiple: int = 16) -> int:
    """Return the length of the longest document, rounded up to `multiple`."""
    longest = max(len(document.ids) for document in batch)
    return -(-longest // multiple) * multiple
