"""An exception as the last event of a run: what happened and what to do about it."""

from __future__ import annotations

import errno
import gc
import re
import sys
import traceback

import psutil

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.events import Failed

GIB = 2**30
LONGEST_TRACEBACK = 20_000
"""Characters; the end is kept."""
_SHORTAGE = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
_ASKED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB|[KMGT]B)", re.IGNORECASE)
_UNITS = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def explain(error: Exception, config: RunConfig | None = None) -> Failed:
    """What to tell the user about an exception. Call it while the exception is handled."""
    if isinstance(error, UserError):
        return Failed(message=error.message, hint=error.hint)
    if out_of_memory(error):
        return Failed(message=_shortage(error), hint=_remedies(config))
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Failed(
            message="There is no space left on the disk of the folder for runs.",
            hint="Delete runs that are no longer needed, then press Continue.",
        )
    lines = "".join(traceback.format_exception(error))
    return Failed(
        message=f"Lethe made a mistake: {type(error).__name__}: {str(error)[:300]}",
        hint="This is a defect of Lethe, not of your settings. Please report it with the details.",
        traceback=lines[-LONGEST_TRACEBACK:],
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether device or host memory ran out, whichever library says so."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and bool(_SHORTAGE.search(str(error)))


def free_memory(error: BaseException | None = None) -> None:
    """Give memory back; the frames of the exception let go of their tensors first."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _shortage(error: BaseException) -> str:
    found = _ASKED.search(str(error))
    free, total, where = _room(str(error))
    numbers = f"{free / GIB:.1f} of {total / GIB:.1f} GiB {where} were free"
    if found is None:
        return f"Not enough memory: {numbers}."
    asked = float(found[1]) * 1024 ** _UNITS[found[2][0].lower()]
    return f"Not enough memory: {asked / GIB:.2f} GiB more were needed, {numbers}."


def _room(message: str) -> tuple[int, int, str]:
    """Free and total bytes, and where."""
    torch = sys.modules.get("torch")
    if "CUDA" in message and torch is not None and torch.cuda.is_initialized():
        free, total = torch.cuda.mem_get_info()
        return free, total, f"on {torch.cuda.get_device_name()}"
    memory = psutil.virtual_memory()
    return memory.available, memory.total, "of main memory"


def _remedies(config: RunConfig | None) -> str:
    if config is None:
        return "Use a smaller model, fewer prompts or fewer new tokens."
    defaults = config.build_method().defaults
    forget = config.batch_size or defaults.batch_size
    kept = config.retain_batch_size or defaults.retain_batch_size
    # A step is never cut into more parts than its smallest role has sequences.
    cuts = config.accumulation < min(forget, kept)
    cut = (
        f"more accumulation (now {config.accumulation}; at most the sequences of the smallest text)"
    )
    ways = [
        f"a smaller batch (now {forget} to forget and {kept} to keep)",
        cut if cuts else "",
        f"shorter sequences (now {config.max_length} tokens)",
        "a LoRA adapter instead of all parameters" if config.full else "",
        "a smaller model",
    ]
    return f"Try {'; '.join(way for way in ways if way)}."
