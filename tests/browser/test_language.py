"""The page in German: tabs, the main button, a notice, scripts; and nothing becomes too wide."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Stage, Visit
from tests.browser.screenshots import open_tab
from tests.dashboard.attacked import keep
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

TABS = ("1 Einrichten", "2 Live-Lauf", "3 Vergleichen", "4 Stresstests", "5 Läufe", "Lernen")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("german") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs, language="de")


def test_the_page_speaks_german(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    run_id = record(store, outcome="forgotten")
    keep(store, run_id, "relearn")
    visitor = visit(address)
    page = visitor.open(f"?run={run_id}")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    for tab in TABS:
        expect(page.get_by_role("tab", name=tab)).to_be_visible()
    expect(page.locator("#notices")).to_contain_text("stehen auch im Forget-Text")
    expect(page.locator("#story")).to_contain_text("der zu vergessenden Wörter")
    expect(page.locator("#figure-recited .figure-title")).to_have_text("Aufgesagte Wörter")
    # Built in the browser, from the words in the head.
    expect(page.locator(".travel-at")).to_contain_text("Schritt")
    open_tab(page, "3 Vergleichen")
    page.locator("#prompt textarea").fill("")
    page.locator("#generate").click()
    toast = page.get_by_text("Der Prompt ist leer. Schreib den Anfang eines Textes")
    expect(toast).to_be_visible()
    wide = []
    for tab in TABS:
        page.set_viewport_size({"width": 1280, "height": 720})
        open_tab(page, tab)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 720})
            page.wait_for_timeout(200)
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                wide.append(f"{tab}: {needed} > {width}")
    assert wide == []
    open_tab(page, "1 Einrichten")
    expect(page.locator("#start")).to_have_text("Unlearning starten")
    assert visitor.errors == [] and visitor.hosts == {urlsplit(address).netloc}
