"""`export` and `report`: what can be taken away of a run."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from unlearning.cli.acts import answer
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.adapter import pack_adapter
from unlearning.exports.papers import bibtex
from unlearning.exports.report import report_html
from unlearning.exports.settings import settings_json
from unlearning.exports.tables import curves_csv, metrics_csv
from unlearning.exports.tracking import log_to_trackio
from unlearning.runs.store import RunStore

TEXTS: dict[str, tuple[str, Callable[[RunStore, str, str], str]]] = {
    "settings": (
        "settings and figures as JSON",
        lambda store, run_id, command: settings_json(store, run_id, command),
    ),
    "curves": ("every curve as CSV", lambda store, run_id, _: curves_csv(store.view(run_id))),
    "scores": ("every metric as CSV", lambda store, run_id, _: metrics_csv(store.view(run_id))),
    "bibtex": (
        "the method's paper",
        lambda store, run_id, _: bibtex([store.config(run_id).method]),
    ),
}
"""Flag to what it writes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """One flag for each thing that can be taken away; at least one is needed."""
    parser.add_argument("id", metavar="ID[@STEP]")
    parser.add_argument("--merged", metavar="DIR", help="base and adapter as an ordinary model")
    parser.add_argument("--adapter", metavar="FILE.zip", help="the adapter as peft reads it")
    for flag, (told, _) in TEXTS.items():
        parser.add_argument(f"--{flag}", metavar="FILE", help=told)
    parser.add_argument(
        "--hub",
        metavar="OWNER/NAME",
        help="push the adapter to the Hub, with the token in HF_TOKEN or of your login",
    )
    parser.add_argument(
        "--hub-merged", metavar="OWNER/NAME", help="push the merged model in the same way"
    )
    parser.add_argument(
        "--public", action="store_true", help="make that repository public (default: private)"
    )
    parser.add_argument("--trackio", metavar="PROJECT", help="log the curves to Trackio")


def export(chosen: argparse.Namespace) -> int:
    """`export`: everything that its flags name."""
    store, run_id = RunStore(chosen.runs), chosen.id.partition("@")[0]
    store.folder(run_id)
    done: dict[str, str] = {}
    for flag, (_, write) in TEXTS.items():
        if getattr(chosen, flag):
            text = write(store, run_id, store.command(run_id, str(chosen.runs)))
            done[flag] = _written(getattr(chosen, flag), text)
    if chosen.adapter:
        done["adapter"] = _adapter(store, chosen)
    if chosen.merged:
        done["folder"] = _merged(store, chosen)
    if chosen.hub:
        # Late: imports the Hub's library.
        from unlearning.exports.hub import push  # noqa: PLC0415

        token = os.environ.get("HF_TOKEN")
        done["hub"] = push(store, chosen.id, chosen.hub, token, not chosen.public)
    if chosen.hub_merged:
        done["hub_merged"] = _hub_merged(store, chosen)
    if chosen.trackio:
        steps = log_to_trackio(store, run_id, chosen.trackio)
        done["trackio"] = f"{steps} steps in project {chosen.trackio}"
    if not done:
        flags = ", ".join(f"--{name}" for name in (
            "merged", "adapter", *TEXTS, "hub", "hub-merged", "trackio"))  # fmt: skip
        raise UserError("It is not said what to export.", f"Give one of: {flags}.")
    answer(chosen, done, "\n".join(f"{what}: {where}" for what, where in done.items()))
    return 0


def report(chosen: argparse.Namespace) -> int:
    """`report`: one HTML file that opens offline."""
    store = RunStore(chosen.runs)
    text = report_html(store, chosen.id, store.command(chosen.id, str(chosen.runs)))
    path = _written(chosen.out, text)
    answer(chosen, {"file": path}, f"written to {path}")
    return 0


def _written(name: str, text: str) -> str:
    path = Path(name).expanduser()
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.", "Name another file."
        ) from None
    return str(path)


def _adapter(store: RunStore, chosen: argparse.Namespace) -> str:
    path = Path(chosen.adapter).expanduser()
    run_id, _, step = chosen.id.partition("@")
    try:
        pack_adapter(store, run_id, path, step)
    except FileExistsError:
        raise UserError(f"{path} exists.", "Name a new file.") from None
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.", "Name another file."
        ) from None
    return str(path)


def _hub_merged(store: RunStore, chosen: argparse.Namespace) -> str:
    """Push the merged model; it is written for that, unless the run keeps it already."""
    from unlearning.exports.hub import check_name, push_merged  # noqa: PLC0415

    check_name(chosen.hub_merged)
    token, private = os.environ.get("HF_TOKEN"), not chosen.public
    ready = merging.ready(store, chosen.id)
    if ready is not None:
        return push_merged(store, chosen.id, ready, chosen.hub_merged, token, private)
    # Late: torch is needed from here on only.
    from unlearning.runs.evaluation import export_merged  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="lethe-merged-") as scratch:
        folder = Path(scratch) / "model"
        export_merged(store, chosen.id, folder, chosen.device)
        return push_merged(store, chosen.id, folder, chosen.hub_merged, token, private)


def _merged(store: RunStore, chosen: argparse.Namespace) -> str:
    # Late: torch is needed from here on only.
    from unlearning.runs.evaluation import export_merged  # noqa: PLC0415

    folder = Path(chosen.merged).expanduser()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not empty.", "Name a new folder.")
    export_merged(store, chosen.id, folder, chosen.device)
    return str(folder)
