"""The TOFU sweep: methods on a model that was taught the authors, and the benchmark's table.

Maini et al. 2024 (arXiv:2401.06121), section 2.2. Unless fewer are asked for, every text of the
four evaluation sets is read, as OpenUnlearning does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.data.preset import parts
from unlearning.data.tofu import TOFU
from unlearning.data.world import MODELS
from unlearning.errors import UserError
from unlearning.runs.events import Started
from unlearning.runs.store import RunStore
from unlearning.sweeps.base import Sweep, changed, single
from unlearning.sweeps.execute import Done
from unlearning.sweeps.figures import how_it_ended
from unlearning.sweeps.tofu_bench import Bench

METHODS = (
    *("gradient_ascent", "grad_diff", "npo", "simnpo"),
    *("undial", "ngdiff", "mean_teacher", "idk_dpo"),
)
"""Methods of the sweep, unless others are named."""
SETTINGS = (
    *("forget", "steps", "learning_rate", "batch_size", "retain_batch_size", "lora_rank"),
    *("max_length", "probe_every", "snapshot_every"),
)
"""Settings of the runs that the command names where they are not the usual ones."""


def sweep(config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Each method for as many steps as asked, whatever comes of it.

    Raises:
        UserError: no model that was taught TOFU, or none that was taught all but the forget text.
    """
    if config.model in MODELS:
        raise UserError(
            f"The model {config.model} knows nothing of TOFU.",
            "Teach one with finetune --data preset:tofu/full, and name it with --model.",
        )
    if config.retrained in ("auto", "none", ""):
        raise UserError(
            "Forget quality compares with a model that was never taught the forget text.",
            "Teach one with finetune --data preset:tofu/retain90, and name it with --retrained.",
        )
    onwards = {"stop_on_collapse": False, "stop_when_forgotten": False}
    ground = changed(config, forget=forget_of(config), **onwards)
    chains = tuple(single(name, changed(ground, method=name)) for name in names or METHODS)
    return Sweep("tofu", chains, tuple(seeds))


def forget_of(config: RunConfig) -> str:
    """The chosen forget split with its alternative answers; forget10 where none is chosen."""
    name, split, _ = parts(config.forget)
    if not config.forget.startswith("preset:") or name != TOFU.name:
        split = TOFU.default
    return f"preset:{TOFU.name}/{(split or TOFU.default).removesuffix('_perturbed')}_perturbed"


def table(
    store: RunStore,
    config: RunConfig,
    done: Sequence[Done],
    *,
    texts: int | None = None,
    device: str = "auto",
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """The benchmark's figures of the taught model, the retrained one, and every finished run.

    `texts` of each set are read, spread evenly over it; all where it is None. What was
    measured of a model is kept beside the runs and not measured again.
    """
    bench = Bench(store, changed(config, forget=forget_of(config), device=device), texts, tell)
    rows = [bench.row("taught everything", [config.model])]
    rows.append(bench.row("never taught it", [config.retrained]))
    cells: dict[str, list[Done]] = {}
    done = [one for one in done if store.view(one.run_id).failed is None]
    for one in done:
        cells.setdefault(one.cell, []).append(one)
    for cell, runs in cells.items():
        rows.append(bench.row(cell, [f"run:{one.run_id}" for one in runs]) | _story(store, runs))
    return {
        "command": _command(config, done, texts),
        "parameters": next((_started(store, one).parameters for one in done), None),
        "forget": parts(bench.config.forget)[1],
        "taught": [_recipe(model) for model in (config.model, config.retrained)],
        "counts": {r: min(bench.count, len(found)) for r, found in bench.texts.items()},
        "whole": bench.count >= max(map(len, bench.texts.values())),
        "rows": rows,
    }


def _story(store: RunStore, runs: Sequence[Done]) -> dict[str, Any]:
    """How the runs of a cell were set and how they went."""
    views, started = [store.view(one.run_id) for one in runs], _started(store, runs[0])
    return {
        "seeds": [one.seed for one in runs],
        "ended": [how_it_ended(view) for view in views],
        "steps": [view.step for view in views],
        "learning_rate": started.learning_rate,
        "batch_size": started.settings["batch_size"],
    }


def _started(store: RunStore, one: Done) -> Started:
    """What a run set out with; a run that ended well has always said so."""
    started = store.view(one.run_id).started
    assert started is not None
    return started


def _command(config: RunConfig, done: Sequence[Done], texts: int | None) -> str:
    """The command that makes the table, models by the names of their folders."""
    words = ["python -m unlearning sweep --preset tofu"]
    words += [f"--model {Path(config.model).name} --retrained {Path(config.retrained).name}"]
    cells = tuple(dict.fromkeys(one.cell for one in done))
    words += [f"--methods {','.join(cells)}"] if cells != METHODS else []
    usual = RunConfig()
    words += [
        f"--{name.replace('_', '-')} {getattr(config, name)}"
        for name in SETTINGS
        if getattr(config, name) != getattr(usual, name)
    ]
    words += [f"--texts {texts}"] if texts else []
    seeds = ",".join(str(seed) for seed in dict.fromkeys(one.seed for one in done))
    return " ".join([*words, f"--seeds {seeds} --out docs/tofu.json"])


def _recipe(model: str) -> dict[str, Any] | None:
    """How a model was taught, where `finetune` left its note; names of folders alone."""
    path = Path(model).expanduser() / "finetune.json"
    if not path.is_file():
        return None
    noted = json.loads(path.read_text(encoding="utf-8"))
    kept = ("data", "epochs", "steps", "learning_rate", "batch_size", "first_loss", "loss")
    own = {name: noted[name] for name in (*kept, "memorization_accuracy", "seed")}
    return own | {"model": Path(noted["model"]).name, "name": Path(model).name}
