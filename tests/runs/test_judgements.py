"""Every side judges every answer, each in its own tokens."""

from __future__ import annotations

import math

import pytest

from tests.models.tiny import write_folder
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.sides import Sides


def ask(store, sides, **changes):
    asked = {"prompts": ("The heron stands", "A kite of"), "max_new_tokens": 10, "judge": True}
    request = GenerateRequest(sides=sides, **(asked | changes))
    return [
        Delta.model_validate_json(delta.model_dump_json())
        for delta in Sides(store, ModelShelf()).stream(request)
    ]


@pytest.fixture(scope="module")
def other_model(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("other") / "tiny", "gpt2", seed=5)


def test_every_side_judges_every_answer(store, tiny_model, other_model):
    found = ask(store, (str(tiny_model), str(other_model)))
    texts, judged = {}, {}
    for delta in found:
        if delta.kind == "delta":
            key = (delta.side, delta.prompt)
            texts[key] = texts.get(key, "") + delta.text
        elif delta.kind == "judged":
            judged[delta.side, delta.prompt, delta.judge] = delta.tokens
    assert set(judged) == {(s, p, j) for s, p in texts for j in (0, 1)}
    for (side, prompt, _), tokens in judged.items():
        assert "".join(token.text for token in tokens) == texts[side, prompt]
        assert all(len(token.top) == 5 for token in tokens)
    own = [d for d in found if d.kind == "delta" and (d.side, d.prompt) == (0, 0)]
    assert [math.exp(token.logp) for token in judged[0, 0, 0]] == pytest.approx(
        [delta.probability for delta in own], rel=1e-3
    )
    # Each answer was its own model's first choice, and so it is by its own judgement.
    for (side, _, judge), tokens in judged.items():
        if side == judge:
            assert all(math.exp(t.logp) == pytest.approx(t.top[0].probability) for t in tokens)


def test_judgements_come_only_where_they_are_asked_for(store, tiny_model):
    assert "judged" not in {delta.kind for delta in ask(store, (str(tiny_model),), judge=False)}


def test_a_stopped_request_is_not_judged(store, tiny_model):
    request = GenerateRequest(sides=(str(tiny_model),), prompts=("The heron",), judge=True)
    kinds = {d.kind for d in Sides(store, ModelShelf()).stream(request, stop=lambda: True)}
    assert "judged" not in kinds
