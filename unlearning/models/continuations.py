"""Greedy continuations from many places inside known sequences, on shared keys and values.

Each sequence is read once. A continuation from prefix length k needs the keys and values of the
first k tokens, which that one pass has already made, so its row starts with them. Rows are sorted
by k: at absolute position p the rows that have begun are a leading block of the buffer, and each
has exactly p entries, so there is neither padding nor copying.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from unlearning.metrics.base import Continue
from unlearning.models.base import Versions
from unlearning.models.forward import run_model
from unlearning.models.generate import end_tokens, generate

BUFFER_BYTES = 256 * 2**20
PREFILL_TOKENS = 2048
FALLBACK_ROWS = 32

Found = list[dict[int, list[int]]]


def continue_greedily(
    versions: Versions, version: str, stop: Callable[[], bool] = lambda: False
) -> Continue:
    """Bind a version to `metrics.base.Continue`; float32 where the weights are.

    When `stop` goes up, continuations end where they are.
    """

    def continued(sequences: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> Found:
        return _Reader(versions, version, stop).read(sequences, wanted)

    return continued


@dataclass
class _Row:
    """One continuation in the making."""

    sequence: int
    begin: int
    """Prefix length."""
    until: int
    """Total length of the sequence."""
    ids: list[int] = field(default_factory=list)
    ended: bool = False

    def take(self, token: int, ends: frozenset[int]) -> None:
        """Add a token unless the row is over."""
        if self.ended:
            return
        if token in ends:
            self.ended = True
            return
        self.ids.append(token)
        self.ended = self.begin + len(self.ids) >= self.until


class _Live(DynamicLayer):
    """A layer's cache: the block of a buffer [R, H, T, D] that is in use."""

    def __init__(self, keys_RHTD: Tensor, values_RHTD: Tensor) -> None:
        super().__init__()
        self.keys, self.values, self.is_initialized = keys_RHTD, values_RHTD, True
        self.rows, self.length = slice(0, 0), 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: object, **kwargs: object
    ) -> tuple[Tensor, Tensor]:
        """Write one position of the live rows; give back all they have."""
        end = self.length + key_states.shape[-2]
        self.keys[self.rows, :, self.length : end] = key_states
        self.values[self.rows, :, self.length : end] = value_states
        return self.keys[self.rows, :, :end], self.values[self.rows, :, :end]

    def get_seq_length(self) -> int:
        """Positions filled so far."""
        return self.length


