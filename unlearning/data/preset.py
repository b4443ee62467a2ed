"""What a preset is: a named collection of texts with splits that belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unlearning.data.base import Example, Role
from unlearning.errors import UserError

SHARE_A_GROUP = ("retain", "holdout")
"""Roles whose text is narrowed to a group together with the forget text: same kind, same group."""


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
    companions: Mapping[str, Mapping[Role, str]] = field(default_factory=dict)
    """The same for single splits, in place of `roles`."""
    measured: Mapping[str, Mapping[Role, str]] = field(default_factory=dict)
    """Split to the splits beside it that are only measured: nothing ever trains on them."""
    rephrase: Callable[[str], list[Example]] | None = None
    """Split to its questions in other words, each with the answer of the split's own row."""
    dataset: str = ""
    """Where the rows are from, as OWNER/NAME; empty for texts that come with Lethe."""
    prompt: str = ""
    """How the model is asked, in one sentence."""
    metrics: tuple[str, ...] = ()
    """Names of the metrics that its authors measure with, the chief one first."""
    retrained: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Split to: model that knows it -> the same trained without it, where both are published."""

    def load(self, split: str = "", group: str = "") -> list[Example]:
        """The examples of a split, or those of one group in it.

        Raises:
            UserError: no such split or group; lists those there are.
        """
        split = split or self.default
        if split not in self.splits:
            raise UserError(
                f"preset:{self.name} has no split {split!r}.",
                f"It has: {', '.join(self.splits)}.",
            )
        examples = self.read(split)
        if not group:
            return examples
        chosen = [example for example in examples if example.group == group]
        if not chosen:
            raise self._no_group(split, group, {example.group for example in examples} - {""})
        return chosen

    @property
    def default(self) -> str:
        """The first split."""
        return next(iter(self.splits))

    def beside(self, split: str = "", group: str = "") -> dict[Role, str]:
        """Sources of the other roles when this split, or one group of it, is forgotten."""
        split = split or self.default
        mine = self.companions.get(split, self.roles)
        return {
            role: f"preset:{self.name}/{own}"
            + (f"/{group}" if group and role in SHARE_A_GROUP else "")
            for role, own in mine.items()
            if own != split
        }

    def measured_beside(self, split: str = "") -> dict[Role, str]:
        """Sources of the texts that are measured and no more when this split is forgotten."""
        mine = self.measured.get(split or self.default, {})
        return {role: f"preset:{self.name}/{own}" for role, own in mine.items()}

    def gold(self, split: str, model: str) -> str | None:
        """The published model that was trained like this one, without the split."""
        return self.retrained.get(split or self.default, {}).get(model)

    def _no_group(self, split: str, group: str, there: set[str]) -> UserError:
        most = 12
        named = ", ".join(sorted(there)[:most]) + (", ..." if len(there) > most else "")
        return UserError(
            f"preset:{self.name}/{split} has no group {group!r}.",
            f"It has: {named}." if there else "Its texts are not grouped.",
        )


def parts(source: str) -> tuple[str, str, str]:
    """Name, split and group of `preset:NAME[/SPLIT[/GROUP]]`; empty where not said."""
    name, _, rest = source.removeprefix("preset:").partition("/")
    split, _, group = rest.partition("/")
    return name, split, group
