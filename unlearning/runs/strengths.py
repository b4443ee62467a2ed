"""Runs at another strength than they were trained to, for as long as a request lasts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count

from unlearning.runs.requests import GenerateRequest
from unlearning.runs.shelf import Opened

_NUMBERS = count()
"""Two requests on the same model never share a name."""


@contextmanager
def turned(opened: Sequence[Opened], request: GenerateRequest) -> Iterator[list[Opened]]:
    """The sides at the strengths that the request names, beside what they were made from.

    A blend is a further frozen adapter: no weight of the run is written to, so there is nothing
    to put back, whatever ends the block.

    Raises:
        UserError: a side has no adapter.
    """
    with ExitStack() as undo:
        yield [_at(model, request.strength(side), undo) for side, model in enumerate(opened)]


def _at(model: Opened, strength: float, undo: ExitStack) -> Opened:
    if strength == 1:
        return model
    name = f"blend-{next(_NUMBERS)}"
    model.versions.blend(model.version, strength, name)
    undo.callback(model.versions.drop, name)
    return replace(model, version=name)
