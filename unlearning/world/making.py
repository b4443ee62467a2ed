"""Makes the embedded models: tokenizer, training in two processes, measurement, cards."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from unlearning.errors import UserError
from unlearning.world.cards import write_card
from unlearning.world.corpus import read
from unlearning.world.measure import Figures, measure
from unlearning.world.tokenizer import (
    SPLIT_WEIGHTS,
    VOCABULARY_SIZE,
    tokenizer_texts,
    train_tokenizer,
)
from unlearning.world.train import TRAINED_ON, train_model


def make_models(
    out: Path, *, only: str | None = None, progress: Callable[[str], None] = print
) -> dict[str, Figures]:
    """Train, save and measure the models named in ``TRAINED_ON``, side by side.

    Each trains in a process of its own on one thread: two of them use two cores better than
    one with two threads, and the result does not depend on how many cores there are.
    """
    if only is not None and only not in TRAINED_ON:
        raise UserError(
            f"There is no embedded model {only!r}.", f"Choose: {', '.join(TRAINED_ON)}."
        )
    names = [only] if only else list(TRAINED_ON)
    world = out / "world"
    texts = tokenizer_texts({split: read(world, split) for split in SPLIT_WEIGHTS})
    for name in names:
        train_tokenizer(texts, out / "models" / name)
    _train_apart(names, out, progress)
    figures = {}
    for name in names:
        progress(f"{name}: measuring")
        folder = out / "models" / name
        figures[name] = measure(folder, world)
        write_card(name, folder, figures[name], count_parameters(folder), VOCABULARY_SIZE)
    return figures


def count_parameters(folder: Path) -> int:
    """Count the numbers in a model's weights file; tied weights are stored once."""
    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        return sum(weights.get_tensor(key).numel() for key in weights.keys())  # noqa: SIM118


def _train_apart(names: list[str], out: Path, progress: Callable[[str], None]) -> None:
    context = multiprocessing.get_context("spawn")
    reports = context.Queue()
    processes = [context.Process(target=_train_one, args=(name, out, reports)) for name in names]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes) or not reports.empty():
        try:
            progress(reports.get(timeout=1.0))
        except queue.Empty:
            continue
    for process, name in zip(processes, names, strict=True):
        process.join()
        if process.exitcode:
            raise RuntimeError(f"training {name} ended with exit code {process.exitcode}")


def _train_one(name: str, out: Path, reports: Any) -> None:
    torch.set_num_threads(1)
    train_model(name, out / "world", out / "models" / name, progress=reports.put)
