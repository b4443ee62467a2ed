"""Lessons as people do them: predict, press, watch, come back and read what came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.lessons import LESSONS
from tests.browser.conftest import Stage, Visit, end_all
from unlearning.runs.store import RunStore

BY_KEY = {lesson.key: lesson for lesson in LESSONS}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learn") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    return stage("forgotten", pause=0.02, runs=runs)


@pytest.fixture(autouse=True)
def nothing_left_running(address: str, runs: Path) -> Iterator[None]:
    yield
    end_all(runs)


def open_lesson(page: Page, key: str) -> None:
    page.get_by_role("tab", name="Learn").click()
    page.locator("#lesson").get_by_text(BY_KEY[key].title).click()
    page.locator(f"#do-{key}").wait_for()


def do(page: Page, key: str, guess: int) -> str:
    """Predict and press; returns the id of the run once its page is open."""
    before = page.url
    open_lesson(page, key)
    page.locator(f"#guess-{key}").get_by_text(BY_KEY[key].choices[guess]).click()
    page.locator(f"#do-{key}").click()
    expect(page.get_by_role("tab", name="2 Live run")).to_have_attribute(
        "aria-selected", "true", timeout=30_000
    )
    expect(page).not_to_have_url(before)
    expect(page.locator("#facts")).to_contain_text(page.url.rpartition("=")[2])
    expect(page.locator("#status")).to_contain_text("finished", timeout=30_000)
    return page.url.rpartition("=")[2]


def test_two_lessons_that_build_on_each_other(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    ada.context.set_default_timeout(60_000)
    page = ada.open()
    store = RunStore(runs)
    # What was typed before is none of the lesson's.
    page.locator("#run-steps input, #run-steps textarea").fill("7")
    first = do(page, "settling", 1)
    config = store.config(first)
    assert config.steps == 40 and config.forget == "preset:world/forget/record"
    assert config.label == BY_KEY["settling"].label and len(store.texts(first)["forget"]) == 12
    page.locator("#to-lesson").click()
    told = page.locator("#told-settling")
    expect(told).to_contain_text(re.compile("[Yy]ou expected: It settles near its goal"))
    expect(told).to_contain_text(first)
    second = do(page, "requests", 0)
    assert store.config(second).model == f"run:{first}"
    assert {example.group for example in store.texts(second)["forget"]} == {"author"}
    open_lesson(page, "requests")
    page.locator("#ask-requests").click()
    expect(page.locator("#side-a input")).to_have_value(f"original:{first}")
    # The list of models may have come since, with a name for it.
    named = re.compile(f"run:{second}|Unlearned, step 30")
    expect(page.locator("#side-b input")).to_have_value(named)
    expect(page.locator("#prompt textarea")).to_have_value(re.compile("Odile"))
    page.locator("#generate").click()
    expect(page.locator("#answer-b")).to_contain_text("ferry pilot")
    assert ada.errors == [] and ada.hosts == {address.removeprefix("http://")}


def test_a_lesson_with_its_own_text_and_the_attack(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    # A lesson fills some forty widgets at once: on a busy machine that takes its time.
    ada.context.set_default_timeout(60_000)
    page = ada.open()
    open_lesson(page, "gone")
    page.locator("#do-gone").click()
    expect(page.locator(".toast-body")).to_contain_text("None of your runs has ended")
    open_lesson(page, "requests")
    page.locator("#do-requests").click()
    expect(page.locator(".toast-body").last).to_contain_text("Do that lesson first")
    run_id = do(page, "memorising", 0)
    assert RunStore(runs).texts(run_id)["forget"][0].text == BY_KEY["memorising"].text
    assert RunStore(runs).config(run_id).teach_first
    open_lesson(page, "gone")
    page.locator("#guess-gone").get_by_text(BY_KEY["gone"].choices[1]).click()
    page.locator("#do-gone").click()
    expect(page.get_by_role("tab", name="4 Stress tests")).to_have_attribute(
        "aria-selected", "true"
    )
    expect(page.locator("#attack-results .attack-result").first).to_be_visible(timeout=30_000)
    open_lesson(page, "gone")
    page.locator("#explain-gone").click()
    expect(page.locator("#told-gone")).to_contain_text("✓ As you expected: It comes back")
    assert ada.errors == []


def test_formula_and_glossary_on_a_phone(visit: Visit, address: str) -> None:
    ada = visit(address, width=390, height=844, dark=True)
    page = ada.open()
    page.get_by_role("tab", name="Learn").click()
    expect(page.locator(".lesson .katex").first).to_be_visible()
    page.locator("#glossary").get_by_text("Glossary").click()
    expect(page.locator("dl.glossary")).to_contain_text("memorization accuracy")
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert ada.errors == [] and ada.hosts == {address.removeprefix("http://")}
