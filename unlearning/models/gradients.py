"""Gradients of given texts: their norms, and how those of different texts point.

No gradient of a weight is kept: norms are taken as soon as a tensor's gradient is there, and
products between texts come from what goes into and comes back to each linear layer.

Shape letters: N texts, R rows (tokens of all texts), I inputs and O outputs of a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np
import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import Linear, Module, Parameter
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unlearning.data.encode import Encoded, collate
from unlearning.metrics.base import Spans
from unlearning.models.base import Versions
from unlearning.models.forward import run_model
from unlearning.models.lora import PARTS

Hooked = Callable[[Module, tuple[Tensor, ...], Tensor], None]


def gradient_norms(
    versions: Versions, version: str, stop: Callable[[], bool] = lambda: False
) -> Callable[[Spans], list[float] | None]:
    """Bind a version to `metrics.base.GradientNorms`: one text at a time, float32 norms.

    A layer with an adapter counts with the gradient of the weight that both make together. When
    `stop` goes up there is no result.
    """

    def norms(spans: Spans) -> list[float] | None:
        found = []
        separable = versions.separable
        with suppress(torch.OutOfMemoryError), versions.use(version) as model:
            for span in spans:
                if stop():
                    return None
                with _every_norm(model) as per_tensor:
                    _loss_of_each(versions, model, separable, [span]).sum().backward()
                found.append(float(torch.stack(per_tensor).mean()))
        return found if len(found) == len(spans) else None

    return norms


def gradient_products(
    versions: Versions, version: str, stop: Callable[[], bool] = lambda: False
) -> Callable[[Spans], dict[str, np.ndarray] | None]:
    """Bind a version to `metrics.base.GradientProducts`: all texts in one pass.

    The gradient of a layer's weight is sum_r g_r x_r^T over the tokens of a text, so the product
    of two texts' gradients is the sum over pairs of tokens of (x_r . x_s) (g_r . g_s).
    """

    def products(spans: Spans) -> dict[str, np.ndarray] | None:
        found: dict[str, np.ndarray] = {}
        if stop() or not spans:
            return None
        separable = versions.separable
        with suppress(torch.OutOfMemoryError), versions.use(version) as model:
            lengths = [len(ids) for ids, _ in spans]
            with _both_sides(model, lengths, found):
                _loss_of_each(versions, model, separable, spans).sum().backward()
            return found
        return None

    return products


def _loss_of_each(
    versions: Versions, model: PreTrainedModel, separable: bool, spans: Spans
) -> Tensor:
    """Mean negative log-likelihood of each text [N], with its graph."""
    batch = [
        Encoded(tuple(ids), first, first, ends=False, example=i)
        for i, (ids, first) in enumerate(spans)
    ]
    tokens = collate(batch, versions.tokenizer.pad_token_id or 0, device=versions.device)
    inputs = {"input_ids": tokens.ids_BT, "attention_mask": tokens.attention_BT}
    with torch.enable_grad(), torch.autocast(versions.device.type, enabled=False):
        out = run_model(model, inputs, separable=separable)
        made = out.as_pass(tokens.labels_BT, None)
        return -made.logp_B / made.length_B


def _weights(model: PreTrainedModel) -> list[Parameter]:
    """Every tensor of the model itself, adapters left out."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.is_floating_point() and not any(f".{part}." in name for part in PARTS)
    ]


@contextmanager
def _every_norm(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """Collects the norm of each tensor's gradient, which is let go at once."""
    found: list[Tensor] = []

    def take(parameter: Parameter) -> None:
        found.append(parameter.grad.detach().float().norm().cpu())
        parameter.grad = None

    # A step's own gradients are none of ours.
    before = [(p, p.grad, p.requires_grad) for p in _weights(model)]
    handles = []
    try:
        for parameter, _, _ in before:
            parameter.grad = None
            parameter.requires_grad_(True)
            handles.append(parameter.register_post_accumulate_grad_hook(take))
        yield found
    finally:
        for handle in handles:
            handle.remove()
        for parameter, grad, flag in before:
            parameter.requires_grad_(flag)
            parameter.grad = grad


@contextmanager
def _both_sides(
    model: PreTrainedModel, lengths: Sequence[int], found: dict[str, np.ndarray]
) -> Iterator[None]:
    """Fills `found` with each linear layer's products while the backward pass goes by."""

    def begin(_: Module, __: tuple, out: Tensor) -> None:
        # Nothing else requires gradients: the graph starts with the embedded tokens.
        out.requires_grad_(True)

    def watch(name: str) -> Hooked:
        def hook(_: Module, given: tuple[Tensor, ...], out: Tensor) -> None:
            rows_RI = _rows(given[0].detach(), lengths)
            out.register_hook(
                lambda back: found.__setitem__(
                    name, _products(rows_RI, _rows(back, lengths), lengths)
                )
            )

        return hook

    handles = [model.get_input_embeddings().register_forward_hook(begin)]
    handles += [layer.register_forward_hook(watch(name)) for name, layer in _linear(model)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _linear(model: PreTrainedModel) -> list[tuple[str, Module]]:
    """Linear layers but the output layer; one with adapters is one layer."""
    head = model.get_output_embeddings()
    adapted = [module for module in model.modules() if isinstance(module, LoraLayer)]
    inside = {id(part) for module in adapted for part in module.modules() if part is not module}
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, LoraLayer | Linear | Conv1D)
        and module is not head
        and id(module) not in inside
    ]


def _rows(values: Tensor, lengths: Sequence[int]) -> Tensor:
    """Rows of real tokens, text after text; some families flatten texts and tokens."""
    whole = values.reshape(len(lengths), -1, values.shape[-1])
    return torch.cat([whole[i, :length] for i, length in enumerate(lengths)]).float()


def _products(rows_RI: Tensor, back_RO: Tensor, lengths: Sequence[int]) -> np.ndarray:
    """[N, N] float64; block by block, so that no text meets all others' pairs at once."""
    count = len(lengths)
    whose_R = torch.repeat_interleave(torch.arange(count), torch.tensor(lengths)).to(rows_RI.device)
    found = torch.zeros(count, count, dtype=torch.float64)
    for i, (own_rI, own_rO) in enumerate(
        zip(rows_RI.split(list(lengths)), back_RO.split(list(lengths)), strict=True)
    ):
        pairs_R = ((own_rI @ rows_RI.T) * (own_rO @ back_RO.T)).double().sum(dim=0)
        total_N = pairs_R.new_zeros(count).index_add(0, whose_R, pairs_R)
        found[i] = total_N.cpu()
    return found.numpy()
