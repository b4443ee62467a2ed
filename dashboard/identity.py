"""Who is at the browser: a random key that it keeps, and that owns the runs it starts."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

import gradio as gr

from unlearning.errors import UserError


def secret_of(runs: Path) -> str:
    """The secret under which browsers keep their key; one for the life of a runs folder.

    A new one at every start would leave every owner a stranger to their own runs.

    Raises:
        UserError: the folder cannot be written.
    """
    path = runs / ".secret"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}.", "Name another folder with --runs."
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        secret = secrets.token_urlsafe(24)
        file.write(secret)
    return secret


def browser_key(secret: str) -> gr.BrowserState:
    """The component that holds the key; empty until the first visit gives it one."""
    name = sha256(b"lethe storage\0" + secret.encode()).hexdigest()[:12]
    return gr.BrowserState("", storage_key=f"lethe-{name}", secret=secret)


def new_key() -> str:
    """An unguessable key."""
    return secrets.token_urlsafe(24)


def is_key(value: object) -> bool:
    """Whether the browser sent something that can be a key."""
    return isinstance(value, str) and 16 <= len(value) <= 64
