"""Answers of several models as they grow, in frames that a page can keep up with."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from unlearning.errors import UserError
from unlearning.runs.requests import Delta, GenerateRequest, Judged
from unlearning.runs.scheduler import Scheduler

FRAME_SECONDS = 0.125
"""Between two redraws: a page that redraws at every token lags behind the tokens."""


@dataclass
class Writing:
    """One answer of one side so far."""

    text: str = ""
    state: str = "writing"
    """'writing', 'done', 'looped' or 'stopped'."""
    tokens: list[Judged] = field(default_factory=list)
    """The text token by token, as the side itself wrote it."""
    judged: dict[int, tuple[Judged, ...]] = field(default_factory=dict)
    """The same text as the sides see it, by side; comes after the end, where it was asked for."""


def frames(
    scheduler: Scheduler, request: GenerateRequest, key: str, stopped: threading.Event
) -> Iterator[list[Writing]]:
    """All answers as they grow, at most eight times a second, also while nothing comes.

    Side after side, each with its answers in the order of the prompts.

    The stream is drained by a thread, so that Stop is never held up by a slow token.

    Raises:
        UserError: what the stream raised or told.
    """
    arrived: queue.SimpleQueue[Delta | Exception | None] = queue.SimpleQueue()
    closed = threading.Event()
    reader = threading.Thread(
        target=_drain, args=(scheduler, request, key, arrived, closed), daemon=True
    )
    reader.start()
    prompts = len(request.prompts)
    answers = [Writing() for _ in range(len(request.sides) * prompts)]
    try:
        more = True
        while more and not stopped.wait(FRAME_SECONDS):
            while more and not arrived.empty():
                more = _take(arrived.get(), answers, prompts)
            yield answers
    finally:
        closed.set()
    for answer in answers:
        answer.state = "stopped" if answer.state == "writing" else answer.state
    yield answers


def _take(found: Delta | Exception | None, answers: list[Writing], prompts: int) -> bool:
    """Add one piece; False at the end of the stream."""
    if found is None:
        return False
    if isinstance(found, Exception):
        raise found
    if found.kind == "error":
        raise UserError(found.text)
    answer = answers[found.side * prompts + found.prompt]
    answer.text += found.text
    if found.kind == "done":
        answer.state = "looped" if found.looped else "done"
    elif found.kind == "judged":
        answer.judged[found.judge] = found.tokens
    elif found.probability is not None:
        logp = math.log(found.probability) if found.probability > 0 else None
        answer.tokens.append(Judged(text=found.text, logp=logp))
    return True


def _drain(
    scheduler: Scheduler,
    request: GenerateRequest,
    key: str,
    arrived: queue.SimpleQueue[Delta | Exception | None],
    closed: threading.Event,
) -> None:
    stream: Any = iter(())
    try:
        stream = scheduler.generate(request, key)
        for delta in stream:
            if closed.is_set():
                break
            arrived.put(delta)
        arrived.put(None)
    except Exception as error:
        # Raised again where the frames are read; a thread of its own would lose it.
        arrived.put(error)
    finally:
        # Closing withdraws the request; left to the collector it would go on being answered.
        getattr(stream, "close", lambda: None)()
