"""Fixtures of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something of the machine, not of the code. In CI the same examples
# every time: new ones are found where somebody reads what failed.
settings.register_profile("lethe", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lethe")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: more threads than cores wait for each other without end.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


LONGEST = ("test_embedded_runs.py", "test_real_run.py", "test_page.py")
"""Files that begin first, so that no worker is left alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the rest keeps its order."""
    items.sort(key=lambda item: LONGEST.index(name) if (name := item.path.name) in LONGEST else 9)


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
