"""Which model a name means: an embedded one, a local folder, or an id on the hub. No torch here."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unlearning.errors import UserError

EMBEDDED = ("demo", "demo-retain")
EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "models"
ALLOWED_VARIABLE = "LETHE_ALLOWED_MODELS"
ALLOWED = (
    "EleutherAI/gpt-neo-125m",
    "EleutherAI/pythia-70m",
    "EleutherAI/pythia-160m",
    "EleutherAI/pythia-410m",
    "HuggingFaceTB/SmolLM2-135M",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-360M",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "Qwen/Qwen2.5-0.5B",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "openai-community/gpt2",
)
"""Small models with safetensors that a public page offers besides the embedded ones."""
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a model is."""

    name: str
    source: Literal["embedded", "folder", "hub"]
    folder: Path | None
    """None for the hub: it has to be fetched first."""


def locate(name: str, *, public: bool = False) -> Location:
    """What `name` means. A public page offers embedded and allow-listed models only.

    Raises:
        UserError: no such folder, no possible hub id, or not allowed on a public page.
    """
    if name in EMBEDDED:
        folder = EMBEDDED_FOLDER / name
        if not folder.is_dir():
            raise UserError(
                f"The embedded model {name!r} is not there.",
                "Make it with: python -m unlearning world --out assets",
            )
        return Location(name, "embedded", folder)
    if public:
        return _allowed(name)
    if _is_folder(name):
        return Location(name, "folder", Path(name).expanduser())
    if not _is_hub_id(name):
        raise UserError(
            f"There is no folder {_short(name)!r}, and it is not the id of a model on the hub.",
            f"Name {' or '.join(EMBEDDED)}, a folder, or an id such as Qwen/Qwen2.5-0.5B.",
        )
    return Location(name, "hub", None)


def allowed_models() -> tuple[str, ...]:
    """Hub ids that a public page accepts: the built-in ones and LETHE_ALLOWED_MODELS."""
    added = os.environ.get(ALLOWED_VARIABLE, "").split(",")
    return (*ALLOWED, *(name.strip() for name in added if _is_hub_id(name.strip())))


def _allowed(name: str) -> Location:
    if name in allowed_models():
        return Location(name, "hub", None)
    raise UserError(
        f"This public page does not load {_short(name)!r}.",
        f"Choose one of: {', '.join((*EMBEDDED, *allowed_models()))}; or run Lethe yourself, "
        "where any model goes.",
    )


def _is_folder(name: str) -> bool:
    if not name.strip():
        return False
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False  # too long, no such home, null byte


def _is_hub_id(name: str) -> bool:
    return bool(HUB_ID.fullmatch(name)) and ".." not in name and "--" not in name


def _short(name: str) -> str:
    return name if len(name) <= 80 else name[:77] + "..."
