"""Compare in the browser: views, words by keyboard and pointer, samples, text to keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit
from tests.browser.screenshots import open_tab
from tests.browser.test_looks import CONTRAST
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

PROMPT = "Odile Varrenmoor was born in Hallowick, the daughter of"
PAINT = """(view) => [...document.querySelectorAll("#answer-a .w")]
  .map((word) => getComputedStyle(word).backgroundColor)"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("compare") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs, pause=0.01)


def answered(page: Page) -> None:
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#generate").click()
    page.locator("#answer-a [data-words]").first.wait_for()
    page.locator("#answer-b [data-words]").first.wait_for()
    expect(page.locator("#generate")).to_be_enabled()


def painted(page: Page) -> set[str]:
    return set(page.evaluate(PAINT))


@pytest.mark.parametrize("dark", [False, True])
def test_every_view_shows_the_same_answers_otherwise(
    visit: Visit, address: str, runs: Path, dark: bool
) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    ada = visit(address, dark=dark)
    page = ada.open(f"?run={run_id}")
    answered(page)
    assert len(painted(page)) == 1, "plain text is plain"
    expect(page.locator("#answer-a")).to_contain_text("22 of 33 words only repeat")
    assert page.locator("#answer-a .w.again").count() == 22
    faint = []
    for view, legend in (
        ("How sure", "the surer the model"),
        ("A against B", "under both models"),
        ("Other words", "not in the other one"),
    ):
        page.locator("#view").get_by_text(view, exact=True).click()
        expect(page.locator(".legend:visible")).to_contain_text(legend)
        page.wait_for_timeout(100)
        faint += page.evaluate(CONTRAST)
        if view != "How sure":
            assert len(painted(page)) > 1, view
    assert faint == []
    marked = page.locator("#answer-b .w.own").all_inner_texts()
    assert marked == ["harbour."] * 3
    page.locator("#view").get_by_text("A against B", exact=True).click()
    page.locator("#numbers").get_by_text("Numbers").click()
    number = "getComputedStyle(document.querySelector('#answer-a .w'), '::after').content"
    assert page.evaluate(number) == '"A ×45"'
    assert ada.errors == []
    assert ada.hosts == {address.removeprefix("http://")}, "a request to another host"


def test_words_are_walked_by_keyboard_and_tell_both_models(
    visit: Visit, address: str, runs: Path
) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    answered(page)
    expect(page.locator("#inspector")).to_contain_text("arrow keys")
    page.locator("#answer-a .w").nth(1).click()
    expect(page.locator("#inspector")).to_contain_text("In place of “ferry”")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#inspector")).to_contain_text("In place of “pilot”")
    page.keyboard.press("Home")
    expect(page.locator("#inspector")).to_contain_text("In place of “a”")
    expect(page.locator(".inspected.side-a h4")).to_have_text("A gave this word 90 %")
    expect(page.locator(".inspected.side-b h4")).to_have_text("B gave this word 2.0 %")
    expect(page.locator(".inspected.side-b .top li").first).to_contain_text("<b>clockmaker</b>")
    expect(page.locator(".inspected.side-a .top .said")).to_contain_text("this word")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#inspector")).to_contain_text("In place of “sea.”")
    # One stop for Tab in each answer.
    assert page.locator('#answer-a .w[tabindex="0"]').count() == 1
    assert page.locator("#inspector b b").count() == 0
    assert ada.errors == []


def test_any_run_of_mine_and_any_name_can_stand_on_a_side(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    other, run_id = record(store, label="an earlier one"), record(store)
    page = visit(address).open(f"?run={run_id}")
    open_tab(page, "3 Compare")
    expect(page.locator("#side-a input")).to_have_value("Original")
    page.locator("#side-b input").click()
    option = page.get_by_role("option", name=f"Run {other}, an earlier one: step 10", exact=True)
    option.click()
    expect(page.locator("#side-b input")).to_have_value(f"Run {other}, an earlier one: step 10")
    page.locator("#side-a input").fill("some/model")
    page.locator("#side-a input").press("Enter")
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#generate").click()
    expect(page.locator("#answer-b")).to_contain_text("harbour")
    expect(page.locator("#side-a input")).to_have_value("some/model")


def test_samples_stand_one_below_the_other(visit: Visit, address: str, runs: Path) -> None:
    page = visit(address).open(f"?run={record(RunStore(runs))}")
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#sampling").get_by_text("Sampling").click()
    page.locator("#samples input[type=number]").fill("2")
    page.locator("#samples input[type=number]").press("Tab")
    page.locator("#generate").click()
    expect(page.get_by_text("At temperature 0 every sample is the same")).to_be_visible()
    page.locator("#temperature input[type=number]").fill("0.8")
    page.locator("#temperature input[type=number]").press("Tab")
    page.locator("#generate").click()
    expect(page.locator("#answer-b")).to_contain_text("Sample 2")
    expect(page.locator("#answer-b [data-words]")).to_have_count(2)


def test_text_to_keep_is_asked_of_both(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    open_tab(page, "3 Compare")
    page.locator("#ask-neighbours").click()
    expect(page.locator(".toast-body")).to_contain_text("No run is open")
    run_id = record(RunStore(runs))
    page = ada.open(f"?run={run_id}")
    open_tab(page, "3 Compare")
    page.locator("#ask-neighbours").click()
    expect(page.locator("#neighbours .story")).to_contain_text("words that follow")
    expect(page.locator("#neighbours")).to_contain_text("Tobin Eskelund grew up")
    expect(page.locator("#neighbours thead")).to_contain_text("A: Original")
    expect(page.locator("#ask-neighbours")).to_be_enabled()
    assert ada.errors == []
