"""`sweep`: chains of runs over seeds; what is finished is not run again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from unlearning.cli import tofu as tofu_words
from unlearning.cli import words
from unlearning.cli.acts import answer, config_of
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.events import Scores
from unlearning.runs.store import RunStore, write_atomically
from unlearning.sweeps import attacks, figures, presets, tofu
from unlearning.sweeps.base import Sweep
from unlearning.sweeps.claims import all as claims
from unlearning.sweeps.claims import search
from unlearning.sweeps.execute import Done, carry_out
from unlearning.sweeps.line import line_to_reach

SWEEPS: dict[str, Callable[..., Sweep]] = {
    "claims": claims.sweep,
    "claims-search": search.sweep,
    "sequential": presets.sequential,
    "growing": presets.growing,
    "tofu": tofu.sweep,
    "attacks": attacks.sweep,
}
"""Sweeps that have a name; all are made from ground, methods, seeds and a folder for texts."""


def sweep(chosen: argparse.Namespace) -> int:
    """Run what is missing, then one table of everything."""
    store, ground = RunStore(chosen.runs), _ground(chosen)
    whole = _asked(chosen, ground, store.path / presets.PARTS)
    asked = whole.only(chosen.only) if chosen.only else whole
    done = carry_out(
        store,
        asked,
        device=chosen.device,
        jobs=chosen.jobs,
        tell=words.tell,
        whole_panel=chosen.whole_panel,
    )
    rows = figures.rows(store, done)
    found = {
        "sweep": asked.name,
        "rows": figures.as_json(rows),
        "level": figures.level(store, done),
    }
    if chosen.preset == "tofu":
        found["tofu"] = tofu.table(
            store, ground, done, texts=chosen.texts, device=chosen.device, tell=words.tell
        )
    elif line := line_to_reach(store, ground, _original(store, done), chosen.device):
        found["retrained"] = line
    if chosen.preset == "claims":
        found["claims"] = claims.judged(store, whole, rows)
    if chosen.preset == "claims-search":
        found["best"] = search.chosen_of(rows)
    if chosen.preset == "attacks":
        found["attacks"] = attacks.carry_out(store, done, device=chosen.device, tell=words.tell)
    if chosen.out:
        write_atomically(Path(chosen.out), json.dumps(found, indent=1) + "\n")
    page = words.sweep_page(found, *figures.as_cells(rows))
    answer(chosen, found, "\n\n".join(filter(None, [page, *_more(found)])))
    return 1 if any("failed" in row.ends for row in rows) else 0


def _more(found: Mapping[str, Any]) -> Iterator[str]:
    """What a benchmark or an attack adds to the table."""
    if "tofu" in found:
        yield words.table(*tofu_words.text_rows(found["tofu"]))
        yield "\n".join(tofu_words.reasons(found["tofu"]))
    for one in found.get("attacks", ()):
        told = [f"{one['cell']}, seed {one['seed']}"]
        told += [f"  {report['attack']}: {report['verdict']}" for report in one["reports"]]
        yield "\n".join(told)


def _original(store: RunStore, done: Sequence[Done]) -> Scores:
    """Scores of what the first run set out from."""
    return store.view(done[0].run_id).scores.get("original", {}) if done else {}


def _asked(chosen: argparse.Namespace, ground: RunConfig, folder: Path) -> Sweep:
    names = tuple(METHODS) if chosen.methods == ("all",) else chosen.methods or ()
    if chosen.preset is None and not names:
        raise UserError(
            "The sweep names nothing to run.", "Give --preset NAME, or --methods a,b or all."
        )
    make = SWEEPS[chosen.preset] if chosen.preset else presets.methods
    return make(ground, names, chosen.seeds, folder)


def _ground(chosen: argparse.Namespace) -> RunConfig:
    """What all runs of a sweep share."""
    config = config_of(chosen)
    return config if chosen.world is None else presets.on_world(config, Path(chosen.world))
