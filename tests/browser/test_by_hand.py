"""Done by hand on the page: replay from the list, lists of values, the membership threshold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Stage, Visit, Visitor, end_all, looked
from tests.browser.screenshots import open_tab
from tests.browser.test_accessibility import serious
from tests.browser.test_runs import choose
from tests.dashboard.recorded import record
from tests.dashboard.test_membership import measured
from unlearning.runs.recordings import adopt
from unlearning.runs.store import RunStore

REPLAYS = ROOT / "assets" / "replays"
FORGET = [0.02 + 0.01 * i for i in range(30)] + [1.2, 2.2]
UNSEEN = [0.28, *(1.5 + 0.05 * i for i in range(31))]
AFTER = [1.3 + 0.06 * i for i in range(32)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("by-hand") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage("forgotten", pause=0.03, runs=runs)


def clean(visitor: Visitor) -> None:
    """No error on the console and no request to another host."""
    assert visitor.errors == []
    assert visitor.hosts == {visitor.address.removeprefix("http://")}


def with_scores(store: RunStore) -> str:
    run_id = record(store)
    store.append(run_id, measured("original", FORGET, UNSEEN))
    store.append(run_id, measured("unlearned", AFTER, UNSEEN))
    return run_id


def explorer(page: Page) -> None:
    open_tab(page, "4 Stress tests")
    page.locator(".membership-model").first.scroll_into_view_if_needed()


def test_a_recorded_run_is_replayed_from_the_list(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    (run_id,) = adopt(REPLAYS / "undial" / "events.jsonl", store)
    folder = store.folder(run_id)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    choose(page, run_id)
    page.locator("#replay-run").click()
    expect(page.locator("#replay-place")).to_contain_text("Recorded run")
    expect(page.locator("#status .pill")).to_contain_text("replay:")
    expect(page.locator("#stop")).to_have_text("Played back")
    expect(page.locator("#facts")).to_contain_text("nothing is computed")
    page.locator("#replay-speed input").click()
    page.get_by_role("option", name="64× speed").click()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    # Opened, it is the run itself again.
    open_tab(page, "5 Runs")
    page.locator("#open-run").click()
    expect(page.locator("#replay-bar")).to_be_hidden()
    expect(page.locator("#status .pill")).to_have_text("finished")
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    clean(ada)


def test_a_list_of_values_becomes_a_queue_and_an_overlay(
    visit: Visit, address: str, runs: Path
) -> None:
    store, ada = RunStore(runs), visit(address)
    page = ada.open()
    open_tab(page, "1 Set up")
    page.locator("#run-steps input, #run-steps textarea").fill("8")
    page.locator("#method").get_by_text("NPO", exact=True).click()
    page.get_by_role("button", name="Try several values").click()
    page.locator("#several-field input").click()
    expect(page.get_by_role("option", name="NPO: beta")).to_be_visible()
    page.get_by_role("option", name="Learning rate").click()
    page.locator("#several-values input, #several-values textarea").fill("1e-3, fast")
    page.locator("#several-start").click()
    expect(page.locator("#problem")).to_contain_text("'fast' in the list of values is no number")
    there = set(store.ids())
    page.locator("#several-values input, #several-values textarea").fill("1e-3, 3e-3")
    page.locator("#several-start").click()
    expect(page).to_have_url(re.compile(r"\?run="))
    made = set(store.ids()) - there
    assert {store.config(one).learning_rate for one in made} == {1e-3, 3e-3}
    # While it goes on, memory stands beside the collapse meter.
    expect(page.locator("#memory [role=meter]")).to_have_attribute(
        "aria-valuetext", re.compile("0.91 of 16.0 gigabytes in use")
    )
    open_tab(page, "5 Runs")
    page.get_by_role("tab", name="Method race").click()
    expect(page.locator("#race")).to_contain_text("learning rate 0.003")
    expect(page.locator("#race .pill").filter(has_text="finished")).to_have_count(2)
    page.locator("#compare-racers").click()
    expect(page.locator("#compared-table, #overlay").first).to_be_visible()
    page.locator("#overlay svg .js-line").first.wait_for(state="attached")
    end_all(runs)
    clean(ada)


def test_the_threshold_counts_right_and_wrong(visit: Visit, address: str, runs: Path) -> None:
    plain, run_id = record(RunStore(runs)), with_scores(RunStore(runs))
    ada = visit(address)
    page = ada.open(f"?run={plain}")
    open_tab(page, "4 Stress tests")
    expect(page.locator(".membership-note")).to_contain_text("once a run with texts")
    expect(page.locator(".membership-body")).to_be_hidden()
    page.goto(f"{address}/?run={run_id}")
    looked(page)
    explorer(page)
    original = page.locator(".membership-model.original")
    unlearned = page.locator(".membership-model.unlearned")
    expect(original).to_contain_text("31 of 32 forget texts are called seen, rightly; 1 of 32")
    expect(original).to_contain_text("AUC 0.98 (95 % interval 0.40 to 1.00); 0.5 is guessing.")
    expect(unlearned).to_contain_text("1 of 32 forget texts are called seen, rightly; 1 of 32")
    expect(unlearned).to_contain_text("AUC 0.49")
    asked: list[str] = []
    slider = page.locator("#membership-threshold")
    slider.focus()
    page.wait_for_timeout(300)
    page.on("request", lambda request: asked.append(request.url))
    slider.press("End")
    expect(original).to_contain_text("32 of 32 forget texts are called seen, rightly; 32 of 32")
    slider.press("Home")
    expect(unlearned).to_contain_text("0 of 32 forget texts are called seen, rightly; 0 of 32")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^score "))
    # The clock may have come by meanwhile; twelve keys would have asked twelve times.
    for _ in range(9):
        slider.press("ArrowRight")
    assert len(asked) <= 3, asked
    expect(original.locator("svg .forget")).to_have_count(32)
    expect(original.locator("svg .unseen")).to_have_count(32)
    assert [found for found in serious(page) if found[0] == "ours"] == []
    clean(ada)


def test_the_merged_model_is_written_and_the_push_is_told(
    visit: Visit, address: str, runs: Path
) -> None:
    """The model that the stage writes is none: the push ends there, before the Hub is asked."""
    store = RunStore(runs)
    run_id = record(store)
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    choose(page, run_id)
    page.get_by_role("button", name="Share: Hub and Trackio").click()
    page.locator("#hub-repository input, #hub-repository textarea").fill("no name")
    page.locator("#push-merged").click()
    expect(page.locator(".toast-body")).to_contain_text("is no repository of the Hub")
    page.locator(".toast-close").first.click()
    page.locator("#hub-repository input, #hub-repository textarea").fill("ada/whole")
    page.locator("#hub-token input").fill("hf_token-of-nobody")
    page.locator("#push-merged").click()
    expect(page.locator("#hub-token input")).to_have_value("")
    expect(page.locator("#push-told")).to_contain_text("model is being sent")
    expect(page.locator(".toast-body")).to_contain_text("is not complete")
    expect(page.locator("#push-told")).to_be_empty()
    assert (store.folder(run_id) / "exports" / "merged" / "model.safetensors").is_file()
    kept = [p for p in runs.rglob("*") if p.is_file()]
    assert not [p for p in kept if b"token-of-nobody" in p.read_bytes()]
    clean(ada)
