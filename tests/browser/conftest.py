"""A real Chromium on the real page, served by a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser import forked
from tests.browser import stage as stages
from tests.browser.profiles import PROCESS_PER_PROFILE, Profile, Profiles
from unlearning.runs.store import RunStore

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("LETHE_CHROMIUM", "/usr/bin/chromium")
"""Where it is not, Playwright's own is taken."""
QUIET_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    PROCESS_PER_PROFILE,
)
START_SECONDS = 180.0
PATIENCE = 40_000
"""Milliseconds that the page may take to show what is waited for: other tests run beside."""
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; skipped where there is none, unless this is CI."""
    with sync_playwright() as playwright:
        found = [path for path in (CHROMIUM, playwright.chromium.executable_path) if _is_file(path)]
        if not found:
            missing = f"no Chromium at {CHROMIUM}: set LETHE_CHROMIUM"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        browser = playwright.chromium.launch(executable_path=found[0], args=list(QUIET_FLAGS))
        yield browser
        browser.close()


def _is_file(path: str) -> bool:
    return Path(path).is_file()


LOOKED = """() => {
  const first = window.gradio_config?.components.find((c) => c.props.elem_id === "seen");
  const seen = document.querySelector("#seen textarea, #seen input");
  return first && seen && seen.value && seen.value !== first.props.value;
}"""


def looked(page: Page) -> None:
    """Wait until a page that was opened or reloaded has its first answer from the server."""
    page.wait_for_function(LOOKED)


class Visitor:
    """A browser profile on the page, which remembers what went wrong and who was asked."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.errors: list[str] = []
        self.hosts: set[str] = set()

    def open(self, query: str = "") -> Page:
        """A tab on the page, once it has its first answer from the server."""
        tab = self.context.new_page()
        tab.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        tab.goto(f"{self.address}/{query}")
        looked(tab)
        return tab


Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def profiles(browser: Browser) -> Profiles:
    """Of all tests of this process."""
    return Profiles(browser, patience=PATIENCE)


@pytest.fixture
def visit(profiles: Profiles) -> Iterator[Visit]:
    """Makes visitors, each with a profile of its own: `visit(address, dark=, width=, height=)`."""
    taken: list[tuple[Profile, str]] = []

    def make(address: str, *, dark: bool = False, width: int = 1280, height: int = 720) -> Visitor:
        profile = profiles.take(dark, width, height)
        taken.append((profile, address))
        return Visitor(profile.context, address)

    yield make
    for profile, address in taken:
        profiles.give_back(profile, address)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(command: list[str], log: Path) -> Iterator[str]:
    """Run a server of the page until the block ends; yields its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "--port", str(port)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(address, process.poll, log)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def playing(main: forked.Main, words: list[str], log: Path) -> Iterator[str]:
    """The same with the main function of a stage, in a process that has nothing to import."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = forked.start(main, [*words, "--port", str(port)], log)
    try:
        _wait_for(address, lambda: process.exitcode, log)
        yield address
    finally:
        process.terminate()
        process.join(20)
        process.kill()


def _wait_for(address: str, ended: Callable[[], int | None], log: Path) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        if ended() is not None:
            pytest.fail(f"the page ended with {ended()}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"no page at {address} after {START_SECONDS:g} s:\n{log.read_text()}")


Stage = Callable[..., str]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Serves the page around a worker that plays: `stage(outcome, pause=, runs=)` -> address."""
    running = []

    def start(
        outcome: str = "forgotten",
        *,
        pause: float = 0.05,
        runs: Path | None = None,
        language: str = "en",
    ) -> str:
        folder = tmp_path_factory.mktemp("stage")
        words = ["--runs", str(runs or folder / "runs"), "--outcome", outcome]
        words += ["--pause", str(pause), "--language", language]
        context = playing(stages.main, words, folder / "log.txt")
        address = context.__enter__()
        running.append(context)
        return address

    yield start
    for context in running:
        context.__exit__(None, None, None)


def end_all(runs: Path) -> None:
    """Stop what still runs behind the stage, so that its one worker is free again."""
    store, latest = RunStore(runs), time.monotonic() + 30
    for run_id in store.ids():
        while store.view(run_id).live:
            assert time.monotonic() < latest, f"run {run_id} does not end"
            store.ask_stop(run_id)
            time.sleep(0.05)
