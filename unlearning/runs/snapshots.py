"""Snapshots: everything a run needs to go on, written beside and renamed when complete.

    snapshots/reference/        the taught adapter, where the run taught first
    snapshots/step-N/student/   adapter or full weights, in the libraries' own formats
    snapshots/step-N/state.safetensors, state.json   optimizer, method, cursors, collapse history
    snapshots/step-N/handed/    what the method made of that step, where it is not the student

Tensors are safetensors, the rest is JSON: nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from unlearning.methods.base import MethodState
from unlearning.models.base import STUDENT
from unlearning.models.versions import Versions

HANDED = "handed"
BUDGET_BYTES = 4 * 2**30
"""Above this, the oldest snapshots of a run make room."""


def save(
    folder: Path,
    step: int,
    versions: Versions,
    optimizer: Optimizer,
    state: MethodState,
    rest: dict[str, Any],
    watched: str = STUDENT,
) -> None:
    """Write `folder`/step-N. `rest` is JSON: cursors, collapse history, learning rate.

    `watched` is the version that the step stands for, kept beside the student where it is another.
    """
    target = folder / f"step-{step}"
    draft = folder / f".step-{step}-{secrets.token_hex(3)}"
    draft.mkdir(parents=True)
    versions.save(STUDENT, draft / STUDENT)
    if watched != STUDENT:
        versions.save(watched, draft / HANDED)
    tensors, optimizer_rest = _flatten(optimizer.state_dict())
    for name, tensor in state.state_dict()["tensors"].items():
        tensors[f"method/{name}"] = tensor.cpu().contiguous()
    save_file(tensors, draft / "state.safetensors")
    content = {"step": step, "optimizer": optimizer_rest, "method": state.values, **rest}
    (draft / "state.json").write_text(json.dumps(content), encoding="utf-8")
    if target.exists():
        shutil.rmtree(target)
    os.replace(draft, target)


def load(
    folder: Path, step: int, versions: Versions, optimizer: Optimizer, state: MethodState
) -> dict[str, Any]:
    """Restore `folder`/step-N in place; returns the `rest` that was saved."""
    source = folder / f"step-{step}"
    versions.load_saved(source / STUDENT, STUDENT)
    tensors = load_file(source / "state.safetensors")
    content = json.loads((source / "state.json").read_text(encoding="utf-8"))
    optimizer.load_state_dict(_unflatten(tensors, content.pop("optimizer")))
    prefix = "method/"
    state.load_state_dict(
        {
            "values": content.pop("method"),
            "tensors": {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)},
        }
    )
    return content


def hand_over(folder: Path, step: int, versions: Versions, version: str) -> None:
    """Keep a version as the result of step N; the student stays for going on."""
    versions.save(version, folder / f"step-{step}" / HANDED)


def result(folder: Path, step: int) -> Path:
    """The weights that step N stands for: those handed over, else the student."""
    handed = folder / f"step-{step}" / HANDED
    return handed if handed.is_dir() else handed.with_name(STUDENT)


def drop_after(folder: Path, step: int) -> None:
    """Delete the snapshots of later steps: the run takes another way from here."""
    for path in folder.glob("step-*"):
        if int(path.name[5:]) > step:
            shutil.rmtree(path)


def keep_only(folder: Path, step: int) -> None:
    """Delete every other snapshot: nobody will go back to one."""
    for path in folder.glob("step-*"):
        if int(path.name[5:]) != step:
            shutil.rmtree(path)


def sweep(folder: Path) -> None:
    """Erase drafts that a killed process left. The caller alone executes the run."""
    for draft in [*folder.glob(".*"), *folder.glob("step-*/.*")]:
        shutil.rmtree(draft, ignore_errors=True)


def make_room(folder: Path, keep: set[int], budget: int = BUDGET_BYTES) -> list[int]:
    """Delete the oldest snapshots beyond the budget, never those in `keep`; returns them."""
    sizes = {
        int(path.name[5:]): sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
        for path in folder.glob("step-*")
    }
    dropped = []
    for step in sorted(sizes):
        if sum(sizes.values()) <= budget:
            break
        if step not in keep:
            shutil.rmtree(folder / f"step-{step}")
            del sizes[step]
            dropped.append(step)
    return dropped


def _flatten(saved: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """An optimizer's state as flat tensors and JSON."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for index, entries in saved["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{name}"] = value.detach().cpu().contiguous()
            else:
                plain.setdefault(str(index), {})[name] = value
    groups = [
        {k: v for k, v in group.items() if isinstance(v, bool | int | float | list | tuple | None)}
        for group in saved["param_groups"]
    ]
    return tensors, {"groups": groups, "plain": plain}


def _unflatten(tensors: dict[str, Tensor], rest: dict[str, Any]) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for index, entries in rest["plain"].items():
        state.setdefault(int(index), {}).update(entries)
    for key, tensor in tensors.items():
        if key.startswith("optimizer/"):
            _, index, name = key.split("/", 2)
            state.setdefault(int(index), {})[name] = tensor.clone()
    return {"state": state, "param_groups": rest["groups"]}
