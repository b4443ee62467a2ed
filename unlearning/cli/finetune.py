"""`finetune`: teach a model a corpus. torch is loaded once the text has been read."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from unlearning.cli import words
from unlearning.config import FinetuneConfig
from unlearning.data.sources import load
from unlearning.errors import UserError
from unlearning.runs.store import RunStore


def finetune(chosen: argparse.Namespace) -> int:
    """Teach; Ctrl-C ends the training and keeps what has been learnt."""
    settings = {name: getattr(chosen, name) for name in FinetuneConfig.model_fields}
    config = FinetuneConfig.parse(settings | ({"lora_rank": 0} if chosen.full else {}))
    folder = _new_folder(chosen.out)
    notices: list[str] = []
    examples = load(config.data, stdin=sys.stdin, notices=notices)
    for notice in notices:
        words.tell(notice)

    # Late: torch is needed from here on only.
    from unlearning.runs.finetuning import finetune as train  # noqa: PLC0415

    with _stoppable() as stop:
        found = train(RunStore(chosen.runs), config, examples, folder, stop=stop, tell=words.tell)
    print(json.dumps(found, allow_nan=False) if chosen.json else _summary(found))
    return 0


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """A flag that the first Ctrl-C raises; the second one ends the program."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)
        words.tell("stopping; press Ctrl-C again to end without saving")

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _new_folder(name: str) -> Path:
    folder = Path(name).expanduser()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} exists and is not empty.", "Name a new folder.")
        # Now rather than after hours of training.
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written: {error.strerror}.", "Name another folder."
        ) from None
    return folder


def _summary(found: dict[str, Any]) -> str:
    if found["folder"] is None:
        return "stopped before the first step; nothing is written"
    head = f"{found['status']} after {found['steps']} of {found['planned_steps']} steps"
    return f"{head}, loss {found['loss']:.4g}; written to {found['folder']}"
