"""What peft's LoRA layers need beyond peft: switching without side effects, settings on disk."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Linear, Parameter
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from unlearning.errors import UserError
from unlearning.models.export import complete_or_not_at_all, read_tensors

PARTS = ("lora_A", "lora_B")
WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"


def switch(layer: LoraLayer, names: Sequence[str], off: bool) -> None:
    """Activate adapters, or none with `off`; leaves every requires_grad flag of the layer off."""
    layer.enable_adapters(not off)
    if not off:
        layer.set_adapter(list(names), inference_mode=True)


def set_flags(flags: Iterable[tuple[Parameter, bool]]) -> None:
    """Set each parameter's requires_grad."""
    for parameter, flag in flags:
        parameter.requires_grad_(flag)


@contextmanager
def row_by_row(layers: Iterable[LoraLayer], adapters: Sequence[str]) -> Iterator[None]:
    """Let every row of the batch use an adapter of its own; '__base__' is none."""

    def tell(module: LoraLayer, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        # OPT flattens [B, T, D] to [B * T, D] before its feed-forward part.
        times = len(args[0]) // len(adapters)
        return args, {**kwargs, "adapter_names": [a for a in adapters for _ in range(times)]}

    # peft's own entry leaves its hooks behind when a forward pass fails.
    handles = [layer.register_forward_pre_hook(tell, with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def begin(layers: Iterable[LoraLayer], adapter: str, seed: int) -> None:
    """A as in peft, from a generator of its own on the CPU: the same on every device. B = 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in layers:
            weight = layer.lora_A[adapter].weight
            begun = torch.empty(weight.shape, dtype=weight.dtype)
            torch.nn.init.kaiming_uniform_(begun, a=math.sqrt(5), generator=generator)
            weight.copy_(begun)
            layer.lora_B[adapter].weight.zero_()


def put_beside(layers: Iterable[LoraLayer], parts: Mapping[str, float], target: str) -> None:
    """Write the weighted sum of adapters into one of their joint rank: with A one below the other
    and the weighted B side by side, B A is the sum of their products."""
    with torch.no_grad():
        for layer in layers:
            below = torch.cat([layer.lora_A[name].weight for name in parts], dim=0)
            beside = torch.cat([w * layer.lora_B[name].weight for name, w in parts.items()], dim=1)
            layer.lora_A[target].weight.copy_(below)
            layer.lora_B[target].weight.copy_(beside)


def linear_layers(model: PreTrainedModel) -> tuple[list[str], bool]:
    """Names of all linear layers but the output layer; whether they store weights transposed."""
    head = model.get_output_embeddings()
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Linear | Conv1D) and module is not head
    }
    return sorted(found), any(isinstance(module, Conv1D) for module in found.values())


def write_adapter(folder: Path, state: Mapping[str, Tensor], config: LoraConfig, base: str) -> None:
    """An adapter as peft reads it, complete or not at all; `base` names the model it belongs to."""
    tensors = {
        f"base_model.model.{name}.weight": tensor.contiguous() for name, tensor in state.items()
    }
    with complete_or_not_at_all(folder) as draft:
        save_file(tensors, draft / WEIGHTS_FILE, metadata={"format": "pt"})
        write_settings(draft, config, base)


def write_settings(folder: Path, config: LoraConfig, base: str) -> None:
    """The adapter's configuration as peft reads it; `base` names the model it belongs to."""
    content: dict[str, Any] = config.to_dict() | {
        "base_model_name_or_path": base,
        "inference_mode": True,
    }
    plain = {k: sorted(v) if isinstance(v, set) else v for k, v in content.items()}
    (folder / CONFIG_FILE).write_text(json.dumps(plain, indent=2), encoding="utf-8")


def read_adapter(folder: Path, config: LoraConfig) -> dict[str, Tensor]:
    """The tensors of a saved adapter, as `Versions.state` names them.

    Raises:
        UserError: it cannot be read, or has another rank or alpha than `config`.
    """
    saved = read_tensors(folder, WEIGHTS_FILE)
    rank, alpha = _settings(folder)
    if (rank, alpha) != (config.r, config.lora_alpha):
        raise UserError(
            f"The saved adapter has rank {rank} and alpha {alpha}, but this model was opened "
            f"with rank {config.r} and alpha {config.lora_alpha}.",
            f"Open it with LoRA rank {rank}.",
        )
    return {
        name.removeprefix("base_model.model.").removesuffix(".weight"): tensor
        for name, tensor in saved.items()
    }


def _settings(folder: Path) -> tuple[int, int]:
    """Rank and alpha of a saved adapter."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        return int(config["r"]), int(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The adapter in {folder} has no readable {CONFIG_FILE}.", "Save it again."
        ) from error
