"""What a run sets out with, before any model is loaded: its texts, or where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.data.roles import companions, only_measured, without
from unlearning.data.sources import load
from unlearning.errors import UserError
from unlearning.runs.store import RunStore

ROLES: tuple[Role, ...] = ("forget", "retain", "generic", "holdout")


def gather_texts(
    config: RunConfig,
    given: Mapping[Role, Sequence[Example]] | None = None,
    stdin: TextIO | None = None,
    base: str | None = None,
) -> tuple[dict[Role, list[Example]], list[str]]:
    """The examples of every role, and notices about what was done to them.

    `given` are texts already read (pasted or uploaded); they win over the configuration's source.
    `base` is the model below a `run:ID`, where the configuration names one.

    Raises:
        UserError: a source cannot be read, or the forget text is empty.
    """
    automatic = companions(config.forget, base or config.model)
    texts: dict[Role, list[Example]] = {}
    notices: list[str] = []
    for role in ROLES:
        source = getattr(config, role)
        if given and given.get(role):
            texts[role] = list(given[role])
        elif source == "auto" and role in automatic:
            try:
                texts[role] = load(automatic[role], notices=notices)
            except UserError as error:
                if role != "holdout":
                    raise
                # Only the level hangs on it, and copies of benchmarks often lack it.
                notices.append(f"No holdout text could be had: {error.message}")
        elif source not in ("auto", "none", ""):
            texts[role] = load(source, stdin=stdin, notices=notices)
    # Model utility needs wrong answers to what is kept; without them the rest is read for nothing.
    measurable = any(example.perturbed_answers for example in texts.get("retain", ()))
    for role, source in only_measured(config.forget).items() if measurable else ():
        try:
            texts[role] = load(source, notices=notices)
        except UserError as error:
            notices.append(f"Model utility cannot be measured: {error.message}")
    if not texts.get("forget"):
        raise UserError("There is no text to forget.", "Paste some, or name a file or preset.")
    for role in ("retain", "generic"):
        if role in texts:
            texts[role], dropped = without(texts[role], texts["forget"])
            if dropped:
                notices.append(
                    f"{dropped} {role} text(s) also stand in the forget text and were left out."
                )
    return {role: examples for role, examples in texts.items() if examples}, notices


def kept_step(store: RunStore, run_id: str, wanted: str = "") -> int:
    """The snapshot that stands for a run: the one asked for, else the last of its way.

    Raises:
        UserError: there is no such snapshot.
    """
    saved = store.snapshots(run_id)
    if wanted:
        if wanted not in map(str, saved):
            there = ", ".join(map(str, saved)) or "none"
            raise UserError(
                f"Run {run_id} has no snapshot of step {wanted[:12]!r}.", f"It has: {there}."
            )
        return int(wanted)
    if not saved:
        raise UserError(
            f"Run {run_id} has no snapshot yet.", "Wait for its first one, or run it again."
        )
    # Snapshots beyond are of what was rolled back.
    reached = store.view(run_id).step
    return max((step for step in saved if step <= reached), default=saved[0])


def check_left(store: RunStore, run_id: str, steps: int | None, step: int | None = None) -> None:
    """Whether a run can go on, to `steps` in all; from `step` where it is given.

    Raises:
        UserError: there is nothing to go on from or to.
    """
    if not store.snapshots(run_id):
        raise UserError("This run has no snapshot to go on from.", "Start it again.")
    done = kept_step(store, run_id, "" if step is None else str(step))
    view = store.view(run_id)
    wanted = steps or view.steps
    finished = view.ended is not None and view.ended.status == "finished"
    if wanted < done or (finished and wanted == done):
        raise UserError(
            f"This run has done {done} of {wanted} steps already.",
            f"Give it more than {done} steps.",
        )
