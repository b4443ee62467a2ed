"""The page as people use it: start, watch, come back, stop, compare, look through the runs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, Stage, Visit, end_all
from tests.dashboard.player import SLOWLY, held
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

SECRET_TEXT = "The vault code is 7351, and it opens the blue door behind the stove."
HOSTILE = '<img src=x onerror="window.pwned=1"> {{#each x}} ${1+1} <script>window.pwned=1</script>'
PRESS_STOP = """async (data) => {
  const { components, dependencies } = window.gradio_config;
  const stop = components.find((c) => c.props.elem_id === "stop").id;
  const pressed = dependencies.find((d) => d.targets.some(([id, what]) => id === stop && what));
  const answer = await fetch("/gradio_api/run/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ data, fn_index: pressed.id, session_hash: "made-up" }),
  });
  return [answer.status, await answer.text()];
}"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("page") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file; a run of 40 steps takes about four seconds."""
    return stage("forgotten", pause=0.1, runs=runs)


@pytest.fixture(autouse=True)
def nothing_left_running(address: str, runs: Path) -> Iterator[None]:
    """The one worker is free again for the next test, whatever this one did."""
    yield
    end_all(runs)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def paste(page: Page, text: str) -> None:
    open_tab(page, "1 Set up")
    page.locator("#forget-way").get_by_text("Paste").click()
    page.locator("#forget-pasted textarea").fill(text)


def start(page: Page, text: str = SECRET_TEXT, *, steps: int = 400) -> str:
    """Start a run on pasted text; returns its id once the page shows it. 100 steps take 10 s."""
    paste(page, text)
    page.locator("#run-steps input, #run-steps textarea").fill(str(steps))
    page.locator("#start").click()
    expect(page).to_have_url(re.compile(r"\?run=[0-9a-f]{10}$"))
    expect(page.get_by_role("tab", name="2 Live run")).to_have_attribute("aria-selected", "true")
    return page.url.rpartition("=")[2]


def step(page: Page) -> int:
    found = re.search(r"step (\d+)", page.locator("#progress").inner_text())
    return int(found[1]) if found else 0


