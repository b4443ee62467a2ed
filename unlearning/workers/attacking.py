"""Carry one attack out: its progress and its end stand in the job that the run keeps."""

from __future__ import annotations

from collections.abc import Callable

from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.workers.base import Backend
from unlearning.workers.failures import explain, free_memory, out_of_memory
from unlearning.workers.presence import claim


def execute_attack(
    store: RunStore,
    open_backend: Callable[[], Backend],
    run_id: str,
    *,
    after: Callable[[], object] = lambda: None,
) -> None:
    """Carry out the attack that waits for the run. `after` is called with each line of progress.

    Raises:
        UserError: there is no such run, or another process attacks it.
    """
    with claim(jobs.job_folder(store, run_id)):
        job = jobs.read(store, run_id)
        if job is None or not job.live:
            return
        if jobs.stop_asked(store, run_id):
            jobs.end(store, run_id, "stopped")
            return
        job = job.model_copy(update={"state": "running"})
        jobs.write(store, run_id, job)

        def tell(message: str) -> None:
            nonlocal job
            job = job.telling(message)
            jobs.write(store, run_id, job)
            after()

        backend = None
        try:
            backend = open_backend()
            done = backend.attack(
                run_id, job, tell=tell, stop=lambda: jobs.stop_asked(store, run_id)
            )
            jobs.end(store, run_id, "finished" if done else "stopped")
        except Exception as error:
            jobs.end(store, run_id, "failed", explain(error))
            if backend is not None and out_of_memory(error):
                backend.release()
            free_memory(error)
        else:
            free_memory()
