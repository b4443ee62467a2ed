"""The mean teacher's hooks: order, damping, averaging, and what is handed over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from tests.methods.batches import LABELS_BT, random_logits
from unlearning.methods.mean_teacher import MeanTeacher
from unlearning.models.passes import Batch, Pass

LoseAt = Callable[[Tensor, Tensor], Tensor]


class Quadratic:
    """What a method may touch, with one weight vector, and the engine's step with plain SGD."""

    def __init__(self, weights: Tensor) -> None:
        self.step, self.forget_size = 0, 1
        self._versions = {"student": [("layer.weight", Parameter(weights.clone()))]}

    def copy(self, version: str) -> None:
        self._versions[version] = [
            (name, Parameter(weight.detach().clone(), requires_grad=False))
            for name, weight in self._versions["student"]
        ]

    def trainable(self, version: str = "student") -> list[tuple[str, Parameter]]:
        return self._versions[version]

    def set_learning_rate(self, value: float) -> None:
        raise AssertionError("the mean teacher leaves the learning rate alone")

    def weights(self, version: str) -> Tensor:
        return self._versions[version][0][1].detach().clone()

    def run(
        self, method: MeanTeacher, state: object, loss: LoseAt, steps: int, clip: float, rate: float
    ) -> None:
        student = self._versions["student"][0][1]
        for _ in range(steps):
            student.grad = None
            loss(student, self.weights("teacher")).backward()
            student.grad *= clip
            method.before_step(self, state, clip)
            with torch.no_grad():
                student -= rate * student.grad
            method.after_step(self, state, clip)


SLOPE = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
CURVATURE = torch.tensor([0.1, 2.0, 5.0], dtype=torch.float64)
START = torch.tensor([0.3, 0.0, -1.0], dtype=torch.float64)


def loss(student: Tensor, teacher: Tensor) -> Tensor:
    """A linear push and a diagonal quadratic penalty around the teacher."""
    return SLOPE @ student + 0.5 * (CURVATURE * (student - teacher) ** 2).sum()


def closed_form(
    steps: int, rate: float, clip: float, delta: float, damping: float
) -> tuple[Tensor, Tensor]:
    """Student and teacher after so many steps, without iterating.

    With d = student - teacher, one step makes e = (1 - rate c (F + damping)) d - rate c g before
    the teacher moves and (1 - delta c) e after; the teacher moves by delta c e. Both sums are
    geometric.
    """
    follow = delta * clip
    ratio = (1 - follow) * (1 - rate * clip * (CURVATURE + damping))
    fixed = -(1 - follow) * rate * clip * SLOPE / (1 - ratio)
    apart = fixed * (1 - ratio**steps)
    total = fixed * (steps - ratio * (1 - ratio**steps) / (1 - ratio))
    teacher = START + follow / (1 - follow) * total
    return teacher + apart, teacher


@pytest.mark.parametrize("clip", [1.0, 0.4])
@pytest.mark.parametrize(("delta", "damping"), [(0.1, 1.0), (0.005, 5.0), (0.3, 0.0)])
@pytest.mark.parametrize("steps", [1, 2, 60])
def test_damping_and_average_follow_the_closed_form(
    steps: int, delta: float, damping: float, clip: float
) -> None:
    method, setting = MeanTeacher(delta=delta, damping=damping), Quadratic(START)
    setting.run(method, method.prepare(setting), loss, steps, clip, rate=0.05)
    student, teacher = closed_form(steps, 0.05, clip, delta, damping)
    torch.testing.assert_close(setting.weights("student"), student, rtol=0, atol=1e-6)
    torch.testing.assert_close(setting.weights("teacher"), teacher, rtol=0, atol=1e-6)


def test_the_teacher_drifts_along_the_natural_gradient() -> None:
    """Slowly followed, it moves by -delta (F + damping)^-1 g a step: directions that the penalty
    does not see move most."""
    delta, damping = 0.001, 1.0
    method, setting = MeanTeacher(delta=delta, damping=damping), Quadratic(START)
    state = method.prepare(setting)
    setting.run(method, state, loss, 300, clip=1.0, rate=0.1)
    before = setting.weights("teacher")
    setting.run(method, state, loss, 1, clip=1.0, rate=0.1)
    drift = setting.weights("teacher") - before
    natural = -delta * SLOPE / (CURVATURE + damping)
    torch.testing.assert_close(drift, natural, rtol=0.02, atol=0)


def test_a_full_clip_stops_both() -> None:
    method, setting = MeanTeacher(delta=0.5, damping=1.0), Quadratic(START)
    state = method.prepare(setting)
    setting.run(method, state, loss, 1, clip=1.0, rate=0.1)
    before = setting.weights("teacher")
    method.after_step(setting, state, 0.0)
    assert torch.equal(setting.weights("teacher"), before)


def test_state_restores_the_live_teacher_in_place() -> None:
    method, setting = MeanTeacher(), Quadratic(START)
    state = method.prepare(setting)
    setting.run(method, state, loss, 3, clip=0.7, rate=0.1)
    saved, at_three = state.state_dict(), setting.weights("teacher")
    live = setting.trainable("teacher")[0][1]
    setting.run(method, state, loss, 3, clip=1.0, rate=0.1)
    assert not torch.equal(setting.weights("teacher"), at_three)
    state.load_state_dict(saved)
    assert torch.equal(live, at_three)
    assert live.data_ptr() == state.tensors["layer.weight"].data_ptr()
    assert state.values == {"clip_coefficient": 0.7}


