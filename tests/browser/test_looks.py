"""What the page looks like: one screen, no side-scrolling, enough contrast, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Stage, Visit
from tests.browser.screenshots import open_tab
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("looks") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs)


def in_view(page: Page, selector: str) -> bool:
    """Whether the first such element lies wholly within the window."""
    box = page.locator(selector).first.bounding_box()
    size = page.viewport_size
    assert box and size
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_a_projector_shows_it_all_on_one_screen(visit: Visit, address: str, runs: Path) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    page = visit(address, width=1280, height=720).open(f"?run={run_id}")
    page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")
    for selector in ("#story", "#figure-recited", "#figure-forget-loss", "#figure-health",
                     "#figure-kept", "#answers tbody tr", "#stop", "#meter"):  # fmt: skip
        assert in_view(page, selector), selector
    open_tab(page, "1 Set up")
    assert in_view(page, "#start") and in_view(page, "#forget-way") and in_view(page, "#method")
    open_tab(page, "3 Compare")
    assert in_view(page, "#generate") and in_view(page, "#answer-b")


def test_nothing_sticks_out_sideways(visit: Visit, address: str, runs: Path) -> None:
    run_id = record(RunStore(runs), outcome="collapsed")
    page = visit(address).open(f"?run={run_id}")
    wide = []
    for tab in ("1 Set up", "2 Live run", "3 Compare", "4 Stress tests", "5 Runs", "Learn"):
        page.set_viewport_size({"width": 1280, "height": 844})
        open_tab(page, tab)
        for width in (390, 800, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_timeout(200)
            needed = page.evaluate("document.documentElement.scrollWidth")
            if needed > width:
                wide.append((tab, width, needed))
    assert wide == []


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_are_both_finished(
    visit: Visit, address: str, runs: Path, dark: bool
) -> None:
    run_id = record(RunStore(runs), outcome="collapsed")
    ada = visit(address, dark=dark)
    page = ada.open(f"?run={run_id}")
    page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")
    faint = page.evaluate(CONTRAST)
    assert faint == []
    for tab in ("1 Set up", "3 Compare", "4 Stress tests", "5 Runs", "Learn"):
        open_tab(page, tab)
        page.wait_for_timeout(300)
        assert page.evaluate(CONTRAST) == [], tab
    assert ada.errors == []


CONTRAST = """() => {
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    return { rgb: n.slice(0, 3), a: n.length > 3 ? n[3] : 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, below) => top.rgb.map((c, i) => c * top.a + below[i] * (1 - top.a));
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.unshift(parse(getComputedStyle(e).backgroundColor));
    }
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.querySelector(".gradio-container"), 4);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    const visible = element.checkVisibility({ visibilityProperty: true });
    if (!node.textContent.trim() || !visible) continue;
    if (element.closest("svg, footer, script, style, :disabled, .katex, .sr-only")) continue;
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(element), back = behind(element);
    const pair = [light(over(parse(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${node.textContent.trim().slice(0, 40)}`);
  }
  return [...new Set(found)];
}"""
"""Visible texts with less than 4.5:1 contrast."""
