"""Task arithmetic: learn the forget text further, then go the other way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods._dial import Dial
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

LORA_A = re.compile(r"(^|\.)lora_A(\.|$)")
NEGATED = "negated"


class TaskVector(Method):
    """Fine-tune on the forget text, and subtract from the model what that changed.

    The student learns the forget text by ordinary fine-tuning (mean over counted tokens). The
    result is theta_0 - strength * (theta_ft - theta_0), where theta_0 are the weights at the start
    of the run; it is kept up to date after every step, and it, not the student, is what the run
    looks at, keeps in snapshots and hands over. The forget loss of the steps is the student's.

    Under LoRA only B is trained: with A fixed the model's weights are linear in B, so the negation
    is exact, also from another run's adapter. The paper fine-tunes all weights and picks the
    strength by a validation set; the scripts of MUSE (arXiv:2407.06460) fine-tune for 10 epochs
    with learning rate 1e-5 and take a strength of 5.
    """

    title = "Task vector"
    paper = "https://arxiv.org/abs/2212.04089"
    citation = (
        "Ilharco, Ribeiro, Wortsman, Gururangan, Schmidt, Hajishirzi, Farhadi: Editing Models with "
        "Task Arithmetic. ICLR 2023."
    )
    formula = (
        r"\theta_{ft} = \arg\min_\theta \mathrm{NLL}_\theta(\text{forget}),\qquad "
        r"\theta = \theta_0 - \alpha\,(\theta_{ft} - \theta_0)"
    )
    idea = (
        "First the model is trained further on the very text that it shall forget, in the ordinary "
        "way. What this changes in the weights is a direction towards that text. The result is "
        "the original model moved in the opposite direction. Nothing is ever maximised in "
        "training; how far to go back is chosen afterwards."
    )
    cost = "1.0: one fine-tuning step; the trained weights are kept three times."
    failure = (
        "Too small a strength does nothing and too large a one breaks everything, with little "
        "between; no term protects the text to keep."
    )
    copies = 2
    reports = (
        Reported(
            "task_vector_norm", "length", "Length of the task vector", "the way fine-tuning went"
        ),
    )
    defaults = Defaults(steps=40, lora=1.5e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)
    dial = Dial("strength", (0.4, 0.7, 1.0, 1.5, 2.0))

    strength: float = hyperparameter(5.0, 0.0, 100.0)
    """How far the model goes back, in lengths of the way that fine-tuning went; 5 is MUSE's."""

    def trainable(self, name: str) -> bool:
        return LORA_A.search(name) is None

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        return {"learned": batch.forget.nll}

    def prepare(self, setting: Setting) -> MethodState:
        setting.copy(NEGATED)
        tensors: dict[str, Tensor] = {}
        for name, weight in setting.trainable(NEGATED):
            tensors[f"start/{name}"] = weight.detach().clone()
            tensors[f"{NEGATED}/{name}"] = weight.detach()
        return MethodState(tensors=tensors)

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """negated = start - strength * (student - start)."""
        for name, student in setting.trainable():
            start = state.tensors[f"start/{name}"]
            moved = student.detach() - start
            state.tensors[f"{NEGATED}/{name}"].copy_(start).add_(moved, alpha=-self.strength)

    def watched(self, state: MethodState) -> str:
        return NEGATED

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Length of the task vector (global L2 norm of student - start)."""
        squares = [
            (student.detach() - state.tensors[f"start/{name}"]).square().sum().cpu()
            for name, student in setting.trainable()
        ]
        return {"task_vector_norm": torch.stack(squares).sum().sqrt().item()}

    def finish(self, setting: Setting, state: MethodState) -> str:
        return NEGATED
