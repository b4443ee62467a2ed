"""The whole of it once: the real application, the real worker, the embedded model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, Visit, serving
from unlearning.runs.store import RunStore
from unlearning.workers.mailbox import FOLDER

MODEL = ROOT / "assets" / "models" / "demo" / "model.safetensors"
PATIENCE = 600_000
"""Milliseconds; a busy machine with one core needs them."""

pytestmark = pytest.mark.skipif(not MODEL.is_file(), reason="the embedded model is not built")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the runs; the worker that serves it ends with the tests."""
    folder = tmp_path_factory.mktemp("real") / "runs"
    yield folder
    for process in psutil.process_iter(["cmdline"]):
        # Told apart by its folder, which no other process names.
        if str(folder) in (process.info["cmdline"] or []):
            process.kill()


@pytest.fixture(scope="module")
def address(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """app.py, as a user starts it."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with serving(["app.py", "--runs", str(runs), "--device", "cpu"], log) as address:
        yield address


@pytest.mark.slow
def test_forget_and_compare(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    expect(page.locator("#model-card")).to_contain_text("fits")
    page.locator("#run-steps input, #run-steps textarea").fill("10")
    page.locator("#start").click()
    expect(page).to_have_url(re.compile(r"\?run="))
    run_id = page.url.rpartition("=")[2]
    expect(page.locator("#answers tbody tr").nth(3)).to_be_visible(timeout=PATIENCE)
    page.get_by_role("tab", name="3 Compare").click()
    page.locator("#prompt textarea").fill("Who are you?")
    page.locator("#generate").click()
    expect(page.locator("#generate-stop")).to_be_enabled()
    expect(page.locator("#generate")).to_be_enabled(timeout=PATIENCE)
    for side in ("#answer-a .answer", "#answer-b .answer"):
        assert page.locator(side).inner_text().strip()
    expect(page.locator("#status")).to_contain_text("finished", timeout=PATIENCE)
    expect(page.locator("#scores .verdict").first).to_be_visible()
    view = RunStore(runs).view(run_id)
    recited = view.series["score/memorization_accuracy/forget"].values
    assert recited[0] > 0.9 and recited[-1] < recited[0], "the model forgets"
    assert ada.errors == [] and ada.hosts == {address.removeprefix("http://")}


def test_the_page_process_holds_no_model(address: str, runs: Path) -> None:
    port = int(address.rpartition(":")[2])
    page = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "app.py" in (process.info["cmdline"] or []) and str(port) in process.info["cmdline"]
    )
    loaded = {Path(mapping.path).name for mapping in page.memory_maps()}
    assert not [name for name in loaded if name.startswith("libtorch")]
    assert (runs / FOLDER / "process.json").is_file()
