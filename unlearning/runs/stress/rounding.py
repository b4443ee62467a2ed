"""Weights rounded to few bits, in blocks along the input: codes, scales, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unlearning.attacks.quantise import Format
from unlearning.errors import UserError
from unlearning.models.lora import linear_layers

LEVELS = {"int4": 7, "int8": 127}
"""Largest code of a symmetric grid: absmax falls on it."""


def to_codes(weight_OI: Tensor, levels: int, block: int) -> tuple[Tensor, Tensor]:
    """Round to nearest: codes int8 [O, I] from -levels to levels, scales [O, blocks].

    scale = max |w| / levels over each `block` weights of a row, the last block being shorter
    where it does not fit; code = round(w / scale), halves to even. A block of zeros has scale 0.
    """
    blocks_OKB = _blocks(weight_OI, block)
    scale_OK = blocks_OKB.abs().amax(-1) / levels
    divisor_OK = torch.where(scale_OK > 0, scale_OK, torch.ones_like(scale_OK))
    codes_OKB = (blocks_OKB / divisor_OK[..., None]).round().clamp(-levels, levels)
    codes_OI = codes_OKB.flatten(1)[:, : weight_OI.shape[1]].to(torch.int8)
    return codes_OI, scale_OK


def from_codes(codes_OI: Tensor, scale_OK: Tensor, block: int) -> Tensor:
    """The weights that codes and scales stand for, [O, I]."""
    values_OKB = _blocks(codes_OI.to(scale_OK.dtype), block) * scale_OK[..., None]
    return values_OKB.flatten(1)[:, : codes_OI.shape[1]]


def round_model(model: PreTrainedModel, format: Format, block: int) -> dict[str, Tensor]:
    """Round the linear layers but the output layer, in place; codes by layer, on the CPU.

    Raises:
        UserError: nf4 without CUDA or without bitsandbytes, or with a block that it has not.
    """
    round_one = _nf4(model, block) if format == "nf4" else None
    modules = dict(model.named_modules())
    found = {}
    with torch.no_grad():
        for name in linear_layers(model)[0]:
            module = modules[name]
            # GPT-2 stores its weights transposed: [I, O].
            weight_OI = module.weight.T if isinstance(module, Conv1D) else module.weight
            if round_one is not None:
                codes, rounded_OI = round_one(weight_OI)
            else:
                codes, scale_OK = to_codes(weight_OI, LEVELS[format], block)
                rounded_OI = from_codes(codes, scale_OK, block)
            weight_OI.copy_(rounded_OI)
            found[name] = codes.cpu()
    return found


def same_share(one: dict[str, Tensor], other: dict[str, Tensor]) -> float | None:
    """Share of codes that are equal, 0 to 1; None where the layers are not the same."""
    shapes = [{name: codes.shape for name, codes in each.items()} for each in (one, other)]
    if shapes[0] != shapes[1] or not one:
        return None
    equal = sum(int((one[name] == other[name]).sum()) for name in one)
    return equal / sum(codes.numel() for codes in one.values())


def _blocks(weight_OI: Tensor, block: int) -> Tensor:
    """[O, blocks, block], the last one filled up with zeros, which change no maximum."""
    short = -weight_OI.shape[1] % block
    return torch.nn.functional.pad(weight_OI, (0, short)).unflatten(1, (-1, block))


def _nf4(model: PreTrainedModel, block: int) -> Any:
    """A function weight -> (codes, rounded weight) by bitsandbytes."""
    if next(model.parameters()).device.type != "cuda":
        raise UserError(
            "The nf4 format needs CUDA, and the model is not on a CUDA device.",
            "Choose format int4 or int8, which run anywhere.",
        )
    try:
        from bitsandbytes import functional as bnb  # noqa: PLC0415 (optional, for CUDA only)
    except ImportError:
        raise UserError(
            "The nf4 format needs the package bitsandbytes, which is not installed.",
            "Install it with: pip install bitsandbytes; or choose format int4.",
        ) from None
    if block not in (64, 128, 256, 512, 1024, 2048, 4096):
        raise UserError(
            f"bitsandbytes has no blocks of {block} weights.", "Choose 64, 128, 256, ... or 4096."
        )

    def round_one(weight_OI: Tensor) -> tuple[Tensor, Tensor]:
        # Blocks run along the flattened tensor there.
        packed, state = bnb.quantize_4bit(weight_OI.contiguous(), blocksize=block, quant_type="nf4")
        return unpacked(packed, weight_OI.numel()), bnb.dequantize_4bit(packed, state)

    return round_one


def unpacked(packed: Tensor, count: int) -> Tensor:
    """The first `count` 4-bit codes of bytes that hold two each, the earlier one in the high
    half, as bitsandbytes packs them."""
    codes = torch.stack([packed.flatten() >> 4, packed.flatten() & 15], dim=-1).flatten()
    return codes[:count].to(torch.int8)
