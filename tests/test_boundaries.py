"""Arrows point one way: app -> dashboard -> unlearning, and declarations need no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODEL_LIBRARIES = frozenset({"torch", "transformers", "peft", "accelerate"})
IMPORT_BY_NAME = frozenset({"import_module", "__import__", "Lazy"})


def imported(source: str) -> Iterator[str]:
    """Top-level package of every import, late ones and those by name included."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        elif isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if called in IMPORT_BY_NAME and isinstance(first, ast.Constant):
                names = [str(first.value)]
        yield from (name.split(".")[0] for name in names)


def trespasses(files: list[Path], forbidden: frozenset[str]) -> dict[str, set[str]]:
    """Forbidden packages by file."""
    found = {file: forbidden & set(imported(file.read_text())) for file in files}
    return {str(file.relative_to(ROOT)): names for file, names in found.items() if names}


def test_the_engine_knows_no_page() -> None:
    files = sorted((ROOT / "unlearning").rglob("*.py"))
    assert len(files) > 10
    assert trespasses(files, frozenset({"gradio", "plotly", "dashboard", "app"})) == {}


def test_the_page_knows_no_model_library() -> None:
    files = sorted((ROOT / "dashboard").rglob("*.py")) + sorted(ROOT.glob("app.py"))
    if not files:
        pytest.skip("there is no page in this checkout")
    assert trespasses(files, MODEL_LIBRARIES | {"datasets"}) == {}


@pytest.mark.parametrize(
    "source",
    [
        "import torch.nn as nn",
        "from torch import Tensor",
        "def f():\n    import torch  # late",
        "if TYPE_CHECKING:\n    from torch.nn import Module",
        "torch = Lazy('torch')",
        "x = importlib.import_module('torch.cuda')",
    ],
)
def test_every_way_of_importing_is_seen(source: str) -> None:
    assert "torch" in set(imported(source))
    assert "torch" not in set(imported(source.replace("torch", "math")))


TORCH_FREE = [
    "unlearning",
    "unlearning.declare",
    "unlearning.methods",
    "unlearning.metrics",
    "unlearning.attacks",
    "unlearning.config",
    "unlearning.data.sources",
    "unlearning.models.memory",
    "unlearning.runs.events",
    "unlearning.runs.view",
    "unlearning.runs.store",
    "dashboard",
]


def is_written(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def without_model_libraries(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process where importing a model library raises."""
    block = f"import sys\nfor name in {sorted(MODEL_LIBRARIES)}: sys.modules[name] = None\n"
    return subprocess.run(
        [sys.executable, "-c", block + code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("module", TORCH_FREE)
def test_declarations_are_read_without_torch(module: str) -> None:
    if not is_written(module):
        pytest.skip(f"{module} is not part of this checkout")
    done = without_model_libraries(f"import {module}")
    assert done.returncode == 0, done.stderr


def test_methods_and_metrics_describe_themselves_without_torch() -> None:
    done = without_model_libraries(
        "from unlearning.methods import METHODS\n"
        "from unlearning.metrics import METRICS\n"
        "for cls in [*METHODS.values(), *METRICS.values()]:\n"
        "    assert cls.title and cls.summary() and cls.parse({}) == cls()\n"
        "    cls.declared()\n"
        "print(len(METHODS))\n"
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5


def test_the_block_works() -> None:
    done = without_model_libraries("import unlearning.models.passes")
    assert done.returncode != 0 and "torch" in done.stderr
