"""The stress tests as people use them: choose a run, attack, watch, stop, come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit, Visitor, looked
from tests.browser.test_looks import CONTRAST, in_view
from tests.dashboard.attacked import keep
from tests.dashboard.player import held
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("stress") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file; an attack takes about two seconds."""
    return stage("forgotten", pause=0.06, runs=runs)


def clean(visitor: Visitor) -> None:
    """No error on the console and no request to another host."""
    assert visitor.errors == []
    assert visitor.hosts == {visitor.address.removeprefix("http://")}


def stress(page: Page) -> None:
    page.get_by_role("tab", name="4 Stress tests").click()


def test_without_runs_one_sentence_says_what_to_do(visit: Visit, stage: Stage) -> None:
    ada = visit(stage())
    page = ada.open()
    stress(page)
    expect(page.locator("#attack-status")).to_contain_text("No run is open")
    expect(page.locator("#attack-relearn")).to_be_disabled()
    expect(page.locator("#attack-results")).to_be_empty()
    clean(ada)


def test_from_a_button_to_a_verdict_that_outlives_a_reload(
    visit: Visit, address: str, runs: Path
) -> None:
    run_id = record(RunStore(runs))
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    stress(page)
    expect(page.locator("#attack-run input")).to_have_value(re.compile(run_id))
    expect(page.locator("#attack-results")).to_contain_text("Nobody has attacked this run yet.")
    for button, words in (
        ("#attack-relearn", "Suppressed, not removed"),
        ("#attack-quantise", "Comes back"),
        ("#attack-prompts", "probes get more of the text out of it"),
        ("#attack-sequential", "Wears out"),
    ):
        with held(runs):
            page.locator(button).click()
            expect(page.locator("#attack-status")).to_contain_text("is under way")
            expect(page.locator(button)).to_be_disabled()
        expect(page.locator("#attack-results .attack-verdict").first).to_contain_text(words)
        expect(page.locator(button)).to_be_enabled()
    page.reload()
    looked(page)
    stress(page)
    expect(page.locator("#attack-results .attack-result")).to_have_count(4)
    page.locator("#attack-results summary").get_by_text("4-bit copy").click()
    expect(page.locator(".before-after")).to_be_visible()
    assert page.evaluate("window.pwned") is None
    clean(ada)


def test_settings_are_used_and_a_mistake_is_told(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    run_id = record(store)
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    stress(page)
    page.locator("#attack-step input").fill("7")
    page.locator("#attack-step input").press("Enter")
    page.locator("#attack-relearn").click()
    expect(page.locator(".toast-body")).to_contain_text("no snapshot of step 7")
    page.locator("#attack-step input").click()
    page.get_by_role("option", name="Step 20").click()
    page.locator("#settings-relearn > button").click()
    page.locator("#attack-relearn-steps input").first.fill("8")
    page.locator("#attack-relearn").click()
    expect(page.locator(".attack-head")).to_contain_text("step 20 · steps 8")
    found = store.attacks(run_id)[0]
    assert found["settings"]["steps"] == 8 and found["models"]["unlearned"] == f"run:{run_id}@20"
    clean(ada)


def test_an_attack_is_stopped_and_a_reload_finds_it_on_the_way(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    run_id = record(store)
    page = visit(address).open(f"?run={run_id}")
    stress(page)
    page.locator("#settings-relearn > button").click()
    page.locator("#attack-relearn-steps input").first.fill("400")
    page.locator("#attack-relearn").click()
    expect(page.locator("#attack-status")).to_contain_text("on the unlearned model · step")
    page.reload()
    looked(page)
    stress(page)
    expect(page.locator("#attack-status")).to_contain_text("is under way")
    page.locator("#stop-attack").click()
    expect(page.locator("#attack-status")).to_contain_text("was stopped; nothing of it is kept")
    expect(page.locator("#stop-attack")).to_be_hidden()
    assert store.attacks(run_id) == []


def test_the_newest_own_run_is_meant_and_another_can_be_chosen(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    other, newest = record(store, label="the older one"), record(store, label="the newest one")
    ada = visit(address)
    page = ada.open()
    stress(page)
    expect(page.locator("#attack-run input")).to_have_value(re.compile("the newest one"))
    expect(page).to_have_url(re.compile(newest))
    page.locator("#attack-run input").click()
    page.get_by_role("option", name=re.compile("the older one")).click()
    expect(page).to_have_url(re.compile(other))
    expect(page.locator("#facts")).to_contain_text(other)
    clean(ada)


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_one_screen_and_readable(visit: Visit, address: str, runs: Path, dark: bool) -> None:
    store = RunStore(runs)
    run_id = record(store)
    for name in ("sequential", "prompts", "quantise", "relearn"):
        keep(store, run_id, name)
    ada = visit(address, dark=dark)
    page = ada.open(f"?run={run_id}")
    stress(page)
    page.locator(".curves:not(.requests)").wait_for()
    for selector in ("#attack-run", "#attack-sequential", "#attack-status", ".attack-verdict",
                     ".curves:not(.requests) .curves-legend"):  # fmt: skip
        assert in_view(page, selector), selector
    tops = page.locator(".attack > button").evaluate_all(
        "buttons => buttons.map(button => button.getBoundingClientRect().top)"
    )
    assert len(tops) == 4 and max(tops) - min(tops) < 1, "four attacks stand side by side"
    for place in (1, 2, 3):
        page.locator(".attack-result > summary").nth(place).click()
    assert page.evaluate(CONTRAST) == []
    # Marked text counts, too; and nothing sticks out on a phone.
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    frame = page.locator(".scores-frame:has(table.requests)")
    assert frame.evaluate("box => box.scrollWidth - box.clientWidth") <= 0
    clean(ada)
