"""What identifies weights: a hash over names, types, shapes and bytes."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import torch
from torch import Tensor


def hash_weights(named: Iterable[tuple[str, Tensor]]) -> str:
    """SHA-256 in hexadecimal; the order in which tensors come does not matter."""
    hasher = sha256()
    for name, tensor in sorted(named, key=lambda pair: pair[0]):
        hasher.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        hasher.update(memoryview(flat.view(torch.uint8).numpy()))
    return hasher.hexdigest()
