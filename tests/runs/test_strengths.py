"""Requests at another strength than trained: what is asked, what is answered, what is left."""

from __future__ import annotations

import pytest

from tests.runs.test_engine import carry_out, repeatable
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.sides import Sides

pytestmark = pytest.mark.usefixtures("quick")


def asked(sides, strengths=(), **changes):
    values = {"prompts": ("The heron stands",), "max_new_tokens": 8}
    return GenerateRequest.parse(values | {"sides": sides, "strengths": strengths} | changes)


def said(deltas):
    """Text and judged log-probabilities by side."""
    texts, judged = {}, {}
    for delta in deltas:
        if delta.kind == "delta":
            texts[delta.side] = texts.get(delta.side, "") + delta.text
        elif delta.kind == "judged" and delta.side == 0:
            judged[delta.judge] = [token.logp for token in delta.tokens]
    return texts, judged


@pytest.mark.parametrize(
    ("sides", "strengths", "words"),
    [
        (("run:0123456789",), (1.6,), "1.6 is not allowed"),
        (("run:0123456789",), (-0.1,), "-0.1 is not allowed"),
        (("run:0123456789",), (float("nan"),), "nan is not allowed"),
        (("run:0123456789", "demo"), (0.5,), "every side needs a strength"),
        (("run:0123456789", "demo"), (1.0, 0.5), "the strength of 'demo' cannot be turned"),
        (("original:0123456789",), (0.5,), "cannot be turned"),
    ],
)
def test_what_cannot_be_asked_is_said(sides, strengths, words):
    with pytest.raises(UserError, match=words):
        asked(sides, strengths)


def test_from_the_original_to_the_run_and_beyond(store, short):
    run_id, _ = carry_out(store, short(learning_rate=3e-2))
    sides = Sides(store, ModelShelf())
    names = (f"original:{run_id}", *[f"run:{run_id}"] * 3)
    texts, judged = said(sides.stream(asked(names, (1, 0, 1, 1.5), judge=True)))
    plain, seen = said(sides.stream(asked(names[:2], judge=True)))
    assert texts[0] == texts[1] == plain[0] and texts[2] == plain[1]
    assert judged[0] == pytest.approx(judged[1], abs=1e-5) == seen[0]
    assert judged[2] == pytest.approx(seen[1], abs=1e-5)
    assert judged[3] != pytest.approx(judged[2], abs=1e-3)
    # Nothing is left, whether the request ends, is stopped, or its reader goes.
    held = sides._bench(run_id).versions
    kept = held.versions()
    assert not any("blend" in name for name in kept)
    list(sides.stream(asked(names[1:2], (1.5,)), stop=lambda: True))
    leaving = sides.stream(asked(names[1:2], (1.5,)))
    next(leaving)
    assert any("blend" in name for name in held.versions())
    leaving.close()
    assert held.versions() == kept


def test_a_run_in_training_is_asked_and_trains_on_as_if_it_were_not(store, short):
    config = short(method="mean_teacher")
    quiet, _ = carry_out(store, config)
    heard = []

    def ask(engine, event):
        if event.kind == "stepped":
            names = (f"original:{engine.run_id}", *[f"run:{engine.run_id}"] * 2)
            request = asked(names, (1, 0, 1.5), temperature=0.9, judge=True)
            texts, judged = said(Sides(store, ModelShelf()).stream(request, engine=engine))
            assert texts[0] == texts[1]
            assert judged[0] == pytest.approx(judged[1], abs=1e-5)
            heard.append(judged[0] != pytest.approx(judged[2], abs=1e-4))
            assert not any("blend" in name for name in engine.versions.versions())

    busy, _ = carry_out(store, config, between=ask)
    assert len(heard) == 6 and any(heard)
    assert repeatable(store, busy) == repeatable(store, quiet)


def test_a_failure_on_the_way_leaves_nothing(store, short, monkeypatch):
    run_id, _ = carry_out(store, short(steps=2))
    sides = Sides(store, ModelShelf())
    before = sides._bench(run_id).versions.versions()

    def fail(*args, **kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("unlearning.runs.sides.generate", fail)
    with pytest.raises(RuntimeError):
        list(sides.stream(asked((f"run:{run_id}@0", f"run:{run_id}@2"), (0.5, 1.5))))
    left = sides._bench(run_id).versions.versions()
    assert {name for name in left if not name.startswith("step-")} == set(before)


def test_a_run_of_all_weights_says_why_not(store, short):
    run_id, engine = carry_out(store, short(lora_rank=0, steps=2))
    for live in (None, engine):
        with pytest.raises(UserError, match="trained all weights"):
            list(Sides(store, ModelShelf()).stream(asked((f"run:{run_id}",), (0.5,)), engine=live))
