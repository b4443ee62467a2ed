"""Sweeps over a tiny random model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.conftest import TEXTS, short, store, tiny_model
from unlearning.config import RunConfig
from unlearning.sweeps.folds import written

__all__ = ["short", "store", "tiny_model"]


@pytest.fixture
def ground(short, tmp_path: Path) -> RunConfig:
    """A short run whose texts stand in files."""
    sources = {role: written(examples, tmp_path / role) for role, examples in TEXTS.items()}
    return short(steps=2, **sources)
