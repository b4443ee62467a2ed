"""Open a loaded model for training: with LoRA adapters, or with all parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from unlearning.models.adapters import AdapterVersions
from unlearning.models.base import BASE, REFERENCE, STUDENT, Versions
from unlearning.models.full import FullVersions

if TYPE_CHECKING:
    from unlearning.models.load import Loaded

__all__ = [
    "BASE",
    "REFERENCE",
    "STUDENT",
    "AdapterVersions",
    "FullVersions",
    "Versions",
    "open_versions",
]


def open_versions(
    loaded: Loaded,
    *,
    lora_rank: int | None,
    lora_alpha: int | None = None,
    trainable: Callable[[str], bool] = lambda name: True,
    seed: int = 0,
    keep_base: bool = False,
) -> Versions:
    """The versions of a model; `lora_rank` None (or 0) trains all parameters.

    `trainable` chooses by canonical name: the parameter's own, without adapter, such as
    `model.layers.0.self_attn.q_proj.lora_A`. `keep_base` keeps a second copy in full-parameter
    training; with adapters the base is always there.

    Raises:
        UserError: nothing is left to train.
    """
    if lora_rank:
        return AdapterVersions(
            loaded, rank=lora_rank, alpha=lora_alpha, trainable=trainable, seed=seed
        )
    return FullVersions(loaded, trainable=trainable, keep_base=keep_base)
