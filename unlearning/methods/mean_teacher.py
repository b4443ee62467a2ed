"""Mean teacher with the negative log-unlikelihood (NLUL)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting
from unlearning.methods.npo import negative_preference

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch, Pass

FROZEN = re.compile(r"(^|\.)(\w*embed\w*|wte|wpe|lm_head|\w*norm\w*|ln_\w+|lora_A)(\.|$)")
"""Embeddings, output layer and norms, as in the authors' code. lora_A too: with A fixed, an
average of B is the average of the products BA, and a distance in B is one between models."""


def negative_log_unlikelihood(
    forget: Pass, tolerance: float = 0.0, threshold: float = 0.0
) -> Tensor:
    """-log(1 - p) of each target, mean over counted tokens, nats; a scalar.

    In logits its gradient is p at the target and -p q_j / (1 - p) elsewhere: full strength while
    memorised, none once forgotten. With `tolerance` > 0 it is the authors' surrogate
    p / (1 + tolerance - p) * log p with the weight held constant, whose gradient is that of
    -log(1 + tolerance - p) but whose value is not. Tokens with p <= `threshold` are left out.
    """
    p_BS = forget.p_BS.detach()
    if tolerance == 0:
        per_token_BS = -forget.log_unlikelihood_BS
    else:
        per_token_BS = p_BS / (1 + tolerance - p_BS) * forget.logp_BS
    return forget.mean(per_token_BS * (p_BS > threshold))


class MeanTeacher(Method):
    """A student that forgets is held by a teacher that slowly follows it.

    Each step, in the order of the authors' code: gradient of alpha * forget + beta * penalty,
    clipped to norm 1 with coefficient c; damping * c * (student - teacher) is added to it; the
    student moves; teacher <- teacher + delta * c * (student - teacher). For a fixed teacher the
    student solves a damped quadratic, so the pair follows a slow natural gradient descent with
    step delta * alpha / beta and no matrix is ever formed.

    The penalty is read on general text. Where a run has none, the engine hands over text to keep
    in its place. The paper: SGD with momentum 0.95, learning rate 5e-4, alpha 0.05, delta 0.005,
    damping 5, hundreds of steps; the defaults here are for some thirty steps with LoRA.

    The authors stop as soon as a score of the forget text falls below that of a retrained model
    (verbatim memorisation or question answering, looked at every 100 steps); here it is a score
    of the probe, looked at with every probe, and by default no rule but the run's own. Extraction
    likelihood is only measured once the accuracy has reached the measured level.
    """

    title = "Mean teacher"
    paper = "https://arxiv.org/abs/2504.13388"
    citation = (
        "Klochkov: A mean teacher algorithm for unlearning of language models. 2025. "
        "NLUL: the unlikelihood term of Welleck et al., ICLR 2020."
    )
    formula = (
        r"\mathcal{L} = -\alpha\,\frac{1}{N}\sum_t \log\bigl(1 - p_\theta(x_t \mid x_{<t})\bigr)"
        r" + \beta\,\mathrm{KL}(p_\phi \,\|\, p_\theta)_{\text{generic}},\qquad "
        r"g \leftarrow g + \lambda c\,(\theta - \phi),\quad "
        r"\phi \leftarrow \phi + \delta c\,(\theta - \phi)"
    )
    idea = (
        "Two copies of the model. The student is pushed away from the forget text but must agree "
        "with the teacher on ordinary text; the teacher creeps after the student. So the pair can "
        "only drift in directions that ordinary text hardly notices. The push is strongest on "
        "words known by heart and fades on those already forgotten, so it cannot run away."
    )
    cost = (
        "2.67 (2.33 without the teacher's curve): a forget and a general batch, each for student "
        "and teacher; the trained weights are kept twice."
    )
    failure = (
        "Long plateau, then a sudden break; with large alpha and delta the student outruns its "
        "teacher, and kinds of text missing from the general batch are unprotected."
    )
    needs = frozenset({"generic", "generic_teacher", "reference", "teacher"})
    sampling = "with_replacement"
    reports = (
        Reported(
            "teacher_distance",
            "distance",
            "Distance of student and teacher",
            "the teacher follows slowly",
        ),
        Reported(
            "teacher_distance_relative",
            "share",
            "That distance against the teacher's length",
        ),
        Reported("forget_nll", "student", "Loss on the text to forget", "the teacher lags"),
        Reported("teacher_forget_nll", "teacher", "Loss on the text to forget"),
        Reported(
            "clip_coefficient",
            "share left",
            "What clipping leaves of the gradient",
            "1 is all of it",
            (0.0, 1.0),
        ),
    )
    defaults = Defaults(steps=25, lora=3e-3, full=1e-3, lora_large=1e-4, full_large=1e-6)

    forget_loss: Literal["nlul", "npo", "ll"] = hyperparameter("nlul")
    """The push: nlul is the method's own; npo and ll (gradient ascent) start too weakly."""
    alpha: float = hyperparameter(1.0, 0.001, 100.0)
    """Weight of the push away from the forget text."""
    penalty: Literal["kl", "qkl"] = hyperparameter("kl")
    """How student and teacher are compared: kl, or qkl, its second-order form."""
    beta: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of agreeing with the teacher on general text."""
    delta: float = hyperparameter(0.1, 0.0001, 1.0)
    """How far the teacher follows the student in one step."""
    damping: float = hyperparameter(0.1, 0.0, 100.0)
    """Pull of the student's weights to the teacher's."""
    student_optimizer: Literal["adamw", "sgd"] = hyperparameter("adamw")
    """The paper uses sgd; it needs about a hundred times the learning rate of adamw."""
    momentum: float = hyperparameter(0.9, 0.0, 0.999, advanced=True)
    """Momentum of sgd; adamw does not read it."""
    tol: float = hyperparameter(0.0, 0.0, 1.0, advanced=True)
    """Floor under 1 - p in nlul: 0 is exact, 0.02 is the authors' code."""
    threshold: float = hyperparameter(0.0, 0.0, 1.0, advanced=True)
    """Tokens with at most this probability are no longer pushed by nlul."""
    npo_beta: float = hyperparameter(0.5, 0.001, 5.0, advanced=True)
    """How soon the npo push fades; here on the mean over tokens, as in the authors' code."""
    handed: Literal["student", "teacher"] = hyperparameter("student", advanced=True)
    """Which of the two is the result: the authors take the student, the teacher is gentler."""
    teacher_curve: bool = hyperparameter(True, advanced=True)
    """Whether the teacher's forget loss is shown too, for one more pass a step."""
    stop_metric: Literal["none", "memorization_accuracy", "extraction_likelihood"] = hyperparameter(
        "none", advanced=True
    )
    """Score of the forget text that ends the run once it is below the stop value."""
    stop_value: float | None = hyperparameter(None, 0.0, 1.0, advanced=True)
    """Where that score ends the run; empty takes the level of unseen text, if it is measured."""

    def optimizer_name(self) -> Literal["adamw", "sgd"]:
        return self.student_optimizer

    def momentum_of_sgd(self) -> float:
        return self.momentum

    def passes(self) -> frozenset[str]:
        reference = {"reference"} if self.forget_loss == "npo" else set()
        generic = {"generic", "generic_teacher"} if self.beta else set()
        teacher = {"teacher"} if self.teacher_curve else set()
        return frozenset(reference | generic | teacher)

    def trainable(self, name: str) -> bool:
        return FROZEN.search(name) is None

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"forget": self.alpha * self._push(batch)}
        if self.beta:
            compare = batch.generic.kl if self.penalty == "kl" else batch.generic.quadratic_kl
            terms["generic"] = self.beta * compare(batch.generic_teacher)
        return terms

    def curves(self, batch: Batch) -> dict[str, Tensor]:
        """The teacher's loss on the forget text before it moves, nats; the student's is the run's
        own curve. Both stand still on the plateau, and the teacher breaks after the student."""
        return {"teacher_forget_nll": batch.teacher.nll} if self.teacher_curve else {}

    def _push(self, batch: Batch) -> Tensor:
        forget = batch.forget
        if self.forget_loss == "nlul":
            return negative_log_unlikelihood(forget, self.tol, self.threshold)
        if self.forget_loss == "ll":
            return -forget.nll
        length_B = forget.length_B.clamp(min=1)
        logratio_B = (forget.logp_B - batch.reference.logp_B.detach()) / length_B
        return forget.mean_over_sequences(negative_preference(logratio_B, self.npo_beta))

    def prepare(self, setting: Setting) -> MethodState:
        setting.copy("teacher")
        teacher = {name: weight.detach() for name, weight in setting.trainable("teacher")}
        for name, weight in teacher.items():
            if weight.dtype not in (torch.float32, torch.float64):
                # A step of delta is below the resolution of bfloat16: the teacher would stall.
                raise TypeError(f"the teacher needs float32 weights, {name} is {weight.dtype}")
        values = {}
        if self.stop_metric != "none":
            values["level"] = setting.levels.get(self.stop_metric)
        return MethodState(values, teacher)

    def before_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """Damping: grad += damping * c * (student - teacher)."""
        pull = self.damping * clip_coefficient
        for name, student in setting.trainable():
            if student.grad is not None:
                apart = student.detach() - state.tensors[name].to(student)
                student.grad.add_(apart.to(student.grad), alpha=pull)

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """The teacher follows: teacher += delta * c * (student - teacher)."""
        for name, student in setting.trainable():
            teacher = state.tensors[name]
            teacher.lerp_(student.detach().to(teacher), self.delta * clip_coefficient)
        state.values["clip_coefficient"] = clip_coefficient

    def stop(self, state: MethodState, scores: Mapping[str, Mapping[str, float]]) -> str | None:
        """The authors' rule: the first score below the value ends the run."""
        if self.stop_metric == "none":
            return None
        value = state.values["level"] if self.stop_value is None else self.stop_value
        found = scores.get(self.stop_metric, {}).get("forget")
        if value is None or found is None or found >= value:
            return None
        name = self.stop_metric.replace("_", " ").capitalize()
        return f"{name} of the forget text is {found:.3f}, below {value:.3f}."

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Distance of student and teacher (global L2), also as a share of the teacher's norm."""
        apart = size = 0.0
        for name, student in setting.trainable():
            teacher = state.tensors[name]
            apart += (student.detach().to(teacher) - teacher).square().sum().item()
            size += teacher.square().sum().item()
        curves = {"teacher_distance": math.sqrt(apart)}
        if size > 0:
            curves["teacher_distance_relative"] = math.sqrt(apart / size)
        if "clip_coefficient" in state.values:
            curves["clip_coefficient"] = state.values["clip_coefficient"]
        return curves

    def finish(self, setting: Setting, state: MethodState) -> str:
        return self.handed
