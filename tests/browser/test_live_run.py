"""The live run as people use it: look back, pause, go on from a step, keep it, read the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit, Visitor, end_all
from tests.browser.test_looks import CONTRAST, in_view
from tests.browser.test_page import start, step
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

HOSTILE = '<img src=x onerror="window.pwned=1">'
UNDERSTOOD = "#answers thead th.unlearned"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("live") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file; 100 steps take some seconds."""
    return stage("forgotten", pause=0.04, runs=runs)


@pytest.fixture(autouse=True)
def nothing_left_running(address: str, runs: Path) -> Iterator[None]:
    """The one worker is free again for the next test, whatever this one did."""
    yield
    end_all(runs)


def clean(visitor: Visitor) -> None:
    """No error on the console and no request to another host."""
    assert visitor.errors == []
    assert visitor.hosts == {visitor.address.removeprefix("http://")}


def opened(visitor: Visitor, run_id: str) -> Page:
    page = visitor.open(f"?run={run_id}")
    expect(page.locator("#travel-step")).to_be_visible()
    page.locator("#trajectory .here").wait_for()
    return page


def look_at(page: Page, number: int) -> None:
    """Move the slider with the keyboard to that step."""
    page.locator("#travel-step").focus()
    page.keyboard.press("Home")
    for _ in range(60):
        if page.locator(".travel-at").inner_text().split(",")[0] == f"step {number}":
            break
        page.keyboard.press("ArrowRight")
    expect(page.locator(UNDERSTOOD)).to_have_text(f"Unlearned, step {number}")


def test_without_a_run_there_is_nothing_to_look_back_at(visit: Visit, stage: Stage) -> None:
    ada = visit(stage())
    page = ada.open()
    page.get_by_role("tab", name="2 Live run").click()
    expect(page.locator("#story")).to_contain_text("No run is open")
    expect(page.locator(".trajectory-summary")).to_contain_text("begins with the first look")
    for hidden in ("#travel-step", "#go-on", "#figure-own-0", "#figure-teaching"):
        expect(page.locator(hidden)).to_be_hidden()
    clean(ada)


def test_time_travel_with_the_keyboard(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = opened(ada, record(RunStore(runs), outcome="collapsed"))
    slider, follow = page.locator("#travel-step"), page.locator(".travel-follow input")
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 5")
    expect(follow).to_be_checked()
    expect(page.locator(".travel-mark.bad")).to_contain_text("collapsed 24")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 24")
    expect(page.locator("#answers .again").first).to_be_visible()
    expect(slider).to_have_attribute("aria-valuetext", "step 24 of 40, collapsed")
    expect(follow).not_to_be_checked()
    expect(page.locator("#trajectory .chosen")).to_be_visible()
    page.keyboard.press("Home")
    # Faster than any answer.
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 15")
    expect(page.locator(".travel-at")).to_have_text("step 15")
    follow.check()
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 5")
    page.locator("#trajectory .look").nth(2).click()
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 10")
    clean(ada)


def test_a_paused_run_is_resumed_where_it_stands(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    run_id = start(page, steps=3000)
    expect(page.locator("#pause")).to_be_visible()
    page.locator("#pause").click()
    expect(page.locator("#status")).to_contain_text("paused")
    at = RunStore(runs).view(run_id).step
    expect(page.locator("#story")).to_contain_text(f"paused at step {at}")
    expect(page.locator("#continue")).to_contain_text("Resume at step")
    expect(page.locator("#go-on-note")).to_contain_text("as if it had never stopped")
    expect(page.locator("#pause")).to_be_hidden()
    page.locator("#continue").click()
    expect(page.locator("#pause")).to_be_visible()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    page.locator("#stop").click()
    expect(page.locator("#status")).to_contain_text("stopped")
    clean(ada)


def test_on_from_an_earlier_step(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    run_id = record(store, outcome="stopped")
    ada = visit(address)
    page = opened(ada, run_id)
    look_at(page, 10)
    expect(page.locator("#go-on-note")).to_contain_text("drops what came after step 10")
    page.locator("#continue").filter(has_text="step 10").click()
    expect(page.locator("#status")).to_contain_text("finished")
    resumed = [e for e in store.read(run_id)[0] if e.kind == "resumed"]
    assert [event.step for event in resumed] == [10]
    # The slider follows the run again.
    expect(page.locator(".travel-follow input")).to_be_checked()
    expect(page.locator(UNDERSTOOD)).to_have_text("Unlearned, step 30")
    clean(ada)


def test_an_earlier_step_becomes_the_result(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    run_id = record(store, outcome="forgotten")
    ada = visit(address)
    page = opened(ada, run_id)
    expect(page.locator("#keep-step")).to_be_hidden()
    look_at(page, 15)
    page.locator("#keep-step").filter(has_text="Keep step 15").click()
    expect(page.locator("#story")).to_contain_text("set back to step 15 by hand")
    expect(page.locator(".travel-mark")).to_contain_text(["kept 15"])
    assert store.view(run_id).step == 15 and store.snapshots(run_id)[-1] == 30
    clean(ada)


def test_somebody_else_may_look_back_and_no_more(visit: Visit, address: str, runs: Path) -> None:
    page = opened(visit(address), record(RunStore(runs), outcome="stopped", owner="a key"))
    look_at(page, 10)
    expect(page.locator("#continue")).to_be_hidden()
    expect(page.locator("#keep-step")).to_be_hidden()


def test_the_path_moves_and_earlier_runs_stand_beside(
    visit: Visit, address: str, runs: Path
) -> None:
    ada = visit(address)
    page = ada.open()
    start(page, steps=3000)
    page.locator("#trajectory .look").nth(2).wait_for(state="attached")
    few = page.locator("#trajectory .look").count()
    page.wait_for_function(
        f"document.querySelectorAll('#trajectory .look').length > {few}", timeout=20_000
    )
    assert step(page) > 0
    expect(page.locator("#inside-head")).to_contain_text("Inside UNDIAL")
    page.locator("#figure-own-0 svg .js-line").first.wait_for(state="attached")
    page.locator("#stop").click()
    expect(page.locator("#status")).to_contain_text("stopped")
    store = RunStore(runs)
    best, run_id = record(store, label=HOSTILE), record(store, method="npo")
    page = opened(ada, run_id)
    expect(page.locator("#inside-head")).to_contain_text("Inside NPO")
    expect(page.locator("#trajectory .other title").first).to_be_attached()
    titles = page.locator("#trajectory .other title").all_text_contents()
    assert any(HOSTILE in words and best in words for words in titles)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img").count() == 0
    clean(ada)


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_one_screen_and_readable(visit: Visit, address: str, runs: Path, dark: bool) -> None:
    ada = visit(address, dark=dark)
    page = opened(ada, record(RunStore(runs), outcome="forgotten"))
    page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")
    for selector in ("#story", "#figure-recited", "#trajectory", "#travel", ".travel-follow"):
        assert in_view(page, selector), selector
    box = page.locator("#answers tbody tr").nth(1).bounding_box()
    assert box and box["y"] + box["height"] <= 720, "the first answers are below the fold"
    for size in page.evaluate(
        "[...document.querySelectorAll('.curves-grid .figure-plot')]"
        ".map((p) => [p.clientWidth, p._fullLayout.width])"
    ):
        assert abs(size[0] - size[1]) < 2, "a chart is wider than its place"
    page = opened(ada, record(RunStore(runs), outcome="collapsed"))
    look_at(page, 15)
    assert page.evaluate(CONTRAST) == []
    expect(page.locator(".collapse-card .again").first).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    clean(ada)
