"""What the user reads when something went wrong."""

from __future__ import annotations

import gc
import weakref

import pytest

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.workers.failures import explain, free_memory, out_of_memory


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


CUDA = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 139.72 GiB "
    "of which 1.19 GiB is free."
)
CPU = (
    "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 5368709120 bytes. Error code 12 (Cannot allocate memory)"
)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (OutOfMemoryError(CUDA), "2.50 GiB more"),
        (RuntimeError(CPU), "5.00 GiB more"),
        (MemoryError(), "GiB of main memory were free"),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), "were free"),
    ],
)
def test_a_shortage_is_told_with_numbers_and_remedies(error, asked):
    failed = explain(error, RunConfig(batch_size=16, max_length=512, lora_rank=0))
    assert out_of_memory(error)
    assert asked in failed.message
    assert "16" in failed.hint and "512" in failed.hint and "LoRA" in failed.hint
    assert failed.traceback == ""


def test_lora_is_no_remedy_for_who_has_it():
    assert "LoRA" not in explain(MemoryError(), RunConfig()).hint


def test_accumulation_is_a_remedy_only_while_it_can_still_cut():
    assert "more accumulation (now 2;" in explain(MemoryError(), RunConfig(accumulation=2)).hint
    spent = explain(MemoryError(), RunConfig(accumulation=8, batch_size=1)).hint
    assert "more accumulation" not in spent
    assert "now 1 to forget and 24 to keep" in spent


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("memory lane")])
def test_other_errors_are_no_shortage(error):
    assert not out_of_memory(error)


def test_what_the_user_can_fix_has_no_traceback():
    failed = explain(UserError("The text is empty.", "Paste some."))
    assert (failed.message, failed.hint, failed.traceback) == (
        "The text is empty.",
        "Paste some.",
        "",
    )


def test_what_is_our_mistake_keeps_its_traceback():
    try:
        raise KeyError("gone")
    except KeyError as error:
        failed = explain(error)
    assert "Lethe made a mistake: KeyError" in failed.message
    assert "test_failures.py" in failed.traceback


def test_an_exception_lets_go_of_what_its_frames_held():
    class Tensor:
        pass

    def step():
        held = Tensor()
        watched.append(weakref.ref(held))
        try:
            raise MemoryError
        except MemoryError as first:
            raise RuntimeError("out of memory") from first

    watched: list[weakref.ref] = []
    try:
        step()
    except RuntimeError as error:
        kept = error
    gc.collect()
    assert watched[0]() is not None
    free_memory(kept)
    assert watched[0]() is None
