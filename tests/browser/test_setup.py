"""Set up as people use it: look, turn, check, keep, share, and start from the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit, Visitor
from tests.browser.test_looks import CONTRAST, in_view
from tests.dashboard.player import held

SECRET = "The vault code is 7351 and it opens the blue door."


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("setup") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file; a check takes about half a second."""
    return stage("forgotten", pause=0.05, runs=runs)


def clean(visitor: Visitor) -> None:
    """No error on the console and no request to another host."""
    assert visitor.errors == []
    assert visitor.hosts == {visitor.address.removeprefix("http://")}


def paste(page: Page, text: str = SECRET) -> None:
    page.locator("#forget-way").get_by_text("Paste").click()
    page.locator("#forget-pasted textarea").fill(text)


def unfold(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).locator("visible=true").click()


def test_a_check_gives_a_verdict_and_offers_to_teach(
    visit: Visit, address: str, runs: Path
) -> None:
    ada = visit(address)
    page = ada.open()
    with held(runs):
        page.locator("#check-first").click()
        expect(page.locator("#stop-check")).to_be_visible()
    expect(page.locator(".check-verdict")).to_contain_text("There is something to forget")
    expect(page.locator(".check-price")).to_contain_text("fits")
    assert in_view(page, ".check-verdict") and in_view(page, "#start")
    paste(page)
    expect(page.locator("#check")).to_be_empty()
    page.locator("#check-first").click()
    expect(page.locator(".check-verdict")).to_contain_text("does not know this text")
    page.locator("#teach-first").click()
    expect(page.locator("#teach-teach_first input")).to_be_checked()
    expect(page.locator("#teach-first")).to_be_hidden()
    page.locator("#check-first").click()
    expect(page.locator(".check-verdict")).to_contain_text("It will be taught first")
    page.locator(".check summary").click()
    expect(page.locator(".check-passages")).to_contain_text("The vault code")
    clean(ada)


def test_a_check_can_be_stopped(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    with held(runs):
        page.locator("#check-first").click()
        expect(page.locator("#check")).to_contain_text("Timing a step")
        page.locator("#stop-check").click()
        expect(page.locator("#check")).to_contain_text("was stopped")
        expect(page.locator("#check-first")).to_be_enabled()
    clean(ada)


def test_the_dial_turns_by_keyboard_and_the_fields_follow(visit: Visit, address: str) -> None:
    ada = visit(address)
    page = ada.open()
    slider = page.locator("#strength input[type=range]")
    unfold(page, "Hyperparameters of UNDIAL")
    depth = page.locator("#method-undial-strength input[type=number]")
    expect(depth).to_have_value("10")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(depth).to_have_value("15")
    expect(page.locator("#strength-note")).to_contain_text("Firm")
    depth.fill("37")
    depth.press("Tab")
    expect(page.locator("#strength-note")).to_contain_text("Own values (strength 37)")
    page.locator("#method").get_by_text("NPO", exact=True).click()
    expect(page.locator("#strength-note")).to_contain_text("Default (learning rate)")
    expect(slider).to_have_value("3")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#strength-note")).to_contain_text(re.compile(r"Mild.*learning rate 0\."))
    unfold(page, "More settings")
    expect(page.locator("#run-learning_rate").get_by_role("textbox")).not_to_have_value("")
    clean(ada)


def test_formulas_are_drawn_without_another_host(visit: Visit, address: str) -> None:
    ada = visit(address)
    page = ada.open()
    unfold(page, "How it works")
    expect(page.locator(".formula .katex").locator("visible=true").first).to_be_visible()
    clean(ada)


def test_settings_travel_as_a_file_and_as_a_link(
    visit: Visit, address: str, tmp_path: Path
) -> None:
    ada, bob = visit(address), visit(address)
    page = ada.open()
    paste(page)
    page.locator("#method").get_by_text("GradDiff", exact=True).click()
    page.locator("#run-steps").get_by_role("textbox").fill("9")
    with page.expect_download() as waiting:
        page.locator("#save-settings").click()
    file = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(file)
    found = json.loads(file.read_text())
    assert found["config"]["steps"] == 9 and found["pasted"] == {"forget": SECRET}
    page.locator("#share-settings").click()
    link = page.locator("#settings-link textarea, #settings-link input")
    expect(link).to_have_value(re.compile(r"\?settings="))
    clean(ada)

    other = bob.open(link.input_value().removeprefix(f"{address}/"))
    expect(other.locator("#run-steps").get_by_role("textbox")).to_have_value("9")
    expect(other.locator("#method input:checked")).to_have_value("grad_diff")
    expect(other.locator("#settings-told")).to_contain_text("filled")
    expect(other.locator("#forget-pasted")).to_be_hidden()
    with other.expect_file_chooser() as choosing:
        other.locator("#load-settings").click()
    choosing.value.set_files(file)
    expect(other.locator("#forget-pasted textarea")).to_have_value(SECRET)
    bad = tmp_path / "bad.json"
    bad.write_text('{"format": "<script>window.pwned = 1</script>"}')
    with other.expect_file_chooser() as choosing:
        other.locator("#load-settings").click()
    choosing.value.set_files(bad)
    expect(other.get_by_text("holds no settings of Lethe")).to_be_visible()
    assert other.evaluate("window.pwned") is None
    clean(bob)


def test_code_can_be_copied_and_looks_right(visit: Visit, address: str) -> None:
    for dark in (False, True):
        ada = visit(address, dark=dark)
        page = ada.open()
        paste(
            page, "<script>window.pwned = 1</script> is all that was ever said of it, and no more."
        )
        page.locator("#show-code").click()
        expect(page.locator("#code pre").first).to_contain_text("--forget pasted-forget.txt")
        expect(page.locator("#code")).to_contain_text("Save the pasted text as pasted-forget.txt")
        page.locator("#code [data-copy]").first.click()
        expect(page.locator("#code [data-copy]").first).to_have_text(re.compile("Copied|Selected"))
        page.locator("#share-settings").click()
        page.locator("#settings-link").wait_for()
        page.locator("#check-first").click()
        page.locator(".check-verdict").wait_for()
        page.wait_for_timeout(300)
        assert page.evaluate(CONTRAST) == []
        for width in (390, 800, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_timeout(200)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("window.pwned") is None
        clean(ada)
