"""The present view and replay: watched from afar, blurred, played again, and never changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Stage, Visit, serving
from tests.dashboard.recorded import record
from unlearning.runs.recordings import adopt
from unlearning.runs.store import RunStore

REPLAYS = ROOT / "assets" / "replays"
HIDDEN = (".sidebar", "#tabs", "#stop", "#start", "#replay-bar", "footer")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("present") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    return stage("forgotten", pause=0.05, runs=runs)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real entry point, playing what comes with Lethe."""
    folder = tmp_path_factory.mktemp("recordings")
    with serving(["app.py", "--replay", str(REPLAYS)], folder / "log.txt") as address:
        yield address


def present(page: Page) -> str:
    page.locator("#present-texts .said-pair:not([hidden])").first.wait_for()
    return page.locator("#present-texts .said-pair:not([hidden])").inner_text()


def wide(page: Page) -> int:
    """Pixels that stand out of the window sideways."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize(
    ("width", "height", "dark"), [(1280, 720, False), (1920, 1080, True), (390, 844, True)]
)
def test_two_texts_one_chart_and_the_meter(
    visit: Visit, address: str, runs: Path, width: int, height: int, dark: bool
) -> None:
    run_id = record(RunStore(runs), outcome="collapsed")
    ada = visit(address, width=width, height=height, dark=dark)
    page = ada.context.new_page()
    page.on("console", lambda m: m.type == "error" and ada.errors.append(m.text))
    page.on("request", lambda request: ada.hosts.add(request.url.split("/")[2]))
    page.goto(f"{address}/?view=present&run={run_id}")
    told = present(page)
    assert "Original" in told and "Unlearned, step 5" in told and "clockmaker" in told
    page.locator("#figure-present svg .js-line").first.wait_for(state="attached")
    expect(page.locator("#present-meter")).to_contain_text("healthy")
    expect(page.locator("#present-head")).to_contain_text("collapsed at step 24")
    for hidden in HIDDEN:
        assert page.locator(hidden).first.is_hidden(), hidden
    size = page.locator(".said-pair .veiled >> nth=1").evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    assert size >= (28 if width >= 1280 else 20)
    assert wide(page) <= 0
    if width >= 1280:
        tall = page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
        assert tall <= 0, "it does not fit one screen"
    assert page.url.endswith(f"?view=present&run={run_id}")
    assert ada.errors == [] and ada.hosts == {address.removeprefix("http://")}


def test_keys_blur_the_texts_and_change_the_prompt(visit: Visit, address: str, runs: Path) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    page = visit(address).context.new_page()
    page.goto(f"{address}/?view=present&run={run_id}")
    assert "1 of 6" in present(page)
    expect(page.locator("#present-hint")).to_contain_text("B blurs the texts")
    page.keyboard.press("ArrowRight")
    assert "2 of 6" in present(page)
    page.wait_for_timeout(1500)
    assert "2 of 6" in present(page), "a look does not turn back"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert "6 of 6" in present(page)
    veiled = page.locator(".said-pair:not([hidden]) .veiled").first
    page.keyboard.press("b")
    expect(page.locator(".present-told")).to_contain_text("blurred")
    assert "blur" in veiled.evaluate("e => getComputedStyle(e).filter")
    page.keyboard.press("B")
    assert veiled.evaluate("e => getComputedStyle(e).filter") == "none"


def test_the_page_links_to_the_projector(visit: Visit, address: str, runs: Path) -> None:
    run_id = record(RunStore(runs), outcome="forgotten")
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    with ada.context.expect_page() as opened:
        page.locator("#present-link").click()
    assert opened.value.url == f"{address}/?view=present&run={run_id}"
    present(opened.value)
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-copy-href]").click()
    expect(page.locator("[data-copy-href]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == opened.value.url


def test_an_ended_run_is_played_again(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    (run_id,) = adopt(REPLAYS / "undial" / "events.jsonl", store)
    folder = store.folder(run_id)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    expect(page.locator("#status")).to_contain_text("finished")
    page.locator("#replay").click()
    expect(page.locator("#replay-place")).to_contain_text("Playing")
    expect(page.locator("#stop")).to_have_text("Played back")
    expect(page.locator("#progress")).to_contain_text("step 0 of 20")
    page.locator("#replay-speed input").click()
    page.get_by_role("option", name="64× speed").click()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"))
    page.locator("#replay-hold").click()
    expect(page.locator("#replay-place")).to_contain_text(re.compile("Held|Over"))
    page.locator("#replay-again").click()
    expect(page.locator("#replay-place")).to_contain_text("Over", timeout=30_000)
    expect(page.locator("#status")).to_contain_text("finished")
    expect(page.locator("#story")).to_contain_text("All 20 steps are done")
    page.locator("#replay-leave").click()
    expect(page.locator("#replay-bar")).to_be_hidden()
    expect(page.locator("#replay")).to_be_visible()
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert ada.errors == []


def test_a_page_of_recordings_plays_and_computes_nothing(visit: Visit, recordings: str) -> None:
    ada = visit(recordings)
    page = ada.open()
    expect(page.locator("#replay-place")).to_contain_text("Recorded run")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"step [1-9]"), timeout=60_000)
    expect(page.locator("#answers")).to_contain_text("Dunstan Lornloft")
    page.get_by_role("tab", name="1 Set up").click()
    page.locator("#start").click()
    expect(page.locator("#problem")).to_contain_text("plays recorded runs")
    page.get_by_role("tab", name="3 Compare").click()
    page.locator("#prompt textarea").fill("Dunstan")
    page.locator("#generate").click()
    expect(page.locator(".toast-body").last).to_contain_text("no model to compute with")
    page.get_by_role("tab", name="5 Runs").click()
    expect(page.locator("#runs .virtual-row")).to_have_count(1)
    assert ada.errors == []
