"""The merged model of a run, written by the worker: what was asked, and how far it is.

    RUNS/ID/exports/job.json   what was asked, where it stands
    RUNS/ID/exports/merged/    the model folder, once it is complete

It stands in the same queue as the runs, under a name of its own, so that one device does one
thing at a time. It outlives page and worker, and goes with the run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from unlearning.errors import UserError
from unlearning.runs.events import Failed
from unlearning.runs.prepare import kept_step
from unlearning.runs.store import RunStore, write_atomically

SUFFIX = "-merge"
INTERRUPTED = Failed(
    message="The merged model was not written: the worker process ended.", hint="Ask for it again."
)


class MergeJob(BaseModel):
    """A merged model asked for."""

    model_config = ConfigDict(frozen=True)

    target: str
    """ID@STEP."""
    state: Literal["queued", "running", "finished", "failed"] = "queued"
    failed: Failed | None = None

    @property
    def live(self) -> bool:
        """Whether it waits or is being written."""
        return self.state in ("queued", "running")


def name_of(run_id: str) -> str:
    """What the queue calls the merged model of a run."""
    return run_id + SUFFIX


def exports_folder(store: RunStore, run_id: str) -> Path:
    """Where the job of an existing run is kept; made where it is not.

    Raises:
        UserError: no such run.
    """
    folder = store.folder(run_id) / "exports"
    folder.mkdir(exist_ok=True)
    return folder


def merged_folder(store: RunStore, run_id: str) -> Path:
    """Where the model stands once it is complete."""
    return store.folder(run_id) / "exports" / "merged"


def ready(store: RunStore, run: str) -> Path | None:
    """The folder of the merged model of `ID[@STEP]`, where it was written of those weights.

    Raises:
        UserError: as `asked`.
    """
    run_id, _, step = run.partition("@")
    wanted = f"{run_id}@{kept_step(store, run_id, step)}"
    job, folder = read(store, run_id), merged_folder(store, run_id)
    done = job is not None and job.state == "finished" and job.target == wanted
    return folder if done and folder.is_dir() else None


def read(store: RunStore, run_id: str) -> MergeJob | None:
    """The last one asked for, as it was left; None where there was none."""
    path = store.folder(run_id) / "exports" / "job.json"
    try:
        return MergeJob.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # or another version wrote it
        return None


def write(store: RunStore, run_id: str, job: MergeJob) -> None:
    """Keep the job in place of the last one."""
    write_atomically(exports_folder(store, run_id) / "job.json", job.model_dump_json())


def asked(store: RunStore, run_id: str, step: int | None = None) -> MergeJob:
    """The job for the kept weights, or for those of a snapshot.

    Raises:
        UserError: no such run or snapshot, or the method leaves no weights.
    """
    method = store.config(run_id).build_method()
    if method.artifact != "weights":
        raise UserError(
            f"{method.title} leaves a decoder, not weights, so there is nothing to merge.",
            "Export a run of another method.",
        )
    kept = kept_step(store, run_id, "" if step is None else str(step))
    return MergeJob(target=f"{run_id}@{kept}")
