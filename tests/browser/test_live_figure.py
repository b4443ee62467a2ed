"""The live figure in a real browser: one node, zoom and legend kept, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import figure_stage
from tests.browser.conftest import playing
from tests.browser.figure_stage import BROKEN, UPDATES

PLOT = "#figure-loss .figure-plot"
STATE = f"""() => {{
  const plot = document.querySelector("{PLOT}");
  return {{
    same: plot.dataset.mine === "yes" && window.mine === plot.querySelector("svg.main-svg"),
    range: [...plot._fullLayout.xaxis.range],
    font: plot._fullLayout.font.color,
    curves: Object.fromEntries(plot.data.filter((d) => d.name)
      .map((d) => [d.name, {{ x: d.x, y: d.y, visible: d.visible }}])),
    drawn: plot.calcdata.map((points) => points.length),
    lines: plot._fullLayout.shapes.length,
    labels: plot._fullLayout.annotations.map((label) => label.text),
  }};
}}"""
DRAWN = """() => {
  const plot = document.querySelector("#figure-plain .figure-plot");
  return [plot.data[0].x.length, plot.calcdata[0].length];
}"""
MARK = f"""() => {{
  const plot = document.querySelector("{PLOT}");
  plot.dataset.mine = "yes";
  window.mine = plot.querySelector("svg.main-svg");
}}"""


@pytest.fixture
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page in a fresh profile; fails at the end if it complained or asked another host."""
    log = tmp_path_factory.mktemp("figure") / "log.txt"
    with playing(figure_stage.main, [], log) as address:
        context = browser.new_context(viewport={"width": 900, "height": 500})
        tab = context.new_page()
        complaints: list[str] = []
        hosts: set[str] = set()
        tab.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        tab.goto(address)
        tab.locator(f"{PLOT} svg.main-svg").first.wait_for(timeout=30_000)
        yield tab
        context.close()
    assert complaints == []
    assert hosts - {""} == {urlsplit(address).netloc}


def test_a_library_that_does_not_come_is_asked_for_again(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answers = [
        lambda route: route.abort(),
        lambda route: route.fulfill(content_type="text/javascript", body="/* another page */"),
    ]
    asked = []

    def hinder(route: Route) -> None:
        # Scripts alone: the hint before them asks, too.
        if route.request.headers.get("sec-purpose") == "prefetch":
            route.abort()
            return
        asked.append(route.request.url)
        (answers.pop(0) if answers else lambda route: route.continue_())(route)

    log = tmp_path_factory.mktemp("figure") / "log.txt"
    with playing(figure_stage.main, [], log) as address:
        page = browser.new_page()
        page.route("**/plotly.min.js*", hinder)
        page.goto(address)
        page.locator(f"{PLOT} svg.main-svg").first.wait_for(timeout=30_000)
        page.close()
    assert answers == [] and len(asked) == 3


def test_two_hundred_updates_keep_node_zoom_and_legend(opened: Page) -> None:
    opened.evaluate(MARK)
    box = opened.locator(f"{PLOT} .nsewdrag").first.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    opened.mouse.move(box["x"] + 40, middle)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] / 2, middle, steps=5)
    opened.mouse.up()
    kept = opened.get_by_role("button", name="text to keep")
    kept.click()
    zoomed = opened.evaluate(STATE)["range"]
    assert 0 < zoomed[0] < zoomed[1] < 0.7 * UPDATES
    for _ in range(10):
        opened.wait_for_timeout(150)
        held, drawn = opened.evaluate(DRAWN)
        assert held == drawn

    expect(opened.locator("#figure-loss .figure-summary")).to_contain_text("5.3", timeout=60_000)
    opened.wait_for_function(f"(want) => ({STATE})().drawn.includes(want)", arg=UPDATES)
    after = opened.evaluate(STATE)
    assert after["same"]
    assert after["range"] == pytest.approx(zoomed)
    assert after["curves"]["text to keep"]["visible"] is False
    expect(kept).to_have_attribute("aria-pressed", "false")
    forget = after["curves"]["text to forget"]
    assert forget["x"] == list(range(1, UPDATES + 1))
    assert [x for x, y in zip(forget["x"], forget["y"], strict=True) if y is None] == [BROKEN]
    assert after["curves"]["text to keep"]["x"] == list(range(5, UPDATES + 1, 5))
    assert UPDATES in after["drawn"]
    assert after["lines"] == 1
    assert any("NaN" in text for text in after["labels"])
    assert any("never-saw-it level" in text for text in after["labels"])
    assert "5.3" in (opened.locator(PLOT).get_attribute("aria-label") or "")


def test_the_figure_follows_the_theme_and_the_room(opened: Page) -> None:
    before = opened.evaluate(STATE)["font"]
    opened.evaluate("document.body.classList.toggle('dark')")
    opened.wait_for_function(
        f"(before) => document.querySelector('{PLOT}')._fullLayout.font.color !== before",
        arg=before,
    )
    opened.set_viewport_size({"width": 420, "height": 700})
    opened.wait_for_function(
        f"() => {{ const plot = document.querySelector('{PLOT}');"
        " return Math.abs(plot._fullLayout.width - plot.clientWidth) < 2 }"
    )
