"""The attack that a run waits for or undergoes: one at a time, in a folder of the run.

    RUNS/ID/attacks/job/job.json   what was asked, where it stands, what it told
    RUNS/ID/attacks/job/stop       present while a stop is asked for
    RUNS/ID/attacks/.apart-*/      runs that the attack makes for itself, gone at its end

It outlives page and worker. What the attack found is kept beside it as a report.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from unlearning.errors import UserError
from unlearning.runs.events import Failed
from unlearning.runs.store import RunStore, write_atomically
from unlearning.workers.presence import claimed

SUFFIX = "-attack"
APART = ".apart-"
"""Beginning of the folders of runs that an attack makes for itself."""
MOST_TOLD = 40
"""Lines of progress that are kept."""
JobState = Literal["queued", "running", "finished", "stopped", "failed"]
INTERRUPTED = Failed(
    message="The attack was cut short: the worker process ended.", hint="Start it again."
)


class AttackJob(BaseModel):
    """An attack asked for, and how far it is."""

    model_config = ConfigDict(frozen=True)

    attack: str
    settings: dict[str, bool | int | float | str | None]
    target: str
    """The attacked model: run:ID@STEP."""
    state: JobState = "queued"
    told: tuple[str, ...] = ()
    """Progress, oldest first."""
    failed: Failed | None = None

    @property
    def live(self) -> bool:
        """Whether it waits or is being carried out."""
        return self.state in ("queued", "running")

    def telling(self, message: str) -> AttackJob:
        """The same with one more line of progress."""
        return self.model_copy(update={"told": (*self.told, message)[-MOST_TOLD:]})

    def ended(self, state: JobState, failed: Failed | None = None) -> AttackJob:
        """The same, over."""
        return self.model_copy(update={"state": state, "failed": failed})


def name_of(run_id: str) -> str:
    """What the queue calls the attack on a run."""
    return run_id + SUFFIX


def run_of(name: str) -> str | None:
    """The attacked run, where the queue's name is an attack's and not a run's."""
    return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else None


def job_folder(store: RunStore, run_id: str) -> Path:
    """Where the job of an existing run is kept; made where it is not.

    Raises:
        UserError: no such run.
    """
    folder = store.folder(run_id) / "attacks" / "job"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read(store: RunStore, run_id: str) -> AttackJob | None:
    """The last attack asked for, as it was left; None where there was none."""
    path = store.folder(run_id) / "attacks" / "job" / "job.json"
    try:
        return AttackJob.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):  # or another version wrote it
        return None


def write(store: RunStore, run_id: str, job: AttackJob) -> None:
    """Keep the job in place of the last one."""
    write_atomically(job_folder(store, run_id) / "job.json", job.model_dump_json())


def ask_stop(store: RunStore, run_id: str) -> None:
    """Raise the stop flag."""
    (job_folder(store, run_id) / "stop").touch()


def stop_asked(store: RunStore, run_id: str) -> bool:
    """Whether the stop flag is up. Cheap: looked at every micro-batch and token."""
    return (store.path / run_id / "attacks" / "job" / "stop").exists()


def clear_stop(store: RunStore, run_id: str) -> None:
    """Take the stop flag down."""
    (job_folder(store, run_id) / "stop").unlink(missing_ok=True)


def end(store: RunStore, run_id: str, state: JobState, failed: Failed | None = None) -> None:
    """Write the end of a job that still waits or is under way; one that is over stays."""
    job = read(store, run_id)
    if job is not None and job.live:
        write(store, run_id, job.ended(state, failed))
    clear_stop(store, run_id)
    sweep_apart(store, run_id)


def sweep_apart(store: RunStore, run_id: str = "*") -> None:
    """Erase the runs of attacks on this run, or on any, that a killed process left behind."""
    for folder in store.path.glob(f"{run_id}/attacks/{APART}*"):
        if not claimed(folder):
            shutil.rmtree(folder, ignore_errors=True)


def obstacle(store: RunStore, run_id: str) -> UserError | None:
    """Why an ended run cannot be attacked, if so."""
    method = store.config(run_id).build_method()
    if method.artifact != "weights":
        return UserError(
            f"{method.title} leaves a decoder, not weights, so its weights cannot be attacked.",
            "Attack a run of another method.",
        )
    if not store.snapshots(run_id):
        return UserError("This run kept no weights that could be attacked.", "Attack another run.")
    return None


def target_of(store: RunStore, run_id: str, step: int | None) -> str:
    """The attacked model: of that step, or of the step that the run kept at its end.

    Raises:
        UserError: there is nothing to attack, or no snapshot of that step.
    """
    problem = obstacle(store, run_id)
    if problem is not None:
        raise problem
    kept = store.snapshots(run_id)
    if step is not None and step not in kept:
        raise UserError(
            f"Run {run_id} has no snapshot of step {step}.",
            f"Choose from: {', '.join(map(str, kept))}.",
        )
    ended = store.view(run_id).ended
    last = ended.step if ended is not None and ended.step in kept else kept[-1]
    return f"run:{run_id}@{last if step is None else step}"


def steps_of(store: RunStore, target: str) -> int:
    """Steps that a run like the attacked one takes: all that its settings ask for.

    Where an earlier snapshot is attacked, or the run was stopped by hand, those of the snapshot.
    """
    run_id, _, step = target.removeprefix("run:").partition("@")
    config, ended = store.config(run_id), store.view(run_id).ended
    taken = int(step) if step.isdigit() else ended.step if ended is not None else 0
    if ended is None or ended.status == "stopped" or taken < ended.step:
        return taken
    return config.steps or config.build_method().defaults.steps


def asked(attack: Any, target: str) -> AttackJob:
    """The job of an attack with its settings."""
    settings: Mapping[str, Any] = attack.model_dump(mode="json")
    return AttackJob(attack=attack.name, settings=dict(settings), target=target)
