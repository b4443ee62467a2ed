"""Push a run's adapter to the Hugging Face Hub: only where somebody asks for it.

The token is used for this one push and kept nowhere; no message repeats it.
"""

from __future__ import annotations

import re

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
    if not NAME.match(repository):
        raise UserError(
            f"{repository[:60]!r} is no repository of the Hub.", "Write it as OWNER/NAME."
        )
    # Late: only this needs the Hub.
    import httpx  # noqa: PLC0415
    from huggingface_hub import CommitOperationAdd, HfApi  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled  # noqa: PLC0415

    api = HfApi(token=token or None, library_name="lethe")
    settings = adapter_settings(store, run_id, folder).encode()
    operations = [
        CommitOperationAdd(WEIGHTS, folder / WEIGHTS),
        CommitOperationAdd(SETTINGS, settings),
        CommitOperationAdd("README.md", card(store, run_id).encode()),
    ]
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
