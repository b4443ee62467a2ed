"""Settings as a file to keep and as a link to share, and back; what comes back is not trusted."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.text_cards import MOST_CHARACTERS
from unlearning.config import RunConfig
from unlearning.errors import UserError

FORMAT = "lethe-settings"
VERSION = 1
MOST_BYTES = 4 * 2**20
"""Of a settings file: two pasted texts in any script, and the settings."""
LONGEST_LINK = 6000
"""Characters of the part of a link that holds the settings."""
PRIVATE = ("prompts", "label", "device")
"""What a link never holds."""
SHARED_SOURCES = ("preset:", "hub:", "auto", "none")
ROLES = ("forget", "retain")
"""Texts that can be pasted."""
MODEL_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)


@dataclass(frozen=True)
class Saved:
    """Settings, and the pasted texts that go with them."""

    config: RunConfig
    pasted: Mapping[str, str] = field(default_factory=dict)


def to_file(saved: Saved) -> str:
    """The content of a settings file: what differs from the defaults, and the pasted texts."""
    found = {
        "format": FORMAT,
        "version": VERSION,
        "config": saved.config.model_dump(mode="json", exclude_defaults=True),
        "pasted": dict(saved.pasted),
    }
    return json.dumps(found, indent=1, ensure_ascii=False)


def from_file(content: bytes | str) -> Saved:
    """Settings out of a file.

    Raises:
        UserError: too large, no settings, or a setting that is not allowed.
    """
    if len(content) > MOST_BYTES:
        raise UserError("The file is too large for settings.", "Choose a file that Lethe saved.")
    found = _parsed(content)
    if found.get("format") != FORMAT:
        raise UserError(
            "This file holds no settings of Lethe.", "Choose a file made with Save settings."
        )
    if found.get("version") != VERSION:
        raise UserError(
            "These settings were saved by another version of Lethe.", "Save them again with this."
        )
    pasted = found.get("pasted") or {}
    if not isinstance(pasted, dict) or not all(
        role in ROLES and isinstance(text, str) for role, text in pasted.items()
    ):
        raise UserError("The pasted texts in this file are damaged.", "Save the settings again.")
    longest = max(map(len, pasted.values()), default=0)
    if longest > MOST_CHARACTERS:
        raise UserError(
            f"A pasted text has {longest:,} characters; at most {MOST_CHARACTERS:,} can be pasted.",
            "Put it into a file of its own.",
        )
    return Saved(_config(found.get("config")), pasted)


def to_link(config: RunConfig) -> str:
    """The settings without anything private, for the end of an address.

    Left out are texts, file names, pinned prompts, the label, local folders and own runs.

    Raises:
        UserError: they are too long for an address.
    """
    shared = config.model_dump(mode="json", exclude_defaults=True, exclude=set(PRIVATE))
    for role in ("forget", "retain", "generic", "holdout"):
        if not str(shared.get(role, "auto")).startswith(SHARED_SOURCES):
            del shared[role]
    for name in ("model", "retrained"):
        if not MODEL_NAME.fullmatch(str(shared.get(name, "demo"))):
            del shared[name]
    packed = json.dumps(shared, separators=(",", ":")).encode()
    token = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    if len(token) > LONGEST_LINK:
        raise UserError("These settings are too long for a link.", "Save them as a file instead.")
    return token


def from_link(token: str) -> Saved:
    """Settings out of a link.

    Raises:
        UserError: it is cut or damaged, or holds a setting that is not allowed.
    """
    try:
        if len(token) > LONGEST_LINK:
            raise ValueError
        packed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raise UserError(
            "The settings in this link cannot be read.", "Copy the whole link again."
        ) from None
    return Saved(_config(_parsed(packed)))


def _parsed(content: bytes | str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        found = json.loads(text, parse_constant=_refuse)
        if not isinstance(found, dict):
            raise ValueError
        # Halves of characters could be written by JSON, but shown nowhere.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise UserError(
            "The settings cannot be read: they are no JSON object.",
            "Choose a file made with Save settings, or copy the whole link again.",
        ) from None
    return found


def _config(values: Any) -> RunConfig:
    if not isinstance(values, dict):
        raise UserError("The settings hold no configuration.", "Save them again.")
    return RunConfig.parse({str(name): value for name, value in values.items()})


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
