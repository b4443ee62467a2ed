"""Parts of a forget text as files: read back as written."""

from __future__ import annotations

from unlearning.data.folds import folds
from unlearning.data.sources import load
from unlearning.sweeps.folds import written


def test_a_written_part_reads_back_and_keeps_its_name(tmp_path) -> None:
    part = folds(load("preset:world/forget"))[1]
    path = written(part, tmp_path)
    assert load(path) == part
    assert written(part, tmp_path) == path
    assert written(part[:-1], tmp_path) != path
