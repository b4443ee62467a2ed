"""Batches and small acts that several tests of this folder share."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.models.tiny import TEXT, build_tokenizer
from unlearning.data.encode import Encoded, Tokens, collate
from unlearning.models.base import Versions


def sequences(lengths: tuple[int, ...] = (23, 9, 16)) -> list[list[int]]:
    """Token sequences of uneven lengths, each with <s> first."""
    tokenizer = build_tokenizer()
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXT]
    return [[0, *ids[i % len(ids)][: n - 1]] for i, n in enumerate(lengths)]


def encoded(lengths: tuple[int, ...] = (23, 9, 16), *, scored_from: int = 4) -> list[Encoded]:
    """The same, trained on from 1, without end-of-text."""
    return [
        Encoded(tuple(ids), 1, scored_from, False, i) for i, ids in enumerate(sequences(lengths))
    ]


def batch(lengths: tuple[int, ...] = (23, 9, 16)) -> Tokens:
    """A right-padded batch of them."""
    return collate(encoded(lengths), 2)


def disturb(versions: Versions, version: str = "student", *, seed: int = 1) -> None:
    """Move a version away from the base, as training would."""
    generator = torch.Generator().manual_seed(seed)
    moved: dict[str, Tensor] = {
        name: tensor + 0.1 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in versions.state(version).items()
    }
    versions.load_state(version, moved)


def step(versions: Versions, tokens: Tokens, rate: float = 0.05) -> float:
    """One step of gradient descent on the student; returns the loss before it."""
    loss = versions.run("student", tokens, grad=True).nll
    loss.backward()
    with torch.no_grad():
        for _, parameter in versions.trainable():
            if parameter.grad is not None:
                parameter -= rate * parameter.grad
                parameter.grad = None
    return loss.item()
