"""How much memory a run needs, how much there is, and what a model is. No torch at import."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import psutil

from unlearning.errors import UserError
from unlearning.models import hub
from unlearning.models.architecture import Architecture, architecture
from unlearning.models.folder import (
    context_length,
    has_chat_template,
    has_tokenizer,
    read_config,
    read_weights,
)
from unlearning.models.locate import locate

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
LOGITS_BYTES = 64 * 2**20
LOGITS_COPIES = 4
"""Logits, their float32, the log-softmax and its gradient live at the same time."""
MEASURING_BYTES = 256 * 2**20
"""Keys and values while continuations are measured."""
USABLE = 0.85
"""Share of the free memory that a run may plan with."""
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Estimate:
    """Bytes of a run at its peak, by what they are for."""

    parts: dict[str, int]
    parameters: int

    @property
    def total(self) -> int:
        """All parts together, bytes."""
        return sum(self.parts.values())


def estimate(
    config: dict[str, Any],
    *,
    method_needs: Collection[str] = (),
    teach_first: bool = False,
    lora_rank: int | None = 8,
    batch_size: int = 8,
    retain_batch_size: int = 24,
    length: int = 256,
    dtype: str = "float32",
    parameters: int | None = None,
    copies: int = 0,
) -> Estimate:
    """Peak memory of a run from config.json alone; `parameters` overrides the count.

    `lora_rank` None or 0 means all parameters (float32, with Adam). Batches are those of one
    micro-batch, `length` is that of their longest sequence, in tokens; `copies` of the trained
    weights are kept by the method beside a teacher. Activations count what
    linear layers, norms and residuals keep; attention matrices are left out, since fused
    attention never stores them.

    Raises:
        UserError: the config lacks sizes.
    """
    shape = _shape(config)
    count = parameters or shape.parameters
    size = BYTES.get(dtype, 4)
    # What teaching leaves is kept as the reference, beside the untouched weights.
    copies += teach_first + any(need.endswith("teacher") for need in method_needs)
    if lora_rank:
        trained = shape.lora_parameters(lora_rank)
        parts = {"weights": count * size, "adapter": trained * 4}
        parts["copies of the adapter"] = trained * 4 * copies
    else:
        trained, size = count, 4
        original = teach_first or any(need.endswith("reference") for need in method_needs)
        parts = {"weights": count * 4, "original": count * 4 * original}
        parts["copies of the model"] = count * 4 * copies
    parts["gradients"] = trained * 4
    parts["optimizer"] = trained * 8
    roles = {need.partition("_")[0] for need in method_needs}
    sizes = [batch_size] * (1 + len({"analogous", "preferred"} & roles))
    sizes += [retain_batch_size] if {"retain", "generic"} & roles else []
    parts["activations"] = sum(sizes) * length * shape.layers * _per_token(shape) * size
    logits = sum(min(n * length * shape.vocabulary * 4, LOGITS_BYTES) for n in sizes)
    parts["logits"] = LOGITS_COPIES * logits
    parts["measuring"] = MEASURING_BYTES
    return Estimate(parts, count)


def weights_only(config: dict[str, Any], parameters: int, dtype: str) -> Estimate:
    """What loading alone takes."""
    return Estimate({"weights": parameters * BYTES.get(dtype, 4)}, parameters)


def free_memory(device: str = "cpu", *, cgroup: Path = CGROUP) -> int:
    """Bytes that a run can still take on the device; a container's limit counts on the CPU."""
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415 (only a worker with a GPU gets here)

        free, _ = torch.cuda.mem_get_info(torch.device(device))
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + idle
    return min([psutil.virtual_memory().available, *_container_room(cgroup)])


def total_memory(device: str = "cpu", *, cgroup: Path = CGROUP) -> int:
    """Bytes that the device has in all; a container's limit counts on the CPU."""
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415 (only a worker with a GPU gets here)

        return torch.cuda.mem_get_info(torch.device(device))[1]
    return min([psutil.virtual_memory().total, *_container_limit(cgroup)])


def check_fit(needed: Estimate, free: int) -> None:
    """Refuse what does not fit into 85 % of the free memory.

    Raises:
        UserError: with both numbers, the largest parts, and what to do.
    """
    if needed.total <= USABLE * free:
        return
    largest = sorted(needed.parts.items(), key=lambda part: -part[1])[:3]
    named = ", ".join(f"{name} {_gb(size)}" for name, size in largest if size)
    raise UserError(
        f"This needs about {_gb(needed.total)} of memory ({named}), but only {_gb(free)} are free.",
        "Choose a smaller model, LoRA instead of all parameters, shorter text or a smaller batch.",
    )


class ModelCard(TypedDict):
    """What a page shows of a model before it is loaded."""

    name: str
    source: str
    """embedded, folder or hub"""
    type: str
    """Family, such as llama."""
    parameters: int
    context: int | None
    chat: bool | None
    """Whether the tokenizer has a chat template; None where it is not known before fetching."""
    bytes: int
    """Size of the weight files."""
    config: dict[str, Any]


def describe(name: str, *, public: bool = False) -> ModelCard:
    """Look at a model without loading it; a hub model that was not fetched is looked up.

    Raises:
        UserError: as `models.load.load`, as far as files can tell.
    """
    place = locate(name, public=public)
    folder = place.folder or hub.cached(name)
    if folder is None:
        return _hub_card(name)
    config = read_config(folder, name)
    weights = read_weights(folder, name)
    if not has_tokenizer(folder):
        raise UserError(f"{name} has no tokenizer.", "Save its tokenizer into the same folder.")
    return ModelCard(
        name=name,
        source=place.source,
        type=config["model_type"],
        parameters=weights.parameters,
        context=context_length(config),
        chat=has_chat_template(folder),
        bytes=weights.bytes,
        config=config,
    )


def _hub_card(name: str) -> ModelCard:
    config, files = hub.look_up(name)
    size = sum(b for file, b in files.items() if file.endswith(".safetensors") and "/" not in file)
    return ModelCard(
        name=name,
        source="hub",
        type=config["model_type"],
        parameters=_shape(config).parameters,
        context=context_length(config),
        chat=True if "chat_template.jinja" in files else None,
        bytes=size,
        config=config,
    )


def _shape(config: dict[str, Any]) -> Architecture:
    try:
        return architecture(config)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(
            f"The model's config.json lacks its sizes ({error}).", "Download the model again."
        ) from error


def _per_token(shape: Architecture) -> int:
    """Numbers that a layer keeps for backward, per token: inputs and outputs of its parts."""
    through = sum(layer.count * (layer.inputs + layer.outputs) for layer in shape.linear)
    return through // shape.layers + 4 * shape.hidden


def _container_room(cgroup: Path) -> list[int]:
    """Bytes left under the memory limit of this process's control group, if there is one."""
    version_1 = cgroup / "memory"
    for folder, limit, used, prefix in (
        (cgroup, "memory.max", "memory.current", ""),
        (version_1, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
    ):
        try:
            most, taken = (int((folder / name).read_text()) for name in (limit, used))
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            # Files that were read count as used, but make room for whoever needs it.
            cached = sum(int(stat[f"{prefix}{kind}_file"]) for kind in ("inactive", "active"))
        except (OSError, ValueError, KeyError):  # no such file, or no limit: "max"
            continue
        return [max(most - taken + cached, 0)]
    return []


def _container_limit(cgroup: Path) -> list[int]:
    """Bytes that this process's control group may take in all, if there is a limit."""
    found = []
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # no such file, or no limit: "max"
            found.append(int((cgroup / name).read_text()))
    return found


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
