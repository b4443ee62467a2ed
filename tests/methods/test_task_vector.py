"""Task vector: the negated weights, after every step and back from a saved state."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from tests.methods.batches import LABELS_BT, random_logits
from unlearning.methods.task_vector import TaskVector
from unlearning.models.passes import Batch, Pass

START = {
    "layer.weight": torch.tensor([[1.0, -2.0], [0.5, 3.0]]),
    "layer.bias": torch.tensor([0.25]),
}


class Weights:
    """What the method may touch: named weights of the student and of copies."""

    def __init__(self, start: dict[str, Tensor]) -> None:
        self._versions = {"student": [(n, Parameter(w.clone())) for n, w in start.items()]}

    def copy(self, version: str) -> None:
        self._versions[version] = [
            (name, Parameter(weight.detach().clone(), requires_grad=False))
            for name, weight in self._versions["student"]
        ]

    def trainable(self, version: str = "student") -> list[tuple[str, Parameter]]:
        return self._versions[version]

    def move(self, by: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self._versions["student"]:
                weight += by[name]

    def weights(self, version: str) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self._versions[version]}


def steps(count: int, seed: int) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    return [
        {name: torch.randn(w.shape, generator=generator) for name, w in START.items()}
        for _ in range(count)
    ]


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 5.0])
def test_the_result_is_the_start_minus_the_way_that_training_went(strength: float) -> None:
    method, setting = TaskVector(strength=strength), Weights(START)
    state = method.prepare(setting)
    assert method.watched(state) == method.finish(setting, state) == "negated"
    way = {name: torch.zeros_like(weight) for name, weight in START.items()}
    for by in steps(4, seed=0):
        setting.move(by)
        way = {name: way[name] + by[name] for name in way}
        method.after_step(setting, state, 0.3)
        for name, weight in setting.weights("negated").items():
            torch.testing.assert_close(weight, START[name] - strength * way[name])
    length = torch.cat([w.flatten() for w in way.values()]).norm().item()
    assert method.report(setting, state) == {"task_vector_norm": pytest.approx(length)}


def test_a_saved_state_brings_the_negated_weights_and_the_start_back() -> None:
    method, setting = TaskVector(strength=2.0), Weights(START)
    state = method.prepare(setting)
    first, second = steps(2, seed=1)
    setting.move(first)
    method.after_step(setting, state, 1.0)
    saved, there = state.state_dict(), setting.weights("negated")
    setting.move(second)
    method.after_step(setting, state, 1.0)
    state.load_state_dict(saved)
    for name, weight in setting.weights("negated").items():
        assert torch.equal(weight, there[name])
    setting.move({name: -by for name, by in second.items()})
    setting.move({name: -by for name, by in first.items()})
    method.after_step(setting, state, 1.0)
    for name, weight in setting.weights("negated").items():
        torch.testing.assert_close(weight, START[name], rtol=0, atol=1e-6)


def test_only_b_is_trained_under_lora() -> None:
    method = TaskVector()
    for name, moves in {
        "model.layers.0.self_attn.q_proj.lora_A": False,
        "model.layers.0.self_attn.q_proj.lora_A.weight": False,
        "model.layers.0.self_attn.q_proj.lora_B": True,
        "model.layers.0.self_attn.q_proj.weight": True,
        "model.embed_tokens.weight": True,
    }.items():
        assert method.trainable(name) is moves, name


def test_the_student_learns_the_text_in_the_ordinary_way() -> None:
    logits = random_logits(3).requires_grad_()
    one = Pass(logits, LABELS_BT)
    assert torch.equal(TaskVector().loss(Batch(forget=one))["learned"], one.nll)
    assert TaskVector().passes() == frozenset()
