"""The world as generated here, and as shipped in assets/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unlearning.world.corpus import FILES, generate, read

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.fixture(scope="session")
def world() -> dict[str, list[dict[str, Any]]]:
    """The generated world of the default seed."""
    return generate()


@pytest.fixture(scope="session")
def shipped() -> dict[str, list[dict[str, Any]]]:
    """The committed rows."""
    return {name: read(ASSETS / "world", name) for name in FILES}


@pytest.fixture(scope="session")
def assets() -> Path:
    """Folder of the committed world and models."""
    return ASSETS
