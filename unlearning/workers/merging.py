"""Write one merged model: how far it is and how it ended stand in the job that the run keeps."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable

from unlearning.exports import merging as jobs
from unlearning.runs.store import RunStore
from unlearning.workers.base import Backend
from unlearning.workers.failures import explain, free_memory, out_of_memory
from unlearning.workers.presence import claim


def execute_merge(store: RunStore, open_backend: Callable[[], Backend], run_id: str) -> None:
    """Write the merged model that waits for the run.

    Raises:
        UserError: there is no such run, or another process writes it.
    """
    folder = jobs.exports_folder(store, run_id)
    with claim(folder):
        job = jobs.read(store, run_id)
        if job is None or not job.live:
            return
        jobs.write(store, run_id, job.model_copy(update={"state": "running"}))
        for left in folder.glob(".merged-*"):  # of a worker that was killed
            shutil.rmtree(left, ignore_errors=True)
        draft, done = folder / f".merged-{secrets.token_hex(4)}", folder / "merged"
        backend = None
        try:
            backend = open_backend()
            backend.merge(job.target, draft)
            shutil.rmtree(done, ignore_errors=True)
            os.replace(draft, done)
            jobs.write(store, run_id, job.model_copy(update={"state": "finished"}))
        except Exception as error:
            ended = {"state": "failed", "failed": explain(error)}
            jobs.write(store, run_id, job.model_copy(update=ended))
            if backend is not None and out_of_memory(error):
                backend.release()
            free_memory(error)
        else:
            free_memory()
        finally:
            shutil.rmtree(draft, ignore_errors=True)
