"""Models from the hub: looked up, fetched, every failure one clear sentence. No torch here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from unlearning.errors import UserError
from unlearning.models.folder import check_config, read_config, read_weights, refuse_pickled

WANTED = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
UNWANTED = ["*/*", "consolidated*", "*.index.fp32.json"]
TIMEOUT = 10.0


def cached(model: str) -> Path | None:
    """The folder of a model that was fetched completely before, or None."""
    try:
        folder = Path(
            snapshot_download(
                model, local_files_only=True, allow_patterns=WANTED, ignore_patterns=UNWANTED
            )
        )
        read_config(folder, model)
        read_weights(folder, model)
    except (LocalEntryNotFoundError, UserError, OSError):
        return None
    return folder


def fetch(model: str) -> Path:
    """The folder of a model, fetched if need be; pickled weights are refused before that.

    Raises:
        UserError: there is no such model, it is private or gated, it cannot be reached, or it is
            no causal language model with safetensors.
    """
    folder = cached(model)
    if folder is not None:
        return folder
    look_up(model)
    with _explained(model):
        return Path(snapshot_download(model, allow_patterns=WANTED, ignore_patterns=UNWANTED))


def look_up(model: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Configuration, and file name to bytes, without fetching the weights.

    Raises:
        UserError: as `fetch`.
    """
    with _explained(model):
        info = HfApi().model_info(model, files_metadata=True, timeout=TIMEOUT)
        files = {file.rfilename: file.size or 0 for file in info.siblings or []}
    if "config.json" not in files:
        raise UserError(
            f"{model} has no config.json, so it is not a model that can be loaded.",
            "Choose the id of a causal language model.",
        )
    with _explained(model):
        file = hf_hub_download(model, "config.json", etag_timeout=TIMEOUT)
    try:
        config = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"The config.json of {model} is broken.", "Choose another model."
        ) from error
    check_config(config, model)
    refuse_pickled(list(files), model)
    return config, files


@contextmanager
def _explained(model: str) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        raise UserError(
            f"{model} is gated: its authors ask you to accept their terms first.",
            "Accept them on the model's page and log in with: hf auth login",
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"There is no model {model} on the hub, or it is private.",
            "Check the spelling; for a private one log in with: hf auth login",
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise _unreachable(model) from error
    except EntryNotFoundError as error:
        raise UserError(f"{model} lacks a file it should have.", "Choose another model.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise UserError(
                f"The hub gives no access to {model}: it is private, or the login has expired.",
                "Log in with: hf auth login",
            ) from error
        raise UserError(
            f"The hub answered {status} for {model}.", "Try again in a few minutes."
        ) from error
    except HTTPError as error:  # no answer at all
        raise _unreachable(model) from error
    except OSError as error:
        raise UserError(
            f"{model} could not be fetched: {error}.", "Check the network and the free disk space."
        ) from error


def _unreachable(model: str) -> UserError:
    return UserError(
        f"The hub cannot be reached, and {model} was not fetched before.",
        "Check the network, or name demo or a local folder.",
    )
