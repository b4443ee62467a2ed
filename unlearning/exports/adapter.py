"""The adapter of a run as peft reads it, packed. Needs no torch."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from unlearning.errors import UserError
from unlearning.runs.prepare import kept_step
from unlearning.runs.store import RunStore

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"


def adapter_folder(store: RunStore, run_id: str, step: str = "") -> Path:
    """Folder of the kept adapter, or of that of a snapshot.

    Raises:
        UserError: no such run or snapshot, or the run made no adapter.
    """
    config = store.config(run_id)
    method = config.build_method()
    if method.artifact != "weights":
        raise UserError(
            f"{method.title} leaves a decoder, not weights, so there is no adapter to export.",
            "Export a run of another method.",
        )
    if config.full:
        raise UserError(
            "This run trained all parameters, so there is no adapter.",
            "Export the merged model instead.",
        )
    snapshot = store.folder(run_id) / "snapshots" / f"step-{kept_step(store, run_id, step)}"
    # What the method handed over stands before the student: see runs/snapshots.py.
    found = next((f for f in (snapshot / "handed", snapshot / "student") if f.is_dir()), None)
    if found is None or not all((found / name).is_file() for name in (WEIGHTS, SETTINGS)):
        raise UserError(
            f"The snapshot of step {snapshot.name[5:]} holds no adapter.",
            "Choose another run.",
        )
    return found


def adapter_settings(store: RunStore, run_id: str, folder: Path) -> str:
    """`adapter_config.json`, with the model's name in place of a path on this machine."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = store.root_model(store.config(run_id).model)
    return json.dumps(settings, indent=2)


def pack_adapter(store: RunStore, run_id: str, target: Path, step: str = "") -> None:
    """Write a zip of weights and settings, with a note of what they are.

    Raises:
        UserError: as `adapter_folder`.
    """
    folder = adapter_folder(store, run_id, step)
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as packed:
        packed.write(folder / WEIGHTS, WEIGHTS)
        packed.writestr(SETTINGS, adapter_settings(store, run_id, folder))
        packed.writestr("README.md", card(store, run_id))


def pack_folder(folder: Path, target: Path) -> None:
    """Write a zip of a model folder; links are not followed."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                packed.write(path, path.relative_to(folder).as_posix())


def card(store: RunStore, run_id: str, *, merged: bool = False) -> str:
    """A short model card: what was done, with which settings; nothing of the texts."""
    config, view = store.config(run_id), store.view(run_id)
    base = store.root_model(config.model)
    method = config.build_method()
    chosen = ", ".join(f"{k} {v}" for k, v in method.model_dump(mode="json").items())
    steps = view.started.steps if view.started else config.steps
    rate = view.started.learning_rate if view.started else config.learning_rate
    what = "the whole model, ready to be loaded" if merged else "the adapter; it needs its base"
    return (
        "---\ntags:\n- machine-unlearning\n- lethe\n---\n\n"
        f"# Unlearned with {method.title}\n\n"
        f"- contents: {what}\n- base model: `{base}`\n- method: {method.title} ({method.paper})\n"
        f"- hyperparameters: {chosen or 'none'}\n"
        f"- steps kept: {view.step} of {steps}; learning rate {rate}; seed {config.seed}\n"
        f"- run: {run_id}, ended as {view.status}\n\n"
        "Made with Lethe. Unlearning by fine-tuning may be undone by further training; measure "
        "before you rely on it.\n"
    )
