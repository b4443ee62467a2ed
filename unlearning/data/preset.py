"""What a preset is: a named collection of texts with splits that belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unlearning.data.base import Example, Role
from unlearning.errors import UserError


@dataclass(frozen=True, slots=True)
class Preset:
    """A benchmark or collection; every file of one defines a Preset, `sources` lists them."""

    name: str
    title: str
    description: str
    splits: Mapping[str, str]
    """Split to what stands in it, in one sentence; the first split is the default."""
    read: Callable[[str], list[Example]]
    """Split to its examples."""
    roles: Mapping[Role, str] = field(default_factory=dict)
    """Split that plays a role when another split of the preset is forgotten."""

    def load(self, split: str = "") -> list[Example]:
        """The examples of a split.

        Raises:
            UserError: no such split; lists those there are.
        """
        split = split or next(iter(self.splits))
        if split not in self.splits:
            raise UserError(
                f"preset:{self.name} has no split {split!r}.",
                f"It has: {', '.join(self.splits)}.",
            )
        return self.read(split)
