"""Carry a sweep out. What is finished is not run again, what broke off goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.sweeps.base import Chain, Sweep, changed
from unlearning.sweeps.columns import FIGURES, asked
from unlearning.workers.backend import EngineBackend
from unlearning.workers.presence import claimed

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """One cell with one seed."""

    cell: str
    seed: int
    run_id: str
    first: str
    """The first run of its chain: what it began with is the original of all."""


def carry_out(
    store: RunStore,
    sweep: Sweep,
    *,
    device: str = "auto",
    jobs: int = 1,
    tell: Tell = print,
    whole_panel: bool = False,
) -> list[Done]:
    """Every chain with every seed, in the order of the sweep; `jobs` processes share the cores.

    A run that is made now measures what the table shows, or with `whole_panel` every metric.

    A chain whose run failed ends there; the next call tries it again.

    Raises:
        UserError: bad model, text or setting, before anything is run.
    """
    tasks = [(chain, seed) for chain in sweep.chains for seed in sweep.seeds]
    found: dict[int, list[Done]] = {}
    if jobs == 1:
        for place, (chain, seed) in enumerate(tasks):
            found[place] = follow(store, sweep.name, chain, seed, device, whole_panel)
            _tell_progress(tell, store, found[place], len(found), len(tasks))
    else:
        threads = max(1, (os.cpu_count() or 1) // jobs)
        with ProcessPoolExecutor(
            jobs, get_context("spawn"), initializer=_share_cores, initargs=(threads,)
        ) as pool:
            places = {
                pool.submit(
                    _follow_apart, store.path, sweep.name, chain, seed, device, whole_panel
                ): place
                for place, (chain, seed) in enumerate(tasks)
            }
            for future in as_completed(places):
                found[places[future]] = future.result()
                _tell_progress(tell, store, future.result(), len(found), len(tasks))
    return [done for place in sorted(found) for done in found[place]]


def follow(
    store: RunStore, sweep: str, chain: Chain, seed: int, device: str, whole_panel: bool
) -> list[Done]:
    """The runs of one chain."""
    wanted = None if whole_panel else asked(chain.figures or FIGURES)
    done: list[Done] = []
    for cell in chain.cells:
        start = {"model": f"run:{done[-1].run_id}"} if done else {}
        config = changed(cell.config, seed=seed, label=f"{sweep} · {cell.name}", **start)
        run_id = _finish(store, config, device, wanted)
        done.append(Done(cell.name, seed, run_id, done[0].run_id if done else run_id))
        if store.view(run_id).failed is not None:
            break
    return done


def _finish(
    store: RunStore, config: RunConfig, device: str, wanted: Mapping[str, Collection[str]] | None
) -> str:
    """The run of this configuration: as it is there, gone on with, or made."""
    # Late: loads torch.
    from unlearning.workers.inline import InlineWorker  # noqa: PLC0415

    worker = InlineWorker(store, device, open_backend=partial(EngineBackend, asked=wanted))
    for run_id in list(_of(store, config)):
        if store.view(run_id).ended is not None:
            return run_id
        if claimed(store.folder(run_id)):
            raise UserError(
                f"Run {run_id} of this sweep is being executed by another process.",
                "Wait for it, or stop it.",
            )
        if store.snapshots(run_id):
            store.clear_stop(run_id)
            worker.submit(run_id, resume=True)
            return run_id
        store.delete(run_id)
    texts, _ = gather_texts(config, base=store.root_model(config.model))
    run_id = store.create(config, texts)
    worker.submit(run_id)
    return run_id


def _of(store: RunStore, config: RunConfig) -> Iterator[str]:
    """Runs of this very configuration, whatever cell or call they were made for."""
    for run_id in store.ids():
        try:
            other = store.config(run_id)
        except UserError:  # damaged, or of another version of Lethe
            continue
        if other.hash() == config.hash() and _as_today(store, run_id, config):
            yield run_id


def _as_today(store: RunStore, run_id: str, config: RunConfig) -> bool:
    """Whether what the configuration leaves open would be decided alike again."""
    started = store.view(run_id).started
    if started is None:
        return True
    method = config.build_method()
    decided = {
        "learning_rate": config.learning_rate
        or method.defaults.rate(started.parameters, config.full),
        "steps": config.steps or method.defaults.steps,
        "batch_size": config.batch_size or method.defaults.batch_size,
        "retain_batch_size": config.retain_batch_size or method.defaults.retain_batch_size,
        "hyperparameters": method.model_dump(mode="json"),
    }
    return all(started.settings.get(name) == value for name, value in decided.items())


def _share_cores(threads: int) -> None:
    """Before torch is imported: more threads than cores wait for each other without end."""
    os.environ["OMP_NUM_THREADS"] = str(threads)


def _follow_apart(
    path: Path, sweep: str, chain: Chain, seed: int, device: str, whole_panel: bool
) -> list[Done]:
    return follow(RunStore(path), sweep, chain, seed, device, whole_panel)


def _tell_progress(tell: Tell, store: RunStore, done: list[Done], count: int, all_: int) -> None:
    for one in done:
        view = store.view(one.run_id)
        why = f": {view.failed.message}" if view.failed else ""
        tell(f"[{count}/{all_}] {one.cell}, seed {one.seed}: {view.status}{why} ({one.run_id})")
