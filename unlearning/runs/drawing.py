"""The sequences of a step: how many of each role, and in which micro-batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch

from unlearning.data.encode import Encoded, Tokens, collate
from unlearning.methods.base import Method
from unlearning.models.passes import Share
from unlearning.runs.measure import TextSet

ROLES = ("forget", "retain", "generic")
PAIRED = ("analogous", "preferred")
"""Roles whose sequences belong to one forget sequence each: the two share every micro-batch."""
CPU_PARTS = 2
"""Micro-batches of a step on a CPU, at least."""
GENERIC_SHARE = 0.25
"""Share of generic text among the kept sequences of a step, where both kinds are asked for."""

MicroBatch = dict[str, tuple[Tokens, Share]]
"""Role to its part of a step, and the size of the whole."""


def sequences_a_step(
    method: Method, sets: Mapping[str, TextSet], batch_size: int, retain_batch_size: int
) -> dict[str, int]:
    """How many sequences of each role a step takes: never more than there are."""
    asked = method.passes()
    wanted = [
        role
        for role in ROLES[1:]
        if any(role == need or need.startswith(role + "_") for need in asked)
    ]
    sizes = {"forget": batch_size}
    if {"retain", "generic"} <= set(wanted):
        generic = max(1, round(retain_batch_size * GENERIC_SHARE))
        sizes |= {"retain": max(1, retain_batch_size - generic), "generic": generic}
        wanted = [role for role in wanted if role not in sizes]
    for role in wanted:
        sizes[role] = retain_batch_size
    there = {role: len(sets[role].encoded) for role in sizes if role in sets}
    whole = {"forget": there["forget"]} if method.sampling == "whole_set" else {}
    return {role: min(sizes[role], size) for role, size in there.items()} | whole


def micro_batches(accumulation: int, sizes: Collection[int], device: str) -> int:
    """How many parts a step of these sequences by role is cut into.

    Every part holds every role, since a method reads all that it asked for: the smallest role
    limits their number. On a CPU a step is cut in any case: with short and long sequences apart
    there is less padding, and padding costs as much as text there.
    """
    wanted = max(accumulation, CPU_PARTS) if device == "cpu" else accumulation
    return max(1, min(wanted, min(sizes, default=1)))


def by_length(chosen: Mapping[str, list[Encoded]]) -> dict[str, list[Encoded]]:
    """Each role's sequences, shortest first; partners of forget sequences go where these go."""
    forget = chosen.get("forget", [])
    order = sorted(range(len(forget)), key=lambda i: len(forget[i].ids))
    return {
        role: [sequences[i] for i in order]
        if role == "forget" or role in PAIRED
        else sorted(sequences, key=lambda one: len(one.ids))
        for role, sequences in chosen.items()
    }


def cut(
    chosen: Mapping[str, list[Encoded]], parts: int, pad_id: int, device: torch.device
) -> list[MicroBatch]:
    """The sequences of a step in that many micro-batches, short ones first."""
    micro: list[MicroBatch] = [{} for _ in range(parts)]
    for role, sequences in by_length(chosen).items():
        share = Share(
            tokens=sum(len(s.ids) - s.labels_from for s in sequences), sequences=len(sequences)
        )
        count = len(sequences)
        for place, part in enumerate(micro):
            mine = sequences[count * place // parts : count * (place + 1) // parts]
            if mine:
                part[role] = (collate(mine, pad_id, device=device), share)
    return micro
