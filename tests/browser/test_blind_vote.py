"""Compare in the browser: strength of an adapter, and votes that know no names."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit
from tests.browser.screenshots import open_tab
from tests.browser.test_looks import CONTRAST
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore
from unlearning.runs.votes import votes_of

PROMPT = "Odile Varrenmoor was born in Hallowick in 1931, the daughter of"
EDGES = """() => ["side", "blind-name"].map((name) => new Set(
  [...document.querySelectorAll("#comparison ." + name)]
    .map((one) => getComputedStyle(one).borderColor)).size)"""
NARROW = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("blind") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs, pause=0.01)


def compare(page: Page) -> None:
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill(PROMPT)


def generate(page: Page) -> None:
    page.locator("#generate").click()
    page.locator("#vote-cast").wait_for()
    expect(page.locator("#generate")).to_be_enabled()


def test_the_strength_of_an_adapter_is_turned_by_keyboard(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    run_id, full = record(store), record(store)
    store.change_config(full, lora_rank=0)
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    compare(page)
    slider = page.locator("#strength-b input[type=range]")
    expect(slider).to_have_value("1")
    expect(page.locator("#strength-a")).to_have_count(0)
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#strength-b input[type=number]")).to_have_value("1.5")
    page.locator("#generate").click()
    expect(page.locator("#answer-b")).to_contain_text("strength 1.5.")
    expect(page.locator("#answer-a")).to_contain_text("by the sea.")
    expect(page.locator("#answer-a")).not_to_contain_text("strength")
    expect(page.locator("#generate")).to_be_enabled()
    page.locator("#ask-neighbours").click()
    expect(page.locator("#neighbours thead")).to_contain_text("strength 1.5")
    page.locator("#side-b input").fill("demo-retain")
    page.locator("#side-b input").press("Enter")
    expect(page.locator("#strength-b")).to_have_count(0)
    page.locator("#side-b input").fill(f"run:{full}")
    page.locator("#side-b input").press("Enter")
    expect(page.locator("#strength-b")).to_contain_text("no adapter to turn")
    expect(slider).to_be_disabled()
    expect(slider).to_have_value("1")
    assert ada.errors == []
    assert ada.hosts == {address.removeprefix("http://")}, "a request to another host"


def test_nobody_can_tell_before_the_vote_and_everybody_after_it(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    run_id = record(store)
    ada = visit(address)
    page = ada.open(f"?run={run_id}")
    compare(page)
    blind = page.locator("#blind input")
    blind.focus()
    page.keyboard.press("Space")
    expect(page.locator("#votes")).to_contain_text("Between Original and Unlearned, step 30.")
    expect(page.locator("#votes")).to_contain_text("No votes on this run yet")
    generate(page)
    expect(page.locator("#answer-name-a")).to_have_text("Answer A")
    shown = page.locator("#comparison").inner_html()
    for told in ("riginal", "nlearned", run_id, "demo", "data-p", "data-words", " of 33 words"):
        assert told not in shown, told
    assert page.evaluate(EDGES) == [1, 1], "the sides have equal colours"
    for hidden in ("#side-a", "#strength-b", "#ask-neighbours", "#view"):
        expect(page.locator(hidden)).not_to_be_visible()
    expect(page.locator("#vote")).to_contain_text("The text goes on: “a clockmaker.")
    page.locator("#vote-cast").click()
    expect(page.get_by_text("A question is not answered yet")).to_be_visible()
    # By keyboard from question to question to the button.
    page.locator("#vote-knows input").first.focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#vote-writes input").nth(2)).to_be_checked()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.locator("#vote-cast")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#vote-told")).to_have_text(f"Your vote is kept with run {run_id}.")
    expect(page.locator("#vote-told")).to_be_focused()
    (vote,) = votes_of(store, run_id)
    assert (vote.knows, vote.writes) == ("a", "both")
    names = [page.locator(f"#answer-name-{side}").inner_text() for side in "ab"]
    step = "Unlearned, step 30"
    first = "Original" if vote.a.model == f"original:{run_id}" else step
    assert names == [f"A: {first}", f"B: {step if first == 'Original' else 'Original'}"]
    knowing = page.locator("table.votes tbody tr").filter(has_text=first)
    expect(knowing.locator("td").first).to_contain_text("1 of 1 100 % (21 % to 100 %)")
    expect(page.locator("#answer-a [data-words]")).to_have_count(1)
    expect(page.locator("#vote")).not_to_be_visible()
    # The same once more is shown, and does not count.
    generate(page)
    assert page.locator("#answer-name-a").inner_text() == "Answer A"
    page.locator("#vote-knows").get_by_text("Neither").click()
    page.locator("#vote-writes").get_by_text("Neither").click()
    page.locator("#vote-cast").click()
    expect(page.locator("#vote-told")).to_contain_text("You have voted on these answers before")
    assert [page.locator(f"#answer-name-{side}").inner_text() for side in "ab"] == names
    assert votes_of(store, run_id) == [vote]
    # Without the switch everything is as it was.
    blind.uncheck()
    expect(page.locator("#side-b input")).to_have_value("Unlearned, step 30")
    expect(page.locator("#strength-b")).to_be_visible()
    expect(page.locator("#ask-neighbours")).to_be_visible()
    expect(page.locator("#answer-a")).to_have_text("The answer appears here.")
    assert ada.errors == []
    assert ada.hosts == {address.removeprefix("http://")}, "a request to another host"


def test_somebody_elses_run_can_be_judged_but_keeps_no_vote(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    run_id = record(store, owner="somebody else's key")
    bob = visit(address, dark=True, width=390, height=844)
    page = bob.open(f"?run={run_id}")
    compare(page)
    page.locator("#blind input").check()
    expect(page.locator("#votes")).to_contain_text("belongs to somebody else")
    generate(page)
    assert "clockmaker" not in page.locator("#vote").inner_text(), "not a watcher's text"
    assert page.evaluate(NARROW)
    assert page.evaluate(CONTRAST) == []
    page.locator("#vote-knows").get_by_text("Both").click()
    page.locator("#vote-writes").get_by_text("Neither").click()
    page.locator("#vote-cast").click()
    expect(page.locator("#vote-told")).to_contain_text("The vote is not kept. This run belongs")
    expect(page.locator("#answer-name-a")).to_contain_text("A: ")
    assert page.evaluate(NARROW)
    assert page.evaluate(CONTRAST) == []
    assert votes_of(store, run_id) == []
    assert bob.errors == []
