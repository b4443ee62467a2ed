"""What a sweep is: chains of runs, each repeated with several seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from unlearning.config import RunConfig
from unlearning.errors import UserError


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a sweep, but for its seed."""

    name: str
    """Unique in its sweep."""
    config: RunConfig


@dataclass(frozen=True, slots=True)
class Chain:
    """Runs in a row: each starts from the result of the one before."""

    cells: tuple[Cell, ...]
    figures: tuple[str, ...] = ()
    """Columns of the table that its runs measure; empty for all."""


@dataclass(frozen=True)
class Sweep:
    """Chains and the seeds they are repeated with."""

    name: str
    chains: tuple[Chain, ...]
    seeds: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        names = [cell.name for chain in self.chains for cell in chain.cells]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"cells named twice: {', '.join(twice)}")

    def only(self, beginnings: Iterable[str]) -> Sweep:
        """The chains with a cell whose name begins like one of these.

        Raises:
            UserError: a beginning that fits no cell.
        """
        wanted = tuple(beginnings)
        names = [cell.name for chain in self.chains for cell in chain.cells]
        for beginning in wanted:
            if not any(name.startswith(beginning) for name in names):
                raise UserError(
                    f"{self.name} has no cell that begins with {beginning!r}.",
                    f"It has: {', '.join(names)}.",
                )
        kept = tuple(c for c in self.chains if any(x.name.startswith(wanted) for x in c.cells))
        return Sweep(self.name, kept, self.seeds)


def single(name: str, config: RunConfig, figures: tuple[str, ...] = ()) -> Chain:
    """A chain of one run."""
    return Chain((Cell(name, config),), figures)


def changed(config: RunConfig, **changes: Any) -> RunConfig:
    """The configuration with other values, checked anew."""
    return RunConfig.parse(config.model_dump() | changes)
