"""Push a run's adapter or its merged model to the Hugging Face Hub: only where somebody asks.

The token is used for this one push and kept nowhere; no message repeats it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from unlearning.errors import UserError
from unlearning.exports.adapter import (
    SETTINGS,
    WEIGHTS,
    adapter_folder,
    adapter_settings,
    card,
)
from unlearning.runs.store import RunStore

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}\Z", re.ASCII)
MODEL = "config.json"
"""The file without which a folder is no model."""
PARTS = frozenset({".safetensors", ".json", ".jinja", ".txt", ".model"})
"""Endings of the files that make up a model and its tokenizer; nothing else is sent."""


def push(
    store: RunStore, run: str, repository: str, token: str | None = None, private: bool = True
) -> str:
    """Push adapter, settings and a card of `ID[@STEP]`; returns the address.

    `repository` is OWNER/NAME, made where it is not. Without a token that of the machine's own
    login is taken.

    Raises:
        UserError: the name, the token, the network, or the run has no adapter.
    """
    run_id, _, step = run.partition("@")
    folder = adapter_folder(store, run_id, step)
    check_name(repository)
    files = {
        WEIGHTS: folder / WEIGHTS,
        SETTINGS: adapter_settings(store, run_id, folder).encode(),
        "README.md": card(store, run_id).encode(),
    }
    return _send(files, run_id, repository, token, private)


def push_merged(
    store: RunStore,
    run: str,
    folder: Path,
    repository: str,
    token: str | None = None,
    private: bool = True,
) -> str:
    """Push the model folder that `ID[@STEP]` was merged into, with a card; returns the address.

    Raises:
        UserError: as `push`, or the folder holds no model.
    """
    check_name(repository)
    run_id = run.partition("@")[0]
    if not (folder / MODEL).is_file():
        raise UserError(
            f"The merged model of run {run_id} is not complete.", "Have it written again."
        )
    files: dict[str, Path | bytes] = {
        path.name: path
        for path in sorted(folder.iterdir())
        if path.suffix in PARTS and path.is_file() and not path.is_symlink()
    }
    # It may name a folder of this machine.
    settings = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    settings.pop("_name_or_path", None)
    files[MODEL] = json.dumps(settings, indent=2).encode()
    files["README.md"] = card(store, run_id, merged=True).encode()
    return _send(files, run_id, repository, token, private)


def check_name(repository: str) -> None:
    """Whether it is the name of a repository.

    Raises:
        UserError: it is not.
    """
    if not NAME.match(repository):
        raise UserError(
            f"{repository[:60]!r} is no repository of the Hub.", "Write it as OWNER/NAME."
        )


def _send(
    files: Mapping[str, Path | bytes],
    run_id: str,
    repository: str,
    token: str | None,
    private: bool,
) -> str:
    # Late: only this needs the Hub.
    import httpx  # noqa: PLC0415
    from huggingface_hub import CommitOperationAdd, HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled  # noqa: PLC0415

    api = HfApi(token=token or None, library_name="lethe")
    operations = [CommitOperationAdd(name, content) for name, content in files.items()]
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        api.create_commit(repository, operations, commit_message=f"Run {run_id}")
    except HfHubHTTPError as error:
        raise _refused(error) from None
    except OfflineModeIsEnabled:
        raise UserError(
            "The Hub is switched off here (HF_HUB_OFFLINE).", "Unset it, then push again."
        ) from None
    except (OSError, httpx.HTTPError):
        raise UserError(
            "The Hub cannot be reached from here.", "Check the connection, then push again."
        ) from None
    except ValueError:  # its own checks, of the name or of what the token may be made of
        raise UserError(
            "The Hub does not take this name or this token.", "Check both, then push again."
        ) from None
    return f"https://huggingface.co/{repository}"


def _refused(error: Exception) -> UserError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return UserError(
            "The Hub does not accept this token for this repository.",
            "Give a token with the right to write, from huggingface.co/settings/tokens.",
        )
    return UserError(
        f"The Hub answered with an error (status {status or 'unknown'}).", "Push again later."
    )
