"""The trained model and the frozen ones beside it, behind one interface.

A version is a name for weights: 'base' (as loaded), 'student' (in training), and copies of the
student such as 'teacher'. 'reference' is what forgetting is measured against: a copy of that
name where there is one, else 'base'.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from transformers import PreTrainedModel

from unlearning.data.encode import Tokens
from unlearning.errors import UserError
from unlearning.models.forward import Outputs, run_model, separate_head, vocabulary
from unlearning.models.passes import Pass, Share

if TYPE_CHECKING:
    from unlearning.models.load import Loaded

BASE = "base"
STUDENT = "student"
REFERENCE = "reference"


class Versions(ABC):
    """Weights by name. Nothing here draws from the global random generators."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.tokenizer = loaded.tokenizer
        self.device = loaded.device
        self.context_length = loaded.context_length
        self.vocabulary = vocabulary(loaded.model)
        """Rows of the output layer, at least the tokenizer's size."""

    # which versions there are

    @abstractmethod
    def versions(self) -> list[str]:
        """Names that can be run, 'base' first where it is still there."""

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Make `target` a frozen copy of `source`, or overwrite it if it exists."""

    def blend(self, source: str, strength: float, target: str) -> None:
        """Make a new frozen version with the weights reference + strength * (source - reference).

        Raises:
            UserError: the source has no adapter.
        """
        raise UserError(
            "The strength of a run that trained all weights cannot be turned: each one would be "
            "a further whole copy of the model.",
            "Leave it at 1, or run the method with LoRA.",
        )

    @abstractmethod
    def drop(self, version: str) -> None:
        """Forget a copy; 'base' and 'student' cannot be dropped."""

    def has(self, version: str) -> bool:
        """Whether that name can be run."""
        return version in self.versions() or (version == REFERENCE and BASE in self.versions())

    def resolve(self, version: str) -> str:
        """The name behind a name: 'reference' is 'base' unless there is a copy of that name.

        Raises:
            ValueError: there is no such version.
        """
        there = self.versions()
        name = BASE if version == REFERENCE and REFERENCE not in there else version
        if name not in there:
            raise ValueError(f"no version {version!r}; there are: {', '.join(there)}")
        return name

    # running them

    @abstractmethod
    def use(
        self, version: str, *, training: bool = False
    ) -> AbstractContextManager[PreTrainedModel]:
        """The model with the weights of `version`, in evaluation mode, nothing requiring gradients.

        What was active before comes back afterwards: adapter, mode of every module, every
        requires_grad flag. With `training` only the adapter is switched.
        """

    @abstractmethod
    def groups(self, names: Sequence[str]) -> list[list[int]]:
        """Indices of the names that `call` can run in one batch."""

    @abstractmethod
    def call(self, names_B: Sequence[str], **inputs: Any) -> Any:
        """The model's own output, row b computed by version `names_B[b]`; no gradients."""

    def run(
        self,
        version: str,
        tokens: Tokens,
        *,
        grad: bool,
        share: Share | None = None,
        hidden: bool = False,
    ) -> Pass:
        """One teacher-forced pass; with `grad` (student only) it keeps the autograd graph."""
        return self.outputs(version, tokens, grad=grad, hidden=hidden).as_pass(
            tokens.labels_BT, share, tokens.focus_BT
        )

    def outputs(
        self, version: str, tokens: Tokens, *, grad: bool = False, hidden: bool = False
    ) -> Outputs:
        """The same before labels: logits, or hidden states and head where logits are large."""
        if grad and self.resolve(version) != STUDENT:
            raise ValueError(f"only the student is trained, not {version!r}")
        separable = self.separable
        inputs = {
            "input_ids": tokens.ids_BT.to(self.device),
            "attention_mask": tokens.attention_BT.to(self.device),
        }
        with self.use(version, training=grad) as model, torch.set_grad_enabled(grad):
            return run_model(model, inputs, separable=separable, hidden=hidden)

    @cached_property
    def separable(self) -> bool:
        """Whether logits are the output layer applied to the last hidden states."""
        with self.use(STUDENT) as model:
            return separate_head(model) is not None

    # their weights

    @abstractmethod
    def trainable(self, version: str = STUDENT) -> list[tuple[str, Parameter]]:
        """Tensors of the version that the method moves; same names and order in all versions."""

    @abstractmethod
    def state(self, version: str) -> dict[str, Tensor]:
        """CPU copy of the adapter's tensors, or of all tensors in full-parameter training."""

    @abstractmethod
    def load_state(self, version: str, tensors: Mapping[str, Tensor]) -> None:
        """Write what `state` gave into the version, in place.

        Raises:
            UserError: names or shapes do not fit.
        """

    @abstractmethod
    def save(self, version: str, folder: Path) -> None:
        """Write the version in the libraries' own format; complete or not at all."""

    @abstractmethod
    def load_saved(self, folder: Path, version: str) -> None:
        """Read what `save` wrote into the version, which is added if it is not there.

        Raises:
            UserError: the folder does not hold weights of this shape.
        """

    @abstractmethod
    def weights(self, version: str) -> Iterator[tuple[str, Tensor, Tensor | None]]:
        """Name, tensor and what an adapter adds to it (float32), one after the other; the same
        names and order in all versions."""

    @abstractmethod
    def base_hash(self) -> str:
        """SHA-256 of the weights as loaded; LoRA tensors are left out."""

    @abstractmethod
    def merged(self, folder: Path, version: str) -> None:
        """Write the version as an ordinary model folder with its tokenizer."""


def set_modes(modules: Sequence[Module], training: bool) -> None:
    """Set each module's own mode, not its children's."""
    for module in modules:
        module.training = training
