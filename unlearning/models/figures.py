"""Per-token figures of one teacher-forced pass; nothing of vocabulary size is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from unlearning.data.encode import Encoded, collate
from unlearning.metrics.base import Positions
from unlearning.models.base import Versions

LOGP, ENTROPY, VARIANCE, ARGMAX, RANK, DRIFT = range(6)
NOT_A_NUMBER = -1
"""Argmax where the model gives no numbers: equal to no token."""


def read_all(
    versions: Versions,
    version: str,
    encoded: Sequence[Encoded],
    batch_tokens: int,
    stop: Callable[[], bool],
    original: str | None = None,
) -> dict[int, Positions]:
    """Figures of each sequence by its index; those that were read before `stop` went up."""
    positions: dict[int, Positions] = {}
    for batch in batches(encoded, batch_tokens):
        if stop():
            break
        read = _read(versions, version, [encoded[i] for i in batch], original)
        positions |= zip(batch, read, strict=True)
    return positions


def batches(encoded: Sequence[Encoded], batch_tokens: int) -> Iterator[list[int]]:
    """Indices, longest sequences first, so that batches hardly pad."""
    order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].ids))
    while order:
        count = max(1, batch_tokens // len(encoded[order[0]].ids))
        yield order[:count]
        order = order[count:]


def _read(
    versions: Versions, version: str, batch: Sequence[Encoded], original: str | None
) -> list[Positions]:
    """Figures of every labelled token, float32 log-softmax."""
    tokens = collate(batch, versions.tokenizer.pad_token_id or 0)
    same = original is not None and versions.resolve(original) == versions.resolve(version)
    with torch.no_grad(), torch.autocast(versions.device.type, enabled=False):
        out = versions.outputs(version, tokens)
        # Where both are the same weights, nothing has drifted.
        before = versions.outputs(original, tokens) if original is not None and not same else None
        width = tokens.ids_BT.shape[1]
        # Position t predicts token t + 1.
        index_N = torch.cat(
            [
                torch.arange(item.labels_from - 1, len(item.ids) - 1) + b * width
                for b, item in enumerate(batch)
            ]
        )
        target_N = torch.cat([torch.tensor(item.ids[item.labels_from :]) for item in batch])

        def figures(logits_nV: Tensor, place_n: Tensor) -> Tensor:
            columns_nK = _figures(logits_nV, target_N[place_n])
            if before is None:
                return columns_nK
            drift_n = _divergence(before.rows(index_N[place_n]), logits_nV)
            return torch.cat([columns_nK, drift_n[:, None]], dim=1)

        figures_NK = out.reduce(index_N, figures)
    counts = [len(item.ids) - item.labels_from for item in batch]
    parts = zip(figures_NK.split(counts), target_N.split(counts), batch, strict=True)
    found = [_positions(figures_nK, target_n, item) for figures_nK, target_n, item in parts]
    return [replace(one, drift=np.zeros(len(one.target))) for one in found] if same else found


def _divergence(before_NV: Tensor, logits_NV: Tensor) -> Tensor:
    """KL(before || now) [N], nats, float64 on the CPU."""
    before_NV = before_NV.log_softmax(-1)
    apart_NV = before_NV - logits_NV.log_softmax(-1)
    # 0 * log 0 counts as 0; rounding alone can leave a sum below it.
    terms_NV = (before_NV.exp() * apart_NV).masked_fill(before_NV.exp() == 0, 0.0)
    return terms_NV.sum(-1).clamp(min=0).cpu().double()


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
        drift=columns[:, DRIFT] if columns.shape[1] > DRIFT else None,
    )
