"""Full-parameter versions: the student is the model itself; every other version is a whole copy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import Parameter
from transformers import PreTrainedModel

from unlearning.errors import UserError
from unlearning.models.base import BASE, STUDENT, Versions, set_modes
from unlearning.models.export import check_fits, read_tensors, write_model
from unlearning.models.fingerprint import hash_weights

if TYPE_CHECKING:
    from unlearning.models.load import Loaded


class FullVersions(Versions):
    """Whole models in float32 by name.

    Without `keep_base` there is no second copy: the student stands for 'base' until it first
    moves, and after that there is no 'base' any more.
    """

    def __init__(
        self,
        loaded: Loaded,
        *,
        trainable: Callable[[str], bool] = lambda name: True,
        keep_base: bool = False,
    ) -> None:
        """Open the parameters that `trainable` accepts for training.

        Raises:
            UserError: it accepts none.
        """
        super().__init__(loaded)
        self._chosen = trainable
        # Steps of unlearning are below the resolution of half-precision weights.
        model = loaded.model.float().eval().requires_grad_(False)
        self._models: dict[str, PreTrainedModel] = {STUDENT: model}
        self._first_moves = self._moves()
        if keep_base:
            self._models[BASE] = copy.deepcopy(model)
        for _, parameter in self.trainable():
            parameter.requires_grad_(True)

    # which versions there are

    def versions(self) -> list[str]:
        base = [BASE] if BASE in self._models or self._untouched() else []
        return [*base, *(name for name in self._models if name != BASE)]

    def copy(self, source: str, target: str) -> None:
        if target == BASE:
            raise ValueError("the base weights never change")
        if target in self._models:
            self.load_state(target, dict(self._model(source).named_parameters()))
        else:
            self._models[target] = copy.deepcopy(self._model(source)).eval().requires_grad_(False)

    def drop(self, version: str) -> None:
        if version in (BASE, STUDENT) or version not in self._models:
            raise ValueError(f"{version!r} cannot be dropped")
        del self._models[version]

    # running them

    @contextmanager
    def use(self, version: str, *, training: bool = False) -> Iterator[PreTrainedModel]:
        model = self._model(version)
        if training:
            yield model
            return
        flags = [(p, p.requires_grad) for p in model.parameters()]
        in_training = [m for m in model.modules() if m.training]
        try:
            set_modes(in_training, False)
            for parameter, _ in flags:
                parameter.requires_grad_(False)
            yield model
        finally:
            set_modes(in_training, True)
            for parameter, flag in flags:
                parameter.requires_grad_(flag)

    def groups(self, names: Sequence[str]) -> list[list[int]]:
        return [[index] for index in range(len(names))]

    def call(self, names_B: Sequence[str], **inputs: Any) -> Any:
        (name,) = set(names_B)
        with torch.no_grad(), self.use(name) as model:
            return model(**inputs)

    # their weights

    def trainable(self, version: str = STUDENT) -> list[tuple[str, Parameter]]:
        named = self._model(version).named_parameters()
        found = [(name, parameter) for name, parameter in named if self._chosen(name)]
        if not found:
            raise UserError(
                "None of this model's weights is one that the method trains.",
                "Choose other layers in the method's settings.",
            )
        return found

    def state(self, version: str) -> dict[str, Tensor]:
        named = self._model(version).named_parameters()
        return {name: p.detach().cpu().clone() for name, p in named}

    def load_state(self, version: str, tensors: Mapping[str, Tensor]) -> None:
        if version == BASE:
            raise ValueError("the base weights never change")
        into = dict(self._model(version).named_parameters())
        check_fits(into, tensors)
        with torch.no_grad():
            for name, parameter in into.items():
                parameter.copy_(tensors[name])

    def save(self, version: str, folder: Path) -> None:
        model = self._model(version)
        write_model(model, dict(model.named_parameters()), folder)

    def load_saved(self, folder: Path, version: str) -> None:
        tensors = read_tensors(folder, "model*.safetensors")
        if version not in self._models:
            check_fits(dict(self._model(STUDENT).named_parameters()), tensors)
            self.copy(STUDENT, version)
        self.load_state(version, tensors)

    def weights(self, version: str) -> Iterator[tuple[str, Tensor, Tensor | None]]:
        for name, parameter in self._model(version).named_parameters():
            yield name, parameter.detach(), None

    def base_hash(self) -> str:
        if BASE not in self._models:
            return self.loaded.sha256
        return hash_weights(self._models[BASE].named_parameters())

    def merged(self, folder: Path, version: str) -> None:
        model = self._model(version)
        write_model(model, dict(model.named_parameters()), folder, self.tokenizer)

    # inside

    def _model(self, version: str) -> PreTrainedModel:
        name = self.resolve(version)
        return self._models[name if name in self._models else STUDENT]

    def _moves(self) -> int:
        """How often the student's weights were written to."""
        return sum(p._version for p in self._models[STUDENT].parameters())

    def _untouched(self) -> bool:
        return self._moves() == self._first_moves
