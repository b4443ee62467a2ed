"""The whole of it: the real application, the real worker, the embedded model."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Visit, serving
from unlearning.runs import remembered
from unlearning.runs.store import RunStore
from unlearning.workers.mailbox import FOLDER, Mailbox

MODEL = ROOT / "assets" / "models" / "demo" / "model.safetensors"
PATIENCE = 300_000
"""Milliseconds; guards against hanging only."""
POINTS = """() => {
  const plot = document.querySelector("#figure-forget-loss .figure-plot");
  return Math.max(0, ...(plot?.data ?? []).map((trace) => trace.x.length));
}"""
MARK = """() => {
  const plot = document.querySelector("#figure-forget-loss .figure-plot");
  window.mine = [plot, plot.querySelector("svg.main-svg")];
}"""
SAME = """() => {
  const plot = document.querySelector("#figure-forget-loss .figure-plot");
  return window.mine[0] === plot && window.mine[1] === plot.querySelector("svg.main-svg");
}"""

pytestmark = pytest.mark.skipif(not MODEL.is_file(), reason="the embedded model is not built")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, originals: Path) -> Iterator[Path]:
    """Folder of the runs; the worker that serves it ends with the tests."""
    folder = tmp_path_factory.mktemp("real") / "runs"
    folder.mkdir()
    (folder / remembered.FOLDER).symlink_to(originals)
    yield folder
    for process in psutil.process_iter(["cmdline"]):
        # Told apart by its folder, which no other process names.
        if str(folder) in (process.info["cmdline"] or []):
            process.kill()


@pytest.fixture(scope="module")
def store(runs: Path) -> RunStore:
    return RunStore(runs)


@pytest.fixture(scope="module")
def address(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """app.py, as a user starts it."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with serving(["app.py", "--runs", str(runs), "--device", "cpu"], log) as address:
        yield address


def wait_for(condition: Callable[[], object]) -> None:
    """Look until it holds; the limit guards against hanging only."""
    limit = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


def start(page: Page, steps: int) -> str:
    """Press Start with everything else as it is; returns the run's id."""
    before = page.url
    page.get_by_role("tab", name="1 Set up").click()
    page.locator("#run-steps input, #run-steps textarea").fill(str(steps))
    page.locator("#start").click()
    page.wait_for_url(lambda url: url != before and re.search(r"\?run=[0-9a-f]{10}$", url))
    return page.url.rpartition("=")[2]


def shown_step(page: Page) -> int:
    found = re.search(r"step (\d+)", page.locator("#progress").inner_text())
    return int(found[1]) if found else 0


def generate(page: Page) -> None:
    """Ask both sides, see them stream, wait for the end."""
    page.get_by_role("tab", name="3 Compare").click()
    page.locator("#prompt textarea").fill("Question: Who wrote The Salted Almanac?\nAnswer:")
    page.locator("#generate").click()
    expect(page.locator("#generate-stop")).to_be_enabled()
    expect(page.locator("#generate")).to_be_enabled(timeout=PATIENCE)
    for side in ("#answer-a .answer", "#answer-b .answer"):
        assert page.locator(side).inner_text().strip()


def test_forget_watch_leave_stop_and_compare(visit: Visit, address: str, store: RunStore) -> None:
    ada = visit(address)
    page = ada.open()
    expect(page.locator("#model-card")).to_contain_text("fits")
    run_id = start(page, steps=100)

    # Ten points and more into the same figure.
    page.wait_for_function(f"() => ({POINTS})() > 0", timeout=PATIENCE)
    page.evaluate(MARK)
    page.wait_for_function(f"() => ({POINTS})() >= 12", timeout=PATIENCE)
    assert page.evaluate(SAME)

    # A reload finds the run at its step; a closed browser does not hold it up.
    before = shown_step(page)
    page.reload()
    expect(page.get_by_role("tab", name="2 Live run")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    assert before <= shown_step(page) <= store.view(run_id).step
    page.close()
    left_at = store.view(run_id).step
    wait_for(lambda: store.view(run_id).step > left_at)
    page = ada.open()
    expect(page).to_have_url(re.compile(rf"\?run={run_id}$"))
    expect(page.locator("#stop")).to_be_enabled()

    # Both sides answer between two steps.
    generate(page)
    assert store.view(run_id).live

    page.locator("#stop").click()
    wait_for(lambda: store.stop_asked(run_id) or not store.view(run_id).live)
    asked = time.time()
    expect(page.locator("#status")).to_contain_text("stopped", timeout=PATIENCE)
    stepped = [event for event in store.read(run_id)[0] if event.kind == "stepped"]
    assert sum(event.time > asked for event in stepped) <= 1

    # And from what was kept, beside the original.
    generate(page)
    expect(page.locator("#scores .verdict").first).to_be_visible(timeout=PATIENCE)
    recited = store.view(run_id).series["score/memorization_accuracy/forget"].values
    assert recited[0] > 0.95 and recited[-1] < recited[0], "the model forgets"
    assert ada.errors == [] and ada.hosts == {address.removeprefix("http://")}


def test_a_killed_worker_is_told_and_the_next_run_works(
    visit: Visit, address: str, store: RunStore
) -> None:
    ada = visit(address)
    page = ada.open()
    run_id = start(page, steps=100)
    wait_for(lambda: store.view(run_id).step >= 1)
    os.kill(Mailbox(store.path / FOLDER).process()[0].mark.pid, signal.SIGKILL)
    expect(page.locator("#status")).to_contain_text("failed", timeout=PATIENCE)
    expect(page.locator("#trouble")).to_contain_text("killed")
    expect(page.locator("#continue")).to_be_visible()
    following = start(page, steps=1)
    assert following != run_id
    expect(page.locator("#status")).to_contain_text("finished", timeout=PATIENCE)
    assert ada.errors == []


def test_the_page_process_holds_no_model(address: str) -> None:
    port = int(address.rpartition(":")[2])
    page = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "app.py" in (process.info["cmdline"] or []) and str(port) in process.info["cmdline"]
    )
    loaded = {Path(mapping.path).name for mapping in page.memory_maps()}
    assert any(name.startswith("libpython") or "python" in name for name in loaded)
    assert not [name for name in loaded if name.startswith("libtorch")]
