"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _folder(variable: str, beside: str) -> Path:
    folder = Path(os.environ.get(variable, ROOT.parent / beside))
    if not folder.is_dir():
        pytest.skip(f"no reference material: set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder of published values: LETHE_REFERENCE, else shared/reference beside the repository."""
    return _folder("LETHE_REFERENCE", "shared/reference")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of benchmark files and checkpoints: LETHE_SHARED, else shared next to the checkout."""
    return _folder("LETHE_SHARED", "shared")
