"""Weights to and from folders: safetensors only, complete or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel

from unlearning.errors import UserError


@contextmanager
def complete_or_not_at_all(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its place at the end, or vanishes on failure."""
    folder = Path(folder)
    draft = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
    draft.mkdir(parents=True)
    try:
        yield draft
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_tensors(folder: Path, pattern: str) -> dict[str, Tensor]:
    """All tensors of the folder's files of that pattern, on the CPU.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    files = sorted(Path(folder).glob(pattern))
    if not files:
        raise UserError(f"There are no saved weights in {folder}.", "Choose another snapshot.")
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            tensors |= load_file(file)
        except (SafetensorError, OSError) as error:
            raise UserError(
                f"{file.name} in {folder} is damaged or cut short.", "Choose another snapshot."
            ) from error
    return tensors


def check_fits(into: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Same names, same shapes.

    Raises:
        UserError: names the first tensor that is missing, unknown or of another shape.
    """
    odd = sorted(set(into) ^ set(tensors))
    for name in odd or (n for n in into if into[n].shape != tensors[n].shape):
        raise UserError(
            f"The saved weights do not belong to this model: {name} is missing, unknown or of "
            "another shape.",
            "Open the model that they were trained on.",
        )


def write_model(
    model: PreTrainedModel, weights: Mapping[str, Tensor], folder: Path, tokenizer: Any = None
) -> None:
    """Write weights under the parameter names of `model` as an ordinary model folder.

    `model` itself is not touched: a hollow one of the same configuration carries the weights.
    """
    with torch.device("meta"):
        hollow = type(model)(model.config)
    hollow.load_state_dict({n: w.detach() for n, w in weights.items()}, assign=True, strict=False)
    hollow.tie_weights()
    ends = model.generation_config
    # Sampling settings of the original may be ones that newer libraries refuse to write.
    hollow.generation_config = GenerationConfig(
        bos_token_id=ends.bos_token_id,
        eos_token_id=ends.eos_token_id,
        pad_token_id=ends.pad_token_id,
    )
    with complete_or_not_at_all(folder) as draft:
        hollow.save_pretrained(draft)
        if tokenizer is not None:
            tokenizer.save_pretrained(draft)
