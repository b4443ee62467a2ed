"""Work on a model outside a run: measure it, export it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.data.encode import encode
from unlearning.errors import UserError
from unlearning.metrics.base import Evidence, Metric
from unlearning.models.base import BASE, REFERENCE
from unlearning.models.versions import Versions
from unlearning.runs.measure import (
    PANEL_ROLES,
    Extent,
    TextSet,
    evidences,
    scores,
    with_others,
)
from unlearning.runs.prepare import kept_step
from unlearning.runs.shelf import open_model, origin
from unlearning.runs.store import RunStore


def evaluate_model(
    store: RunStore,
    config: RunConfig,
    texts: Mapping[Role, Sequence[Example]],
    metrics: Mapping[str, Metric],
    count: int,
) -> dict[str, Any]:
    """The panel on `config.model`, on the holdout text too, and on the retrained model.

    Returns `metrics`: stage ('model', 'holdout', 'retrained') to metric to role to score.
    """
    theirs: dict[str, Evidence] = {}
    found, extent = {}, Extent.of(count)
    if config.retrained not in ("auto", "none", ""):
        theirs = read_model(store, config, config.retrained, texts, metrics, extent)
        found["retrained"] = _scores(theirs, metrics)
        # Two models need not be held at a time.
        theirs = with_others({r: e.released() for r, e in theirs.items()})
    own = with_others(read_model(store, config, config.model, texts, metrics, extent), theirs)
    found = {"model": _scores(own, metrics), **found}
    if "holdout" in texts:
        # The same metrics as on the forget text, on text that was never seen.
        unseen = {"forget": texts["holdout"]}
        read = read_model(store, config, config.model, unseen, metrics, extent)
        found["holdout"] = _scores(read, metrics)
    return {"model": config.model, "metrics": found}


def read_model(
    store: RunStore,
    config: RunConfig,
    model: str,
    texts: Mapping[Role, Sequence[Example]],
    metrics: Mapping[str, Metric],
    extent: Extent,
) -> dict[str, Evidence]:
    """All that these metrics read of a model, by role, with the settings of a run."""
    loaded, versions = open_model(
        origin(store, model), lora_rank=1, device=config.device, dtype=config.dtype, seed=0
    )
    length = min(config.max_length, loaded.context_length)
    sets = [
        TextSet(role, examples, encode(examples, loaded.tokenizer, max_length=length))
        for role, examples in texts.items()
        if role in PANEL_ROLES
    ]
    # A run's result is compared with what it set out from; a plain model with nothing.
    original = BASE if versions.resolve(REFERENCE) != BASE else None
    return evidences(
        versions, REFERENCE, sets, loaded.tokenizer, lambda: False, metrics, extent, original
    )


def _scores(found: Mapping[str, Evidence], metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {
        name: {role: score.model_dump(mode="json") for role, score in by_role.items()}
        for name, by_role in scores(found, metrics).items()
    }


def export_merged(store: RunStore, run: str, folder: Path, device: str) -> None:
    """Write `ID[@STEP]` as an ordinary model folder with its tokenizer.

    Raises:
        UserError: no such run or snapshot, or the method leaves no weights.
    """
    run_id, _, wanted = run.partition("@")
    config = store.config(run_id)
    if config.build_method().artifact != "weights":
        raise UserError(
            f"{config.method} leaves a decoder, not weights, so there is nothing to merge.", ""
        )
    model = f"run:{run_id}@{kept_step(store, run_id, wanted)}"
    if config.full:
        loaded, _ = _open(store, model, config, device)
        shutil.copytree(origin(store, model).base, folder, dirs_exist_ok=True)
        loaded.tokenizer.save_pretrained(folder)
        return
    _, versions = _open(store, model, config, device)
    versions.merged(folder, REFERENCE)


def _open(store: RunStore, model: str, config: RunConfig, device: str) -> tuple[Any, Versions]:
    return open_model(
        origin(store, model),
        lora_rank=max(config.lora_rank, 1),
        device=device,
        dtype=config.dtype,
        seed=0,
    )
