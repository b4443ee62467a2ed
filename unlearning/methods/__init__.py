"""Unlearning methods: this folder is the registry, one file a method."""

from __future__ import annotations

from unlearning.declare import discover
from unlearning.errors import UserError
from unlearning.methods.base import Method

METHODS: dict[str, type[Method]] = discover("unlearning.methods", Method)
"""File name (= command line name) to class."""


def method(name: str) -> type[Method]:
    """Look a method up by name.

    Raises:
        UserError: no such method; lists the ones there are.
    """
    if name not in METHODS:
        raise UserError(
            f"There is no method named {name!r}.", f"Choose from: {', '.join(METHODS)}."
        )
    return METHODS[name]
