"""LoRA versions: one set of base weights that never changes, and a named adapter per version."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.nn import Parameter
from transformers import PreTrainedModel

from unlearning.errors import UserError
from unlearning.models.base import BASE, REFERENCE, STUDENT, Versions, set_modes
from unlearning.models.export import check_fits, write_model
from unlearning.models.fingerprint import hash_weights
from unlearning.models.lora import (
    PARTS,
    begin,
    linear_layers,
    put_beside,
    read_adapter,
    row_by_row,
    set_flags,
    switch,
    write_adapter,
)

if TYPE_CHECKING:
    from unlearning.models.load import Loaded

UNADAPTED = "__base__"
"""What peft calls a row without an adapter."""


class AdapterVersions(Versions):
    """One named adapter per version. LoRA as in arXiv:2106.09685: W + alpha / rank * B A."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        rank: int,
        alpha: int | None = None,
        trainable: Callable[[str], bool] = lambda name: True,
        seed: int = 0,
    ) -> None:
        """Add the student on every linear layer but the output layer; alpha defaults to 2 * rank.

        A starts as in peft, B at zero: the student starts as the base.

        Raises:
            UserError: `trainable` accepts nothing.
        """
        super().__init__(loaded)
        self._model: PreTrainedModel = loaded.model
        self._chosen = trainable
        targets, transposed = linear_layers(self._model)
        self._config = LoraConfig(
            r=rank,
            lora_alpha=2 * rank if alpha is None else alpha,
            target_modules=targets,
            lora_dropout=0.0,
            fan_in_fan_out=transposed,
            task_type="CAUSAL_LM",
        )
        with self._same_random_state():
            self._peft = get_peft_model(self._model, self._config, adapter_name=STUDENT)
        self._layers: dict[str, LoraLayer] = {
            name: module
            for name, module in self._model.named_modules()
            if isinstance(module, LoraLayer)
        }
        begin(self._layers.values(), STUDENT, seed)
        self._model.eval()
        for parameter in self._adapter_parameters():
            parameter.requires_grad_(False)
        for _, parameter in self.trainable():
            parameter.requires_grad_(True)

    # which versions there are

    def versions(self) -> list[str]:
        return [BASE, *self._peft.peft_config]

    def copy(self, source: str, target: str) -> None:
        source = self.resolve(source)
        if target == BASE:
            raise ValueError("the base weights never change")
        self._add(target)
        with torch.no_grad():
            for layer in self._layers.values():
                for part in PARTS:
                    into = getattr(layer, part)[target].weight
                    if source != BASE:
                        into.copy_(getattr(layer, part)[source].weight)
                    elif part == "lora_B":
                        into.zero_()

    def blend(self, source: str, strength: float, target: str) -> None:
        original, source = self.resolve(REFERENCE), self.resolve(source)
        if source == BASE:
            super().blend(source, strength, target)
        if strength == 0:
            # Not a sum with zero: what is no number any more would stay in it.
            self.copy(original, target)
            return
        parts = {original: 1 - strength} if original not in (BASE, source) else {}
        parts[source] = strength if source != original else 1.0
        # As wide as all that is in it: a sum of products B A is of a higher rank than each.
        config = copy.copy(self._config)
        config.r, config.lora_alpha = config.r * len(parts), config.lora_alpha * len(parts)
        self._add(target, config)
        put_beside(self._layers.values(), parts, target)

    def drop(self, version: str) -> None:
        if version in (BASE, STUDENT) or version not in self._peft.peft_config:
            raise ValueError(f"{version!r} cannot be dropped")
        with self.use(STUDENT):
            self._peft.delete_adapter(version)

    # running them

    @contextmanager
    def use(self, version: str, *, training: bool = False) -> Iterator[PreTrainedModel]:
        name = self.resolve(version)
        layers = list(self._layers.values())
        active = [(layer, list(layer.active_adapters), layer.disable_adapters) for layer in layers]
        # peft turns gradients on and off as it switches; they are put back as they were.
        flags = [(p, p.requires_grad) for p in self._adapter_parameters()]
        in_training = [m for m in self._model.modules() if m.training and not training]
        off = name == BASE
        wanted = [] if off else [name]
        switched = any(
            was_off != off or not (off or names == wanted) for _, names, was_off in active
        )
        try:
            if switched:
                for layer in layers:
                    switch(layer, wanted, off)
            set_flags((p, flag and training) for p, flag in flags)
            set_modes(in_training, False)
            yield self._model
        finally:
            set_modes(in_training, True)
            if switched:
                for layer, names, was_off in active:
                    switch(layer, names, was_off)
            set_flags(flags)

    def groups(self, names: Sequence[str]) -> list[list[int]]:
        return [list(range(len(names)))] if names else []

    def call(self, names_B: Sequence[str], **inputs: Any) -> Any:
        names = [self.resolve(name) for name in names_B]
        with torch.no_grad():
            if len(set(names)) == 1:
                with self.use(names[0]) as model:
                    return model(**inputs)
            adapters = [UNADAPTED if name == BASE else name for name in names]
            with self.use(STUDENT) as model, row_by_row(self._layers.values(), adapters):
                return model(**inputs)

    # their weights

    def trainable(self, version: str = STUDENT) -> list[tuple[str, Parameter]]:
        found = [pair for pair in self._tensors(version) if self._chosen(pair[0])]
        if not found:
            raise UserError(
                "None of this model's adapter weights is one that the method trains.",
                "Choose other layers in the method's settings, or train all parameters.",
            )
        return found

    def state(self, version: str) -> dict[str, Tensor]:
        return {name: p.detach().cpu().clone() for name, p in self._tensors(version)}

    def load_state(self, version: str, tensors: Mapping[str, Tensor]) -> None:
        into = dict(self._tensors(version))
        check_fits(into, tensors)
        with torch.no_grad():
            for name, parameter in into.items():
                parameter.copy_(tensors[name])

    def save(self, version: str, folder: Path) -> None:
        write_adapter(folder, self.state(version), self._config, self.loaded.name)

    def load_saved(self, folder: Path, version: str) -> None:
        tensors = read_adapter(folder, self._config)
        check_fits(dict(self._tensors(STUDENT)), tensors)
        self._add(version)
        self.load_state(version, tensors)

    def weights(self, version: str) -> Iterator[tuple[str, Tensor, Tensor | None]]:
        adapter = self.resolve(version)
        for name, weight in self._base_weights():
            layer = self._layers.get(name.removesuffix(".weight"))
            if adapter == BASE or layer is None or not name.endswith(".weight"):
                yield name, weight, None
            else:
                # Not around the yield: it would hold for whoever reads on.
                with torch.no_grad():
                    added = layer.get_delta_weight(adapter).float()
                yield name, weight, added

    def base_hash(self) -> str:
        return hash_weights(self._base_weights())

    def merged(self, folder: Path, version: str) -> None:
        weights = {
            name: weight if added is None else (weight.float() + added).to(weight.dtype)
            for name, weight, added in self.weights(version)
        }
        write_model(self._model, weights, folder, self.tokenizer)

    # inside

    def _add(self, version: str, config: LoraConfig | None = None) -> None:
        """Another adapter, of the same shape unless `config` says more; frozen, any content."""
        if version in self._peft.peft_config:
            return
        with self._same_random_state(), self.use(STUDENT):
            self._peft.add_adapter(version, config or self._config)
        for _, parameter in self._tensors(version):
            parameter.requires_grad_(False)
        for layer in self._layers.values():
            set_modes([getattr(layer, part)[version] for part in PARTS], False)

    def _tensors(self, version: str) -> list[tuple[str, Parameter]]:
        name = self.resolve(version)
        if name == BASE:
            raise ValueError("the base has no adapter weights")
        return [
            (f"{place}.{part}", getattr(layer, part)[name].weight)
            for place, layer in self._layers.items()
            for part in PARTS
        ]

    def _adapter_parameters(self) -> Iterator[Parameter]:
        for layer in self._layers.values():
            for part in PARTS:
                yield from getattr(layer, part).parameters()

    def _base_weights(self) -> Iterator[tuple[str, Tensor]]:
        own = {id(parameter) for parameter in self._adapter_parameters()}
        for name, parameter in self._model.named_parameters():
            if id(parameter) not in own:
                yield name.replace(".base_layer.", "."), parameter.detach()

    def _same_random_state(self) -> Any:
        """peft draws initial weights from the global generators; they are put back."""
        return torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else [])
