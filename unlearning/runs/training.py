"""One optimizer step of any method: batches, passes, gradients, hooks, in the declared order."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, AdamW, Optimizer

from unlearning.data.encode import Encoded
from unlearning.methods.base import Method, MethodState
from unlearning.metrics._recited import recited_shares
from unlearning.metrics.base import Evidence
from unlearning.models.base import STUDENT
from unlearning.models.evidence import gather
from unlearning.models.passes import Batch, Pass
from unlearning.models.versions import Versions
from unlearning.runs.drawing import PAIRED, MicroBatch, cut, micro_batches, sequences_a_step
from unlearning.runs.measure import TextSet
from unlearning.runs.sampler import Sampler

FROZEN = {"reference": "reference", "teacher": "teacher", "reinforced": "counterpart"}
"""Suffix of a batch field to the version that computes it."""


@dataclass
class Step:
    """What one step did."""

    terms: dict[str, float]
    forget_nll: float
    gradient_norm: float
    learning_rate: float
    finite: bool
    tokens: int
    seconds: float
    extras: dict[str, float] = field(default_factory=dict)


class StopAskedError(Exception):
    """The stop flag went up in the middle of a step; nothing was changed."""


class Loop:
    """Method, model, optimizer and samplers of one run. Implements `methods.base.Setting`."""

    def __init__(
        self,
        method: Method,
        versions: Versions,
        sets: Mapping[str, TextSet],
        *,
        learning_rate: float,
        batch_size: int,
        retain_batch_size: int,
        accumulation: int,
        seed: int,
        pad_id: int,
        autocast: bool = False,
        levels: Mapping[str, float] | None = None,
        stop: Any = lambda: False,
    ) -> None:
        self.method, self.versions, self.sets = method, versions, sets
        self.step = 0
        self.forget_size = len(sets["forget"].encoded)
        self.batch_size, self.levels = batch_size, dict(levels or {})
        self.seed, self.terms = seed, {}
        self._sizes = sequences_a_step(method, sets, batch_size, retain_batch_size)
        self._accumulation, self._pad_id = accumulation, pad_id
        self._autocast, self._stop = autocast, stop
        # Method.trainable already chose which parameters require gradients.
        self._parameters: list[Parameter] = [p for _, p in versions.trainable(STUDENT)]
        self.optimizer = self._make_optimizer(learning_rate)
        self.samplers = {
            role: Sampler(
                len(sets[role].encoded),
                seed,
                role,
                # The whole set is a rule for the forget text only.
                method.sampling
                if role == "forget" or method.sampling != "whole_set"
                else "without_replacement",
            )
            for role in self._sizes
        }
        self.state: MethodState = method.prepare(self)

    # methods.base.Setting

    def copy(self, version: str) -> None:
        """Add a frozen copy of the student."""
        self.versions.copy(STUDENT, version)

    def trainable(self, version: str = "student") -> list[tuple[str, Parameter]]:
        """Trainable tensors of a version, in one order."""
        return self.versions.trainable(version)

    def set_learning_rate(self, value: float) -> None:
        """Change the learning rate from this step on."""
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def forget_moments(self) -> None:
        """Empty the optimizer's moments."""
        self.optimizer.state.clear()

    def recited(self, indices: Sequence[int]) -> list[float | None]:
        """Memorization accuracy of the student on each of these forget sequences."""
        return recited_shares(self._evidence(indices).positions)

    def continued(self, indices: Sequence[int], tokens: int) -> list[tuple[str, str]]:
        """Greedy continuations of these forget sequences beside the true text."""
        found = self._evidence(indices, continuations=len(indices), new_tokens=tokens)
        return [(one.text, one.reference) for one in found.continuations]

    @property
    def idle(self) -> bool:
        """Whether no forget sequence is left in play, so that a step would have no batch."""
        allowed = self.method.select(self, self.state)
        return allowed is not None and not set(allowed)

    @property
    def watched(self) -> str:
        """The version that stands for the run at this step."""
        return self.method.watched(self.state)

    @property
    def width(self) -> int:
        """Width of the model's inner state."""
        return self.versions.loaded.model.config.get_text_config().hidden_size

    @property
    def rate(self) -> float:
        """The learning rate in force."""
        return self.optimizer.param_groups[0]["lr"]

    # one step

    def advance(self) -> Step:
        """Do one step.

        Raises:
            StopAskedError: the stop flag went up before the weights moved.
        """
        begun = time.perf_counter()
        cursors = {role: sampler.cursor for role, sampler in self.samplers.items()}
        micro = self._draw()
        try:
            terms, forget_nll, curves = self._accumulate(micro)
            norm = self._norm()
            finite = math.isfinite(norm) and all(math.isfinite(v) for v in terms.values())
            self.terms = terms
            if finite:
                self._move(norm, micro, terms)
        except StopAskedError:
            for role, cursor in cursors.items():
                self.samplers[role].cursor = cursor
            self.optimizer.zero_grad(set_to_none=True)
            raise
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        tokens = sum(int(t.attention_BT.sum()) for m in micro for t, _ in m.values())
        return Step(
            terms=terms,
            forget_nll=forget_nll,
            gradient_norm=norm,
            learning_rate=self.rate,
            finite=finite,
            tokens=tokens,
            seconds=time.perf_counter() - begun,
            extras=curves | self.method.report(self, self.state) if finite else {},
        )

    def cursors(self) -> dict[str, int]:
        """The samplers' state."""
        return {role: sampler.cursor for role, sampler in self.samplers.items()}

    def restore(self, step: int, cursors: Mapping[str, int]) -> None:
        """Take up counting and sampling where a snapshot left them."""
        self.step = step
        for role, cursor in cursors.items():
            self.samplers[role].cursor = cursor

    def _move(self, norm: float, micro: list[MicroBatch], terms: dict[str, float]) -> None:
        limit = self.method.clip
        coefficient = min(1.0, limit / (norm + 1e-6)) if limit is not None else 1.0
        if coefficient < 1.0:
            for parameter in self._with_gradient():
                parameter.grad.mul_(coefficient)
        self.method.before_step(self, self.state, coefficient)
        chosen = self.method.learning_rate(
            self, self.state, lambda size: self._probe(size, micro) if size else dict(terms)
        )
        if chosen is not None:
            self.set_learning_rate(chosen)
        self.optimizer.step()
        with torch.no_grad():
            self.method.after_step(self, self.state, coefficient)

    def _accumulate(
        self, micro: list[MicroBatch]
    ) -> tuple[dict[str, float], float, dict[str, float]]:
        """Backward through every micro-batch; gradients stand in `.grad` afterwards."""
        terms: dict[str, float] = {}
        curves: dict[str, float] = {}
        by_term: dict[str, list[Tensor]] = {}
        forget_nll = 0.0
        for tokens in micro:
            if self._stop():
                raise StopAskedError
            with self._precision():
                batch = self._batch(tokens)
                losses = self.method.loss(batch)
            if batch.forget is not None:
                forget_nll += batch.forget.nll.item()
            with torch.no_grad(), self._precision():
                seen = self.method.curves(batch)
            self._backward(losses, by_term)
            for found, values in ((terms, losses), (curves, seen)):
                for name, value in values.items():
                    found[name] = found.get(name, 0.0) + value.item()
        if self.method.gradients is not None:
            with torch.no_grad():
                combined = self.method.gradients(by_term, self.state)
            for parameter, gradient in zip(self._parameters, combined, strict=True):
                parameter.grad = gradient
        return terms, forget_nll, curves

    def _backward(self, losses: dict[str, Tensor], by_term: dict[str, list[Tensor]]) -> None:
        moving = {name: loss for name, loss in losses.items() if loss.requires_grad}
        if self.method.gradients is None:
            if moving:
                sum(moving.values()).backward()
            return
        for place, (name, loss) in enumerate(moving.items()):
            # What earlier micro-batches gave is added to in place: one copy a term, never more.
            for parameter, held in zip(self._parameters, by_term.get(name, ()), strict=False):
                parameter.grad = held
            loss.backward(retain_graph=place + 1 < len(moving), inputs=self._parameters)
            by_term[name] = [
                torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters
            ]
            self.optimizer.zero_grad(set_to_none=True)

    def _batch(self, tokens: MicroBatch, grad: bool = True) -> Batch:
        """The passes that this setting of the method asks for."""
        asked = self.method.passes_now(self.state)
        hidden = "hidden" in asked
        made: dict[str, Pass] = {}
        for role, (token, share) in tokens.items():
            made[role] = self.versions.run(STUDENT, token, grad=grad, share=share, hidden=hidden)
            for suffix, version in FROZEN.items():
                field_name = suffix if role == "forget" else f"{role}_{suffix}"
                if field_name in asked:
                    made[field_name] = self.versions.run(
                        version, token, grad=False, share=share, hidden=hidden
                    )
        return Batch(**made, own=self.state.tensors)

    def _probe(self, size: float, micro: list[MicroBatch]) -> dict[str, float]:
        """Terms at weights - size * gradient, on this step's batch; weights are put back.

        Raises:
            StopAskedError: the stop flag went up.
        """
        roles = self.method.probed
        saved = [parameter.detach().clone() for parameter in self._parameters]
        values: dict[str, float] = {}
        try:
            with torch.no_grad():
                for parameter in self._with_gradient():
                    parameter.sub_(size * parameter.grad)
                for tokens in micro:
                    if self._stop():
                        raise StopAskedError
                    read = {r: t for r, t in tokens.items() if roles is None or r in roles}
                    with self._precision():
                        losses = self.method.loss(self._batch(read, grad=False))
                    for name, value in losses.items():
                        values[name] = values.get(name, 0.0) + value.item()
        finally:
            with torch.no_grad():
                for parameter, kept in zip(self._parameters, saved, strict=True):
                    parameter.copy_(kept)
        return values

    def _draw(self) -> list[MicroBatch]:
        """This step's sequences, cut into micro-batches that know the size of the whole."""
        chosen: dict[str, list[Encoded]] = {}
        for role, count in self._sizes.items():
            if role != "forget" and not self._asks(role):
                continue
            allowed = self.method.select(self, self.state) if role == "forget" else None
            allowed = None if allowed is None else set(allowed)
            picked = self.samplers[role].take(count, allowed)
            if picked:
                chosen[role] = [self.sets[role].encoded[i] for i in picked]
            if picked and role == "forget":
                for paired in filter(self._asks, PAIRED):
                    chosen[paired] = [self._partner(paired, i) for i in picked]
        sizes = [len(drawn) for drawn in chosen.values()]
        parts = micro_batches(self._accumulation, sizes, self.versions.device.type)
        return cut(chosen, parts, self._pad_id, self.versions.device)

    def _partner(self, role: str, index: int) -> Encoded:
        """The sequence that goes with a forget sequence in this step.

        The role holds as many sequences in a row for each forget sequence; steps take them in
        turn.
        """
        partners = self.sets[role].encoded
        each = len(partners) // self.forget_size
        return partners[index * each + self.step % each]

    def _asks(self, role: str) -> bool:
        """Whether the coming step reads a pass on that role's text."""
        asked = self.method.passes_now(self.state)
        return any(need == role or need.startswith(role + "_") for need in asked)

    def _evidence(self, indices: Sequence[int], **asked: int) -> Evidence:
        forget, chosen = self.sets["forget"], [self.sets["forget"].encoded[i] for i in indices]
        return gather(
            self.versions,
            STUDENT,
            "forget",
            forget.examples,
            chosen,
            self.versions.tokenizer,
            **asked,
        )

    def _make_optimizer(self, learning_rate: float) -> Optimizer:
        if self.method.optimizer_name() == "sgd":
            return SGD(self._parameters, learning_rate, momentum=self.method.momentum_of_sgd())
        # No decay: it would pull towards zero, not towards the original model.
        return AdamW(self._parameters, learning_rate, weight_decay=0.0, foreach=False)

    def _with_gradient(self) -> list[Parameter]:
        return [parameter for parameter in self._parameters if parameter.grad is not None]

    def _norm(self) -> float:
        """Global L2 norm of the gradients."""
        # Summed up on the CPU: Apple's GPUs know no float64, and layers may lie on several GPUs.
        squares = [p.grad.detach().float().square().sum().cpu() for p in self._with_gradient()]
        return torch.stack(squares).double().sum().sqrt().item() if squares else 0.0

    def _precision(self) -> torch.autocast:
        device = self.versions.device.type
        return torch.autocast(device, dtype=torch.bfloat16, enabled=self._autocast)
