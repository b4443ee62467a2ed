"""Continuations from every prefix on shared keys and values equal one-prefix-at-a-time ones."""

from __future__ import annotations

import pytest
import torch

from tests.models import tiny
from tests.models.batches import disturb, sequences
from tests.models.test_generate import plain
from tests.models.test_versions import state_of
from unlearning.models import continuations
from unlearning.models.continuations import continue_greedily
from unlearning.models.versions import Versions, open_versions

SLIDING = ("gemma2", "gemma3_text")
WANTED = [[1, 4, 5, 9, 15], [2, 3, 7], [6], []]


def opened(family: str, rank: int | None = 3) -> Versions:
    versions = open_versions(tiny.build_loaded(family), lora_rank=rank)
    disturb(versions)
    return versions


def expected(versions: Versions, version: str) -> list[dict[int, list[int]]]:
    ids = sequences((17, 8, 12, 9))
    return [
        {k: plain(versions, version, s[:k], len(s) - k) for k in wanted}
        for s, wanted in zip(ids, WANTED, strict=True)
    ]


@pytest.mark.parametrize("rank", [3, None])
@pytest.mark.parametrize("family", [*tiny.FAMILIES, "gemma3_text", "gpt_neo"])
def test_every_prefix(family: str, rank: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = opened(family, rank)
    if family not in SLIDING:
        monkeypatch.setattr(continuations._Reader, "_one_by_one", None)  # must not be needed
    before = state_of(versions)
    found = continue_greedily(versions, "student")(sequences((17, 8, 12, 9)), WANTED)
    assert state_of(versions) == before
    assert found == expected(versions, "student")
    assert any(len(set(ids)) > 2 for by_prefix in found for ids in by_prefix.values())


def test_small_buffers_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = opened("llama")
    monkeypatch.setattr(continuations, "BUFFER_BYTES", 20_000)
    monkeypatch.setattr(continuations, "PREFILL_TOKENS", 20)
    found = continue_greedily(versions, "base")(sequences((17, 8, 12, 9)), WANTED)
    assert found == expected(versions, "base")


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_end_of_text_stops_a_row(family: str) -> None:
    versions = opened(family)
    free = expected(versions, "base")
    # A token that ends some rows at once, some later, some never.
    ending = free[0][4][1]
    versions.loaded.model.config.eos_token_id = [1, ending]
    found = continue_greedily(versions, "base")(sequences((17, 8, 12, 9)), WANTED)
    cut = [
        {k: ids[: ids.index(ending)] if ending in ids else ids for k, ids in by_prefix.items()}
        for by_prefix in free
    ]
    assert found == cut and found != free


def test_stop_ends_early() -> None:
    versions = opened("llama")
    found = continue_greedily(versions, "base", lambda: True)(sequences((17, 8)), WANTED[:2])
    assert found == [{}, {}]


def test_a_diverged_model_gives_no_error() -> None:
    versions = opened("llama")
    broken = {n: torch.full_like(t, float("nan")) for n, t in versions.state("student").items()}
    versions.load_state("student", broken)
    found = continue_greedily(versions, "student")(sequences((9,)), [[2, 5]])
    assert set(found[0]) == {2, 5}
