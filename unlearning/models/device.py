"""Which device and which number format a model runs in."""

from __future__ import annotations

import torch

from unlearning.errors import UserError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(device: str) -> torch.device:
    """auto: CUDA, else MPS where it works, else CPU.

    Raises:
        UserError: there is no such device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if _mps_works() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(
            f"There is no device {device!r} here.", "Choose auto, cpu, cuda, cuda:N or mps."
        ) from error
    if chosen.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"Device {device!r} is not supported.", "Choose auto, cpu, cuda or mps.")
    return chosen


def choose_dtype(dtype: str, device: torch.device, full: bool) -> torch.dtype:
    """auto: bfloat16 on CUDA, float32 elsewhere; all parameters are trained in float32.

    Raises:
        UserError: no such number format.
    """
    if dtype != "auto" and dtype not in DTYPES:
        raise UserError(f"There is no dtype {dtype!r}.", f"Choose auto or {', '.join(DTYPES)}.")
    if full:
        return torch.float32
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    return DTYPES[dtype]


def _mps_works() -> bool:
    if not torch.backends.mps.is_available():
        return False
    try:
        return bool((torch.ones(2, device="mps") @ torch.ones(2, device="mps")).item() == 2.0)
    except RuntimeError:
        return False
