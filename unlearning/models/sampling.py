"""Random choice of tokens with noise of its own: the global generators are never touched."""

from __future__ import annotations

import torch
from torch import Tensor


class GumbelNoise:
    """Gumbel noise, one row per prompt, from a generator of its own on the CPU."""

    def __init__(self, seed: int, rows: int, vocabulary: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._shape = (rows, vocabulary)

    def draw(self) -> Tensor:
        """Noise [R, V] whose argmax with log-probabilities is a sample."""
        exponential_RV = torch.empty(self._shape).exponential_(generator=self._generator)
        return -exponential_RV.clamp(min=1e-30).log()


def nucleus(logits_BV: Tensor, top_p: float) -> Tensor:
    """Logits with everything outside the smallest set of probability `top_p` at -infinity."""
    if top_p >= 1:
        return logits_BV
    sorted_BV, order_BV = logits_BV.softmax(-1).sort(-1, descending=True)
    outside_BV = sorted_BV.cumsum(-1) - sorted_BV >= top_p
    return logits_BV.masked_fill(outside_BV.gather(-1, order_BV.argsort(-1)), float("-inf"))
