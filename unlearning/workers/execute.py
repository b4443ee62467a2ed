"""Execute one run: drive the engine, write its log; whatever goes wrong is its last event."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

from unlearning.runs import turning
from unlearning.runs.events import AnyEvent, Ended, Stopped
from unlearning.runs.store import RunStore
from unlearning.workers.base import Backend, Running
from unlearning.workers.failures import explain, free_memory, out_of_memory
from unlearning.workers.presence import claim

After = Callable[[AnyEvent, Running], None]


def execute(
    store: RunStore,
    open_backend: Callable[[], Backend],
    run_id: str,
    *,
    resume: bool = False,
    after: After = lambda event, engine: None,
) -> None:
    """Run or resume to the last event. `after` is called with each written event.

    Raises:
        UserError: there is no such run, or another process executes it.
    """
    with claim(store.folder(run_id)):
        store.mend(run_id)
        if store.stop_asked(run_id):
            end_unstarted(store, run_id)
            return
        config = backend = None
        try:
            config = store.config(run_id)
            backend = open_backend()
            _drive(store, backend, run_id, resume, after)
        except Exception as error:
            store.append(run_id, explain(error, config))
            if backend is not None and out_of_memory(error):
                backend.release()
            free_memory(error)
        else:
            free_memory()
        finally:
            store.clear_stop(run_id)


def _drive(store: RunStore, backend: Backend, run_id: str, resume: bool, after: After) -> None:
    engine = backend.engine(run_id)
    with closing(engine.events(resume=resume, stop=partial(store.stop_asked, run_id))) as events:
        for event in events:
            after(store.append(run_id, event), engine)


def end_unstarted(store: RunStore, run_id: str) -> None:
    """Stop a run that was waiting. One that had run before keeps the end it had."""
    if store.view(run_id).version == 0:
        message = "Stopped before its turn came."
        store.append(run_id, Stopped(step=0, why="asked", message=message))
        store.append(run_id, Ended(status="stopped", step=0))
    turning.clear(store, run_id)
    store.clear_stop(run_id)
