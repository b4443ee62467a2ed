"""Back to an earlier step: to go on from there, or to keep it as the result of the run.

Asked by whoever lets a run go on, as a file of the run; the engine reads it once and takes it
away. So it holds for every worker, and a queue entry that is withdrawn leaves the run as it was.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unlearning.runs.store import RunStore, write_atomically


class Turn(BaseModel):
    """Where to, and what then."""

    model_config = ConfigDict(frozen=True)

    step: int = Field(ge=0)
    """A step with a snapshot."""
    keep: bool = False
    """Whether that step becomes the result; otherwise the run goes on from there and what lay
    beyond is dropped."""


def ask(store: RunStore, run_id: str, turn: Turn | None) -> None:
    """The run goes on from there; None means from its last snapshot."""
    clear(store, run_id)
    if turn is not None:
        write_atomically(_path(store, run_id), turn.model_dump_json())


def asked(store: RunStore, run_id: str) -> Turn | None:
    """What was asked last and not done yet."""
    try:
        return Turn.model_validate_json(_path(store, run_id).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValidationError):
        return None


def clear(store: RunStore, run_id: str) -> None:
    """Nothing is asked any more."""
    _path(store, run_id).unlink(missing_ok=True)


def _path(store: RunStore, run_id: str) -> Path:
    return store.folder(run_id) / "turn.json"
