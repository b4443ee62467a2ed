"""A run of the command line that is killed with SIGKILL goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from tests.runs.conftest import TEXTS
from unlearning.runs.store import RunStore
from unlearning.sweeps.folds import written

STEPS = 120
KILLED_AFTER = 30


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_the_losses_are_those_of_an_uninterrupted_run(tmp_path: Path) -> None:
    model = write_folder(tmp_path / "tiny")
    sources = {role: written(examples, tmp_path / role) for role, examples in TEXTS.items()}
    words = ["run", "--model", str(model), "--method", "ngdiff", "--steps", str(STEPS)]
    words += [part for role, path in sources.items() for part in (f"--{role}", path)]
    words += ["--max-length", "48", "--batch-size", "2", "--retain-batch-size", "4"]
    words += ["--probe-every", "20", "--snapshot-every", "7", "--no-stop-on-collapse"]
    words += ["--no-stop-when-forgotten"]

    whole = unlearning(tmp_path / "whole", *words)
    assert whole.wait(timeout=240) == 0
    broken = unlearning(tmp_path / "broken", *words)
    store = RunStore(tmp_path / "broken")
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and broken.poll() is None:
        if store.ids() and store.view(store.ids()[0]).step >= KILLED_AFTER:
            break
        time.sleep(0.05)
    assert broken.poll() is None, "it ended before it could be killed"
    os.killpg(broken.pid, signal.SIGKILL)
    broken.wait()
    (run_id,) = store.ids()
    reached = RunStore(store.path).view(run_id).step
    assert KILLED_AFTER <= reached < STEPS

    assert unlearning(store.path, "continue", run_id).wait(timeout=240) == 0
    expected = RunStore(tmp_path / "whole")
    uninterrupted = expected.view(expected.ids()[0])
    again = RunStore(store.path).view(run_id)
    assert again.ended.status == "finished" and again.step == STEPS
    for name in ("forget_nll", "gradient_norm", "learning_rate"):
        assert again.curve(name).steps == uninterrupted.curve(name).steps
        assert again.curve(name).values == uninterrupted.curve(name).values, name
    assert json.loads((store.folder(run_id) / "results.json").read_text())["status"] == "finished"


def unlearning(runs: Path, command: str, *more: str) -> subprocess.Popen:
    """The command in a process group of its own, on one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "unlearning", command, "--runs", str(runs), *more],
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
