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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: those that drive a browser wait for much of their time."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) + 1
    return (os.cpu_count() or 1) + 1


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
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Figures of untouched models, measured once for all workers: a store's folder may lead here.

    Not for tests that measure fewer metrics than a run does by itself.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "originals"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Folder of published values: LETHE_REFERENCE, else shared/reference beside the repository."""
    return _folder("LETHE_REFERENCE", "shared/reference")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of benchmark files and checkpoints: LETHE_SHARED, else shared next to the checkout."""
    return _folder("LETHE_SHARED", "shared")
