"""torch on first use, so that declarations can be read on a machine without it.

Used only in `methods/` and `metrics/`; everything that runs a model imports torch normally.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Lazy:
    """A module that is imported when one of its attributes is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


torch = Lazy("torch")
F = Lazy("torch.nn.functional")
