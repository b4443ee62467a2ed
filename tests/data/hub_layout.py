"""Writes invented rows as folders in the hub's layout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def write_rows(file: Path, rows: Sequence[Any]) -> Path:
    """JSON Lines, or a list where the file is called .json and its rows are texts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if all(isinstance(row, str) for row in rows):
        file.write_text(json.dumps(rows))
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def write_card(folder: Path, configs: dict[str, dict[str, str]]) -> None:
    """A card that says which file is which split of which configuration."""
    lines = ["---", "configs:"]
    for config, files in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, path in files.items():
            lines += [f"  - split: {split}", f"    path: {path}"]
    (folder / "README.md").write_text("\n".join([*lines, "---", ""]))
