"""The entry point: flags, environment, and what importing it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFUSED = {
    "port": (["--port", "many"], "app.py: error:"),
    "flag": (["--colour", "blue"], "app.py: error:"),
    "folder": (["--runs", "README.md/runs"], "cannot be written"),
    "no recording": (["--replay", "docs"], "There is no recorded run in"),
    "no event": (["--replay", "README.md"], "is no event of a run"),
    "no mcp": (["--mcp"], "pip install 'mcp"),
}
"""Flags with which nothing is opened, and words of the line that says why."""
START = """
import contextlib, io, json, runpy
sys.modules["mcp"] = None
told = []
for words in {}:
    sys.argv = ["app.py", *words]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            runpy.run_path("app.py", run_name="__main__")
        except SystemExit as left:
            told.append([left.code, said.getvalue()])
print(json.dumps(told))
"""
MODEL_LIBRARIES = ("torch", "transformers", "peft", "accelerate")


def app(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code beside app.py, in a process where model libraries cannot be imported."""
    block = f"import sys\nfor name in {MODEL_LIBRARIES}: sys.modules[name] = None\n"
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HOST", "PORT", "SPACE_ID", "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT")
    }
    # The worker stays down: no process of its own for a test of the page.
    quiet = "from unlearning.workers.process import ProcessWorker\n"
    quiet += "ProcessWorker.start = lambda self: None\n"
    return subprocess.run(
        [sys.executable, "-c", block + quiet + code],
        cwd=ROOT,
        env={**kept, "LETHE_RUNS": str(folder / "runs"), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_importing_it_gives_a_page_without_serving_one(tmp_path: Path) -> None:
    done = app(
        "import app, gradio, json\n"
        "chosen = app.flags([])\n"
        "print(json.dumps([isinstance(app.demo, gradio.Blocks), app.demo.is_running,"
        " app.demo.api_open, chosen.host, chosen.public, str(chosen.runs)]))",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    *found, runs = json.loads(done.stdout.splitlines()[-1])
    assert found == [True, False, False, "127.0.0.1", False]
    assert runs == str(tmp_path / "runs") and Path(runs, ".secret").is_file()


def test_the_environment_stands_in_for_flags(tmp_path: Path) -> None:
    done = app(
        "import app, json\n"
        "chosen, given = app.flags([]), app.flags(['--host', '127.0.0.2', '--port', '1'])\n"
        "print(json.dumps([chosen.host, chosen.port, given.host, given.port]))",
        tmp_path,
        HOST="192.0.2.1",
        PORT="7999",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["192.0.2.1", 7999, "127.0.0.2", 1]


def test_a_space_is_open_to_strangers_and_limited(tmp_path: Path) -> None:
    done = app(
        "import app, json\n"
        "chosen = app.flags([])\n"
        "_, scheduler = app.open_page(chosen)\n"
        "from unlearning.config import RunConfig\n"
        "from unlearning.methods import METHODS\n"
        "from unlearning.runs.prepare import gather_texts\n"
        "for method in METHODS:\n"
        "    config = RunConfig(method=method)\n"
        "    scheduler.limits.check_run(config, gather_texts(config)[0])\n"
        "print(json.dumps([chosen.host, chosen.public, sorted(scheduler.limits.models)[-3:],"
        " scheduler.limits.max_steps]))",
        tmp_path,
        SPACE_ID="somebody/lethe",
        LETHE_ALLOWED_MODELS="z/added",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == ["0.0.0.0", True, ["demo-retain", "openai-community/gpt2", "z/added"], 200]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit status and what is written as an error, for all that is refused, from one process."""
    flags = [flags for flags, _ in REFUSED.values()]
    done = app(START.format(flags), tmp_path_factory.mktemp("refused"))
    assert done.returncode == 0, done.stderr
    return dict(zip(REFUSED, json.loads(done.stdout.splitlines()[-1]), strict=True))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_opened_is_one_clear_line(
    refusals: dict[str, tuple[int, str]], case: str
) -> None:
    status, told = refusals[case]
    assert status == 2
    assert REFUSED[case][1] in told.splitlines()[-1] and "Traceback" not in told


def test_recordings_are_played_without_model_or_worker(tmp_path: Path) -> None:
    done = app(
        "import app, json\n"
        "demo, scheduler = app.open_page(app.flags(['--replay', 'assets/replays']))\n"
        "(run_id,) = scheduler.store.ids()\n"
        "view = scheduler.view(run_id)\n"
        "print(json.dumps([view.status, view.step, scheduler.worker_state(),"
        " scheduler.owned(run_id, ''), str(scheduler.store.path)]))",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    *found, folder = json.loads(done.stdout.splitlines()[-1])
    assert found == ["finished", 20, "down", False]
    assert not Path(folder).exists(), "the copies are cleared away"
    assert not any((tmp_path / "runs").glob("*/events.jsonl"))
