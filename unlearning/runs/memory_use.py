"""How much memory a run uses, as its device counts it."""

from __future__ import annotations

import os

import psutil
import torch


def memory_in_use(device: torch.device) -> int:
    """Bytes: allocated on the device for CUDA, resident in the process elsewhere."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return psutil.Process(os.getpid()).memory_info().rss


def peak_memory(device: torch.device) -> int:
    """Highest `memory_in_use` since `count_peak_anew`, bytes; 0 where the device does not count."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0


def count_peak_anew(device: torch.device) -> None:
    """What was in use before, by loading or by another run, is left out from here on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
