"""What a run stands on: memory is planned for what the run will do, not for what it might."""

from __future__ import annotations

import pytest

from tests.runs.conftest import passages
from unlearning.runs.engine import Engine
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.training import Loop

TEXTS = {role: passages(start, 6, length=4) for role, start in (("forget", 0), ("retain", 40))}


@pytest.fixture
def planned(store, monkeypatch):
    """What a run is said to need, part by part, and the run itself, broken off at its start."""
    found = []
    monkeypatch.setattr("unlearning.runs.ground.check_fit", lambda needed, _: found.append(needed))

    def plan(config, texts=TEXTS):
        engine = Engine(store, store.create(config, texts), ModelShelf())
        events = engine.events()
        assert "started" in (event.kind for event in events)
        return found[-1].parts, engine, events

    return plan


def test_memory_is_planned_for_the_texts_not_for_the_limit(planned, short):
    parts, engine, _ = planned(short(max_length=48))
    longest = max(len(e.ids) for s in engine.ground.sets.values() for e in s.encoded)
    assert longest <= 32
    assert planned(short(max_length=96))[0] == parts
    longer = {**TEXTS, "holdout": passages(120, 2, length=18)}
    assert planned(short(), longer)[0]["activations"] > parts["activations"]


@pytest.mark.parametrize(
    ("batch", "kept", "accumulation", "rows"),
    [
        (3, 4, 1, 2 + 2),
        (3, 4, 2, 2 + 2),
        (3, 4, 8, 1 + 2),
        (1, 4, 8, 1 + 4),
        (64, 64, 1, 3 + 3),
        (64, 64, 2, 3 + 3),
    ],
)
def test_memory_is_planned_for_the_micro_batches_that_are_made(
    planned, short, batch, kept, accumulation, rows
):
    """Every micro-batch holds every role, so the smallest role limits their number."""
    least = planned(short(method="npo", batch_size=1, retain_batch_size=1))[0]
    sizes = {"batch_size": batch, "retain_batch_size": kept, "accumulation": accumulation}
    parts, engine, _ = planned(short(method="npo", **sizes))
    assert parts["activations"] * 2 == least["activations"] * rows
    ground = engine.ground
    loop = Loop(
        ground.method, ground.versions, ground.sets, **sizes, learning_rate=0.1, seed=0, pad_id=0
    )
    made = [sum(len(tokens.ids_BT) for tokens, _ in part.values()) for part in loop._draw()]
    assert max(made) == rows


def test_memory_is_planned_for_the_larger_of_teaching_and_forgetting(planned, short):
    texts = {**TEXTS, "generic": passages(80, 6, length=4)}
    settings = {"method": "npo", "batch_size": 1, "retain_batch_size": 1}
    least = planned(short(**settings), texts)[0]
    taught = planned(short(**settings, teach_first=True), texts)[0]
    # Teaching takes up to 8 of each, and there are 6; on a CPU they go in two parts.
    assert taught["activations"] * 2 == least["activations"] * (3 + 3)
    alone = {"method": "gradient_ascent", "batch_size": 64, "teach_first": True}
    assert planned(short(**alone), texts)[0]["activations"] == taught["activations"]


@pytest.mark.parametrize("rank", [4, 0], ids=["lora", "full"])
@pytest.mark.parametrize("taught", [False, True], ids=["known", "taught"])
@pytest.mark.parametrize("name", ["gradient_ascent", "npo", "mean_teacher", "whp"])
def test_memory_is_planned_for_the_copies_that_are_made(planned, short, name, taught, rank):
    config = short(method=name, lora_rank=rank, steps=1, teach_first=taught, teach_steps=1)
    parts, engine, events = planned(config)
    before = set(engine.versions.versions())
    for event in events:
        engine.store.append(engine.run_id, event)
        if event.kind == "stepped":
            break
    made = set(engine.versions.versions()) - before
    size = 4 * sum(p.numel() for p in engine.versions.state("student").values())
    assert parts["copies of the adapter" if rank else "copies of the model"] == len(made) * size
    assert not {"weights", "adapter", "original"} & parts.keys()
