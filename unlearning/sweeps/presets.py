"""The sweeps that have a name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unlearning.config import RunConfig
from unlearning.data.folds import folds
from unlearning.data.roles import companions
from unlearning.runs.prepare import gather_texts
from unlearning.sweeps.base import Cell, Chain, Sweep, changed, single
from unlearning.sweeps.folds import written

PARTS = "texts"
"""Folder beside the runs for parts of a forget text."""
REQUESTS = ("undial", "npo", "gradient_ascent")
"""Methods that requests in a row are tried with, unless others are named."""


def on_world(config: RunConfig, folder: Path) -> RunConfig:
    """The same on the texts and models of a world that `world --out FOLDER` made."""
    texts, models = folder / "world", folder / "models"
    return changed(
        config,
        model=str(models / "demo"),
        forget=str(texts / "forget.jsonl"),
        retain=str(texts / "retain.jsonl"),
        generic=str(texts / "general.jsonl"),
        holdout=str(texts / "holdout.jsonl"),
        retrained=str(models / "demo-retain"),
    )


def methods(config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """Each method on the whole forget text, with its own defaults."""
    chains = tuple(single(name, changed(config, method=name)) for name in names)
    return Sweep("methods", chains, tuple(seeds))


def sequential(
    config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path
) -> Sweep:
    """Four parts of the forget text, forgotten one after the other (MUSE: sustainability)."""
    quarters, config = parts(config, folder), settled(config)
    chains = tuple(
        Chain(
            tuple(
                Cell(f"{name}/request-{place}", changed(config, method=name, forget=part))
                for place, part in enumerate(quarters, 1)
            )
        )
        for name in names or REQUESTS
    )
    return Sweep("sequential", chains, tuple(seeds))


def growing(config: RunConfig, names: Sequence[str], seeds: Sequence[int], folder: Path) -> Sweep:
    """One, two, three and four quarters of the forget text at once (MUSE: scalability)."""
    quarters, config = parts(config, folder, growing=True), settled(config)
    chains = tuple(
        single(f"{name}/{place}-quarters", changed(config, method=name, forget=part))
        for name in names or REQUESTS
        for place, part in enumerate(quarters, 1)
    )
    return Sweep("growing", chains, tuple(seeds))


def settled(config: RunConfig) -> RunConfig:
    """With the sources that `auto` means: a part of a preset no longer names its companions."""
    automatic = companions(config.forget, config.model)
    texts = {role: automatic.get(role, "auto") for role in ("retain", "generic", "holdout")}
    chosen = {role: source for role, source in texts.items() if getattr(config, role) == "auto"}
    known = config.model == "demo" and config.forget == "preset:world/forget"
    if config.retrained == "auto" and known:
        # It never saw the whole, so it never saw a part.
        chosen["retrained"] = "demo-retain"
    return changed(config, **chosen)


def parts(config: RunConfig, folder: Path, growing: bool = False) -> list[str]:
    """Sources of the quarters of the forget text; growing: of the first, the first two, ..."""
    texts, _ = gather_texts(config)
    found = folds(texts["forget"])
    if growing:
        found = [sum(found[:count], []) for count in range(1, len(found) + 1)]
    return [written(part, folder) for part in found]
