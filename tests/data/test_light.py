"""Reading texts must not load torch, and parsing must load nothing heavy at all."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from unlearning.data import columns, encode, files, pasted, roles, sources
pasted.split("Some words to split.")
files.read(b"question,answer\\nWho?,Ilva\\n", "a.csv")
heavy = {"torch", "transformers", "datasets", "pandas", "pyarrow"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_nothing_heavy_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
