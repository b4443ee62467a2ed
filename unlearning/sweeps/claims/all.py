"""The claims together: one sweep, and the page that says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.runs.store import RunStore
from unlearning.sweeps.base import Sweep
from unlearning.sweeps.claims import collapse, rates, requests, teacher
from unlearning.sweeps.claims.base import Claim, Evidence
from unlearning.sweeps.figures import Row

CLAIMS: tuple[Claim, ...] = (collapse.CLAIM, requests.CLAIM, rates.CLAIM, teacher.CLAIM)


def sweep(ground: RunConfig, methods: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Every run that a claim asks for; its methods are its own."""
    chains = tuple(chain for claim in CLAIMS for chain in claim.chains(ground, folder))
    return Sweep("claims", chains, tuple(seeds))


def judged(store: RunStore, asked: Sweep, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The verdict on every claim all of whose runs ended; `asked` is the whole sweep."""
    by_cell = {row.cell: row for row in rows}
    told = []
    for claim in CLAIMS:
        wanted = [
            cell.name
            for chain in asked.chains
            for cell in chain.cells
            if cell.name.startswith(f"{claim.key}/")
        ]
        there = all(
            name in by_cell
            and by_cell[name].seeds == asked.seeds
            and "failed" not in by_cell[name].ends
            for name in wanted
        )
        found = claim.judge(Evidence(store, by_cell)) if there else None
        told.append(
            {
                "key": claim.key,
                "statement": claim.statement,
                "paper": claim.paper,
                "rule": claim.rule,
                "verdict": found.verdict if found else "not tested",
                "numbers": list(found.numbers) if found else [],
            }
        )
    return told
