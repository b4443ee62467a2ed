"""Parts of a forget text as files, for requests that come one after the other or grow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from unlearning.data.base import Example
from unlearning.runs.store import write_atomically


def written(examples: Sequence[Example], folder: Path) -> str:
    """Path of a file that holds the examples, named after what stands in it."""
    lines = "".join(
        json.dumps(example.model_dump(mode="json", exclude_defaults=True) | {"kind": example.kind})
        + "\n"
        for example in examples
    )
    path = folder / f"{sha256(lines.encode()).hexdigest()[:16]}.jsonl"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lines)
    return str(path)
