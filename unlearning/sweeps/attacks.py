"""The attack sweep: methods that stop once the text is forgotten, then attacks on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unlearning.attacks import attack
from unlearning.attacks.base import Attack
from unlearning.config import RunConfig
from unlearning.runs.store import RunStore
from unlearning.sweeps.base import Sweep, changed, single
from unlearning.sweeps.execute import Done

METHODS = ("gradient_ascent", "npo", "undial", "mean_teacher")
"""Methods that are attacked, unless others are named."""
EARLY = {"stop_when_forgotten": True, "probe_every": 2, "snapshot_every": 2}
"""Looked at every second step: between forgotten and torn down there are few."""
ATTACKED = ("prompts", "quantise", "relearn")
"""Attacks on finished weights; requests in a row have a sweep of their own."""
LEFT_OUT = ("answers",)
"""Parts of a report that the table does not rest on; the run keeps them."""


def sweep(config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Each method with its own defaults until the text is forgotten."""
    ground = changed(config, **EARLY)
    chains = tuple(single(name, changed(ground, method=name)) for name in names or METHODS)
    return Sweep("attacks", chains, tuple(seeds))


def carry_out(
    store: RunStore,
    done: Sequence[Done],
    attacks: Sequence[Attack] | None = None,
    *,
    device: str = "auto",
    tell: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """These attacks, or those of `ATTACKED`, on every finished run.

    One that was carried out alike is not repeated.
    """
    # Late: what attacks runs loads torch.
    from unlearning.runs.stress.job import obstacle, target_of  # noqa: PLC0415

    found = []
    for one in done:
        if store.view(one.run_id).failed is not None:
            continue
        if (problem := obstacle(store, one.run_id)) is not None:
            tell(f"{one.cell}, seed {one.seed}: {problem}")
            continue
        model = target_of(store, one.run_id, None)
        reports = []
        for chosen in attacks or [attack(name)() for name in ATTACKED]:
            tell(f"{one.cell}, seed {one.seed}: {chosen.name}")
            report = _there(store, one, chosen, model) or _attack(
                store, chosen, model, device, tell
            )
            reports.append({k: value for k, value in report.items() if k not in LEFT_OUT})
        found.append({"cell": one.cell, "seed": one.seed, "reports": reports})
    return found


def _there(store: RunStore, one: Done, attack: Attack, model: str) -> dict[str, Any] | None:
    """The report of this very attack, where the run has it."""
    settings = attack.model_dump(mode="json")
    for report in store.attacks(one.run_id):
        same = (report["attack"], report["settings"]) == (attack.name, settings)
        if same and report["models"]["unlearned"] == model:
            return report
    return None


def _attack(
    store: RunStore, attack: Attack, model: str, device: str, tell: Callable[[str], None]
) -> dict[str, Any]:
    # Late: loads torch.
    from unlearning.runs.stress import execute  # noqa: PLC0415

    report = execute.carry_out(store, attack, execute.Target(model), device=device, tell=tell)
    # Nobody raises a stop flag here: the sweep is interrupted as a whole.
    assert report is not None
    return report.model_dump(mode="json")
