"""Rows of logits: all of a batch at once, or one chunk at a time from the last hidden states.

Shape letters as in `passes`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Head = Callable[[Tensor], Tensor]
"""The output layer: hidden states [..., D] to logits [..., V]."""

CHUNK_TOKENS = 1024
"""Rows of logits that a chunked pass holds at a time."""


def exact(logits: Tensor) -> Tensor:
    """At least float32; float64 stays (fixtures, gradcheck)."""
    return logits if logits.dtype == torch.float64 else logits.float()


class Whole:
    """All logits at once."""

    def __init__(self, logits_BTV: Tensor) -> None:
        self._logits_BTV = logits_BTV

    @property
    def dtype(self) -> torch.dtype:
        """Of the values computed from the rows."""
        return torch.float64 if self._logits_BTV.dtype == torch.float64 else torch.float32

    def take(self, index_N: Tensor) -> Tensor:
        """Logits [N, V] of predicted tokens, by index into the flattened [B * S]."""
        shifted = self._logits_BTV[:, :-1]
        return exact(shifted.reshape(-1, shifted.shape[-1])[index_N])

    def apply(
        self, function: Callable[..., Tensor], index_N: Tensor, target_N: Tensor, others: list
    ) -> Tensor:
        """`function(logits_NV, target_N, *other_logits_NV)` with the rows of `others` beside."""
        return function(self.take(index_N), target_N, *(_constant(o, index_N) for o in others))


class Chunked:
    """Hidden states and the head; logits of a chunk live only inside the call."""

    def __init__(self, hidden_BTD: Tensor, head: Head, chunk: int) -> None:
        self._hidden_BTD, self._head, self._chunk = hidden_BTD, head, chunk

    @property
    def dtype(self) -> torch.dtype:
        """Of the values computed from the rows."""
        return torch.float64 if self._hidden_BTD.dtype == torch.float64 else torch.float32

    def rows(self, index_N: Tensor) -> Tensor:
        """Hidden states [N, D] of the same."""
        shifted = self._hidden_BTD[:, :-1]
        return shifted.reshape(-1, shifted.shape[-1])[index_N]

    def take(self, index_N: Tensor) -> Tensor:
        """Logits [N, V] of predicted tokens, by index into the flattened [B * S]."""
        return exact(self._head(self.rows(index_N)))

    def apply(
        self, function: Callable[..., Tensor], index_N: Tensor, target_N: Tensor, others: list
    ) -> Tensor:
        """As `Whole.apply`; logits are made again for the backward pass."""

        def one(index: Tensor, target: Tensor, hidden_ND: Tensor) -> Tensor:
            logits_NV = exact(self._head(hidden_ND))
            return function(logits_NV, target, *(_constant(o, index) for o in others))

        hidden_ND = self.rows(index_N)
        parts = []
        for start in range(0, len(index_N), self._chunk):
            piece = slice(start, start + self._chunk)
            parts.append(
                checkpoint(
                    one, index_N[piece], target_N[piece], hidden_ND[piece], use_reentrant=False
                )
            )
        return torch.cat(parts) if parts else hidden_ND.new_zeros(0, dtype=self.dtype)


def _constant(rows: Whole | Chunked, index_N: Tensor) -> Tensor:
    """Logits of the pass compared with: no gradient ever reaches it, nor a head it shares."""
    with torch.no_grad():
        return rows.take(index_N)