def test_report_tells_distance_and_clip() -> None:
    method, setting = MeanTeacher(delta=0.1), Quadratic(torch.tensor([3.0, 4.0]))
    state = method.prepare(setting)
    assert method.report(setting, state) == {
        "teacher_distance": 0.0,
        "teacher_distance_relative": 0.0,
    }
    with torch.no_grad():
        setting.trainable()[0][1].copy_(torch.tensor([4.0, 5.0]))
    method.after_step(setting, state, 0.5)
    curves = method.report(setting, state)
    distance = 0.95 * 2**0.5
    assert curves["teacher_distance"] == pytest.approx(distance)
    size = (3.05**2 + 4.05**2) ** 0.5
    assert curves["teacher_distance_relative"] == pytest.approx(distance / size)
    assert curves["clip_coefficient"] == 0.5


def test_no_relative_distance_to_a_teacher_of_zeros() -> None:
    method, setting = MeanTeacher(), Quadratic(torch.zeros(2))
    assert method.report(setting, method.prepare(setting)) == {"teacher_distance": 0.0}


def test_a_teacher_that_could_not_move_is_refused() -> None:
    setting = Quadratic(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(TypeError, match="needs float32"):
        MeanTeacher().prepare(setting)


FROZEN = [
    "model.embed_tokens.weight",
    "lm_head.weight",
    "model.norm.weight",
    "model.layers.0.input_layernorm.weight",
    "model.layers.3.post_attention_layernorm.weight",
    "model.layers.0.self_attn.q_norm.weight",
    "model.layers.0.pre_feedforward_layernorm.weight",
    "transformer.wte.weight",
    "transformer.wpe.weight",
    "transformer.h.0.ln_1.bias",
    "transformer.ln_f.weight",
    "gpt_neox.embed_in.weight",
    "embed_out.weight",
    "gpt_neox.final_layer_norm.weight",
    "model.decoder.embed_positions.weight",
    "model.decoder.layers.0.self_attn_layer_norm.bias",
    "model.layers.0.self_attn.q_proj.lora_A",
    "model.layers.0.mlp.down_proj.lora_A.weight",
]
TRAINED = [
    "model.layers.0.self_attn.q_proj.lora_B",
    "model.layers.0.mlp.down_proj.lora_B.weight",
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.0.mlp.down_proj.weight",
    "transformer.h.0.attn.c_attn.weight",
    "transformer.h.0.mlp.c_fc.bias",
    "gpt_neox.layers.0.attention.query_key_value.weight",
    "model.decoder.layers.0.fc1.weight",
]


@pytest.mark.parametrize("name", FROZEN + TRAINED)
def test_embeddings_head_norms_and_lora_a_stay(name: str) -> None:
    assert MeanTeacher().trainable(name) is (name in TRAINED)


def test_choices_reach_the_engine() -> None:
    paper = MeanTeacher(student_optimizer="sgd", momentum=0.95, handed="teacher")
    assert (paper.optimizer_name(), paper.momentum_of_sgd()) == ("sgd", 0.95)
    assert MeanTeacher().optimizer_name() == "adamw"
    setting = Quadratic(START)
    assert paper.finish(setting, paper.prepare(setting)) == "teacher"
    assert MeanTeacher().finish(setting, paper.prepare(setting)) == "student"
    assert paper.passes() == {"generic", "generic_teacher", "teacher"}
    assert MeanTeacher(teacher_curve=False).passes() == {"generic", "generic_teacher"}
    sparse = MeanTeacher(forget_loss="npo", beta=0.0, teacher_curve=False)
    assert sparse.passes() == {"reference"}


def test_the_teachers_forget_loss_is_a_curve() -> None:
    student, teacher = (Pass(random_logits(seed), LABELS_BT) for seed in (1, 2))
    batch = Batch(forget=student, teacher=teacher)
    assert MeanTeacher().curves(batch) == {"teacher_forget_nll": teacher.nll}
    assert MeanTeacher(teacher_curve=False).curves(batch) == {}


def stopped(score: float | None, *, level: float | None, **chosen: object) -> str | None:
    """What the stopping rule says of this accuracy, where this level was measured."""
    method, setting = MeanTeacher.parse(chosen), Quadratic(START)
    setting.levels = {} if level is None else {"memorization_accuracy": level}
    accuracy = {"retain": 0.0} if score is None else {"forget": score, "retain": 0.0}
    return method.stop(method.prepare(setting), {"memorization_accuracy": accuracy})


BY_ACCURACY = {"stop_metric": "memorization_accuracy"}


def test_the_authors_rule_stops_below_the_level() -> None:
    assert stopped(0.2, level=0.2, **BY_ACCURACY) is None
    assert "0.199, below 0.200" in stopped(0.199, level=0.2, **BY_ACCURACY)
    assert stopped(0.3, level=0.2, stop_value=0.4, **BY_ACCURACY) is not None
    assert stopped(0.3, level=0.2, stop_value=0.0, **BY_ACCURACY) is None


def test_without_a_rule_a_level_or_a_score_nothing_stops() -> None:
    assert stopped(0.0, level=0.2) is None
    assert stopped(0.0, level=None, **BY_ACCURACY) is None
    assert stopped(None, level=0.2, **BY_ACCURACY) is None
