"""Attacks: this folder is the registry, one file an attack.

What an attack asks, what it answers, and the rule of its verdict stand here and need no model;
`unlearning/runs/stress/` carries them out, in a file of the same name.
"""

from __future__ import annotations

from unlearning.attacks.base import Attack
from unlearning.declare import discover
from unlearning.errors import UserError

ATTACKS: dict[str, type[Attack]] = discover("unlearning.attacks", Attack)
"""File name (= command line name) to class."""


def attack(name: str) -> type[Attack]:
    """Look an attack up by name.

    Raises:
        UserError: no such attack; lists the ones there are.
    """
    if name not in ATTACKS:
        raise UserError(
            f"There is no attack named {name!r}.", f"Choose from: {', '.join(ATTACKS)}."
        )
    return ATTACKS[name]
