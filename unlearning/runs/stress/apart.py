"""Runs that an attack makes for itself: in a folder of their own, gone at its end.

    RUNS/ID/attacks/.apart-XXXX/    a folder of runs like RUNS itself

Nobody sees or counts them, and whoever may attack the run may have them made.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.runs.engine import Engine
from unlearning.runs.events import AnyEvent
from unlearning.runs.prepare import kept_step
from unlearning.runs.shelf import ModelShelf
from unlearning.runs.snapshots import keep_only
from unlearning.runs.store import RUN_ID, RunStore
from unlearning.runs.stress.job import APART, sweep_apart
from unlearning.runs.training import StopAskedError
from unlearning.workers.failures import free_memory
from unlearning.workers.presence import claim


class ApartStore(RunStore):
    """A folder of runs whose names may also mean runs of the folder around it."""

    def __init__(self, folder: Path, around: RunStore) -> None:
        super().__init__(folder)
        self._around = around

    def folder(self, run_id: str) -> Path:
        """As `RunStore.folder`; here first, then around."""
        here = RUN_ID.match(run_id) and (self.path / run_id).is_dir()
        return super().folder(run_id) if here else self._around.folder(run_id)


@contextmanager
def apart(store: RunStore, run_id: str) -> Iterator[ApartStore]:
    """A store of its own for an attack on the run; erased in the end, whatever happens."""
    sweep_apart(store, run_id)
    folder = store.folder(run_id) / "attacks" / f"{APART}{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    try:
        with claim(folder):
            yield ApartStore(folder, store)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def carried_out(
    store: ApartStore,
    config: RunConfig,
    texts: Mapping[Role, Sequence[Example]],
    *,
    device: str,
    stop: Callable[[], bool],
    after: Callable[[AnyEvent], None],
) -> str:
    """The id of a run from its first event to its last; of its weights the result alone is kept.

    Nothing is measured before and after it but what its own probes see.

    Raises:
        UserError: bad model, text or setting.
        StopAskedError: the stop flag went up; what there is of the run is no result.
    """
    run_id = store.create(config, texts)
    engine = Engine(store, run_id, ModelShelf(), device=device, asked={})
    with closing(engine.events(stop=stop)) as events:
        for event in events:
            after(store.append(run_id, event))
    # Engine and events refer to each other; the next run needs the room.
    del engine, events
    free_memory()
    if stop():
        raise StopAskedError
    keep_only(store.folder(run_id) / "snapshots", kept_step(store, run_id))
    return run_id