class _Reader:
    """One call: all sequences, in chunks that bound memory."""

    def __init__(self, versions: Versions, version: str, stop: Callable[[], bool]) -> None:
        self._versions, self._version, self._stop = versions, version, stop
        self._ends = end_tokens(versions)

    def read(self, sequences: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]) -> Found:
        """Continuations of every sequence by prefix length."""
        found: Found = [{} for _ in sequences]
        order = sorted(
            (i for i in range(len(sequences)) if wanted[i]), key=lambda i: len(sequences[i])
        )
        while order and not self._stop():
            longest = len(sequences[order[-1]])
            count = max(1, PREFILL_TOKENS // longest)
            batch, order = order[-count:], order[:-count]
            for row in self._batch([sequences[i] for i in batch], [wanted[i] for i in batch]):
                found[batch[row.sequence]][row.begin] = row.ids
        return found

    def _batch(
        self, sequences: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]
    ) -> list[_Row]:
        rows = [
            _Row(i, k, len(ids))
            for i, (ids, lengths) in enumerate(zip(sequences, wanted, strict=True))
            for k in sorted(set(lengths))
            if 0 < k < len(ids)
        ]
        separable = self._versions.separable
        with torch.no_grad(), self._versions.use(self._version) as model:
            cache, next_BT = self._prefill(model, separable, sequences)
            if not _plain(cache):
                return self._one_by_one(sequences, rows)
            for row in rows:
                row.take(int(next_BT[row.sequence, row.begin - 1]), self._ends)
            rows.sort(key=lambda row: row.begin)
            going = [row for row in rows if not row.ended]
            count = max(1, BUFFER_BYTES // _bytes_of_a_row(cache))
            for start in range(0, len(going), count):
                self._decode(model, cache, going[start : start + count])
        return rows

    def _prefill(
        self, model: PreTrainedModel, separable: bool, sequences: Sequence[Sequence[int]]
    ) -> tuple[Cache, Tensor]:
        """Keys and values of each sequence, and the argmax after every position [B, T].

        Right padding: what stands before it never sees it.
        """
        width = max(map(len, sequences))
        ids_BT = torch.zeros(len(sequences), width, dtype=torch.int64)
        attention_BT = torch.zeros_like(ids_BT)
        for b, ids in enumerate(sequences):
            ids_BT[b, : len(ids)] = torch.tensor(list(ids))
            attention_BT[b, : len(ids)] = 1
        device = self._versions.device
        inputs = {"input_ids": ids_BT.to(device), "attention_mask": attention_BT.to(device)}
        out = run_model(model, inputs, separable=separable, use_cache=True)
        argmax_N = out.reduce(
            torch.arange(ids_BT.numel()), lambda logits_nV, _: logits_nV.argmax(-1).cpu()
        )
        return out.cache, argmax_N.view(ids_BT.shape)

    def _decode(self, model: PreTrainedModel, cache: DynamicCache, rows: list[_Row]) -> None:
        """Continue rows sorted by `begin` until each has ended."""
        width = max(row.until for row in rows)
        layers = [_layer(layer, rows, width) for layer in cache.layers]
        live = Cache(layers=layers)
        position = rows[0].begin
        while position < width and not self._stop():
            begun = sum(row.begin <= position for row in rows)
            first = next((i for i in range(begun) if not rows[i].ended), begun)
            if first == begun:
                if begun == len(rows):
                    return
                position = rows[begun].begin
                continue
            for layer in layers:
                layer.rows, layer.length = slice(first, begun), position
            chosen = self._step(model, live, rows[first:begun])
            for row, token in zip(rows[first:begun], chosen, strict=True):
                row.take(token, self._ends)
            position += 1

    def _step(self, model: PreTrainedModel, cache: Cache, rows: list[_Row]) -> list[int]:
        """The next token of each row; all rows hold equally many entries."""
        # A row that has ended is fed anything: nobody reads it.
        last_R1 = torch.tensor([[row.ids[-1] if row.ids else 0] for row in rows])
        inputs = {"input_ids": last_R1.to(self._versions.device), "use_cache": True}
        out = model(**inputs, past_key_values=cache)
        return out.logits[:, -1].float().argmax(-1).tolist()

    def _one_by_one(self, sequences: Sequence[Sequence[int]], rows: list[_Row]) -> list[_Row]:
        """For caches that are not plain keys and values (sliding windows): padded batches."""
        for start in range(0, len(rows), FALLBACK_ROWS):
            chunk = rows[start : start + FALLBACK_ROWS]
            prompts = [sequences[row.sequence][: row.begin] for row in chunk]
            room = max(row.until - row.begin for row in chunk)
            for pieces in generate(
                self._versions, prompts, [self._version], max_new_tokens=room, stop=self._stop
            ):
                for piece in pieces:
                    chunk[piece.row].take(piece.token, self._ends)
        return rows


def _plain(cache: Cache | None) -> bool:
    layers = getattr(cache, "layers", [])
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


def _bytes_of_a_row(cache: DynamicCache) -> int:
    return sum(layer.keys[0].numel() * layer.keys.element_size() * 2 for layer in cache.layers)


def _layer(layer: DynamicLayer, rows: list[_Row], width: int) -> _Live:
    """A buffer with each row's prefix in place; the rest is written as rows grow."""
    buffers = []
    for source in (layer.keys, layer.values):
        _, heads, _, size = source.shape
        buffer = source.new_zeros(len(rows), heads, width, size)
        for i, row in enumerate(rows):
            buffer[i, :, : row.begin] = source[row.sequence, :, : row.begin]
        buffers.append(buffer)
    return _Live(*buffers)