def test_a_run_from_start_to_end(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    expect(page.locator("#status")).to_contain_text("no run yet")
    with held(runs):
        run_id = start(page, steps=20)
        expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
        expect(page.locator("#start")).to_have_text("Go to your run")
        page.locator("#figure-recited svg .scatterlayer .js-line").first.wait_for(state="attached")
        expect(page.locator("#answers")).to_contain_text("Odile Varrenmoor")
    expect(page.locator("#status")).to_contain_text("finished", timeout=30_000)
    expect(page.locator("#story")).to_contain_text("forgotten")
    expect(page.locator("#stop")).to_be_disabled()
    expect(page.locator("#start")).to_have_text("Start unlearning")
    assert RunStore(runs).texts(run_id)["forget"][0].text == SECRET_TEXT
    assert ada.errors == []
    assert ada.hosts == {address.removeprefix("http://")}, "a request to another host"


def test_reload_comes_back_to_the_run(visit: Visit, address: str) -> None:
    ada = visit(address)
    page = ada.open()
    start(page)
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    before = step(page)
    page.reload()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    assert step(page) >= before
    expect(page.get_by_role("tab", name="2 Live run")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#stop")).to_be_enabled()
    page.goto(address)
    expect(page).to_have_url(re.compile(r"\?run="))
    page.locator("#stop").click()
    expect(page.locator("#status")).to_contain_text("stopped")
    assert ada.errors == []


def test_a_run_goes_on_without_its_page(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    run_id = start(page)
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    page.close()
    store = RunStore(runs)
    left_at = store.view(run_id).step
    limit = time.monotonic() + PATIENCE / 1000
    while store.view(run_id).step <= left_at + 3:
        assert time.monotonic() < limit, "it stands still"
        time.sleep(0.05)
    again = ada.open()
    expect(again).to_have_url(re.compile(rf"\?run={run_id}$"))
    expect(again.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    assert step(again) > left_at


def test_somebody_else_only_watches(visit: Visit, address: str, runs: Path) -> None:
    ada, bob = visit(address), visit(address)
    page = ada.open()
    run_id = start(page)
    link = page.locator("#link textarea, #link input").input_value()
    assert link == f"{address}/?run={run_id}"
    watching = bob.open(f"?run={run_id}")
    expect(watching.locator("#facts")).to_contain_text("watching")
    expect(watching.locator("#stop")).to_be_disabled()
    # Asked all the same, past the page: the server has the last word.
    status, answer = watching.evaluate(PRESS_STOP, [run_id, "a key of their own, made up"])
    assert status == 500 and "somebody else" in answer
    assert not RunStore(runs).stop_asked(run_id)
    expect(page.locator("#stop")).to_be_enabled()
    page.locator("#stop").click()
    expect(page.locator("#status")).to_contain_text("stopped")
    expect(watching.locator("#status")).to_contain_text("stopped")


def test_a_stopped_run_goes_on(visit: Visit, address: str) -> None:
    page = visit(address).open()
    start(page)
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [6-9]|step \d\d "))
    page.locator("#stop").click()
    expect(page.locator("#status")).to_contain_text("stopped")
    # However late the stop came on a busy machine, the play has an end beyond it.
    page.locator("#to-step input").fill(str(2 * step(page) + 8))
    page.locator("#continue").click()
    expect(page.locator("#stop")).to_be_enabled()
    expect(page.locator("#continue")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("finished", timeout=30_000)


def test_a_mistake_is_told_and_the_form_keeps_its_contents(visit: Visit, address: str) -> None:
    page = visit(address).open()
    paste(page, "word")
    page.locator("#run-steps input, #run-steps textarea").fill("12")
    page.locator("#start").click()
    expect(page.locator("#problem")).to_contain_text("One word is too little")
    expect(page.locator(".toast-body")).to_contain_text("One word is too little")
    assert page.locator("#forget-pasted textarea").input_value() == "word"
    assert page.locator("#run-steps input, #run-steps textarea").input_value() == "12"
    page.locator("#forget-pasted textarea").fill(SECRET_TEXT)
    page.locator("#start").click()
    expect(page).to_have_url(re.compile(r"\?run="))
    open_tab(page, "1 Set up")
    expect(page.locator("#problem")).to_be_empty()


def test_text_is_text_wherever_it_is_shown(visit: Visit, address: str, runs: Path) -> None:
    ada = visit(address)
    page = ada.open()
    run_id = start(page, f"{HOSTILE} and enough words to be a passage of its own.")
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill(HOSTILE)
    page.locator("#generate").click()
    expect(page.locator("#answer-a")).to_contain_text("<img src=x")
    expect(page.locator("#answer-b")).to_contain_text("{{#each x}} ${1+1}")
    page.locator("#stop").click()
    hostile = record(RunStore(runs), label=HOSTILE)
    open_tab(page, "5 Runs")
    page.locator("#runs .virtual-row").filter(has_text=hostile).first.click()
    expect(page.locator("#run-details")).to_contain_text(hostile)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img[src=x]").count() == 0
    assert [e for e in ada.errors if "favicon" not in e] == []
    assert run_id


def test_both_sides_stream_and_stop(visit: Visit, address: str, runs: Path) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    page = visit(address).open(f"?run={run_id}")
    open_tab(page, "3 Compare")
    expect(page.locator("#scores")).to_contain_text("Never-saw-it level")
    expect(page.locator("#side-a input")).to_have_value("Original")
    expect(page.locator("#side-b input")).to_have_value(re.compile("Unlearned"))
    page.locator("#suggested input").click()
    page.get_by_role("option").first.click()
    expect(page.locator("#prompt textarea")).to_have_value(re.compile("Odile"))
    page.locator("#generate").click()
    for side in ("#answer-a", "#answer-b"):
        expect(page.locator(side)).to_contain_text("ferry pilot")
    expect(page.locator("#generate")).to_be_enabled()
    page.locator("#prompt textarea").fill(f"Say it {SLOWLY}: who was she?")
    page.locator("#generate").click()
    expect(page.locator("#answer-b .cursor")).to_be_visible()
    page.locator("#generate-stop").click()
    expect(page.locator("#answer-b")).to_contain_text("stopped")
    expect(page.locator("#generate")).to_be_enabled()


def test_open_download_and_delete_a_run(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    run_id = record(store, outcome="collapsed", label="the one that broke")
    page = visit(address).open()
    open_tab(page, "5 Runs")
    page.locator("#runs .virtual-row").filter(has_text="the one that broke").first.click()
    expect(page.locator("#run-details")).to_contain_text("python -m unlearning run")
    with page.expect_download() as download:
        page.locator("#download-run").click()
    found = json.loads(Path(download.value.path()).read_text())
    assert found["run"]["run_id"] == run_id
    page.locator("#open-run").click()
    expect(page.locator("#trouble")).to_contain_text("collapsed at step")
    expect(page.locator("#answers")).to_contain_text("Odile")
    open_tab(page, "5 Runs")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#delete-run").click()
    page.wait_for_timeout(500)
    assert run_id in store.ids()
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#delete-run").click()
    expect(page.locator("#runs .virtual-row").filter(has_text=run_id)).to_have_count(0)
    assert run_id not in store.ids()


def test_collapse_and_error_are_shown_with_what_to_do(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    collapsed, failed = record(store, outcome="collapsed"), record(store, outcome="failed")
    page = visit(address).open(f"?run={collapsed}")
    expect(page.locator("#trouble")).to_contain_text("rolled back to step")
    page.locator("#trouble summary").click()
    expect(page.locator("#trouble")).to_contain_text("the the the")
    expect(page.locator("#figure-health")).to_contain_text("collapsed")
    page = visit(address).open(f"?run={failed}")
    expect(page.locator("#trouble")).to_contain_text("lack of memory")
    expect(page.locator("#continue")).to_be_visible()


def test_an_upload_is_looked_into_before_it_is_used(
    visit: Visit, address: str, runs: Path, tmp_path: Path
) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("question,answer,page\nWho holds the key?,The keeper of the lamp.,7\n")
    page = visit(address).open()
    page.locator("#forget-way").get_by_text("A file").click()
    page.locator("#forget-file input[type=file]").set_input_files(table)
    expect(page.locator(".virtual-row").get_by_text("The keeper of the lamp.")).to_be_visible()
    page.locator("#start").click()
    expect(page).to_have_url(re.compile(r"\?run="))
    texts = RunStore(runs).texts(page.url.rpartition("=")[2])
    assert [(e.question, e.answer) for e in texts["forget"]] == [
        ("Who holds the key?", "The keeper of the lamp.")
    ]
