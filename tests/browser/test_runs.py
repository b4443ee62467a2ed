"""The Runs tab as people use it: find, compare, race, rename, delete and undo, take away."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Stage, Visit, Visitor, looked
from tests.browser.screenshots import open_tab
from tests.browser.test_looks import CONTRAST, in_view
from tests.dashboard.recorded import record
from unlearning.exports.adapter import SETTINGS, WEIGHTS
from unlearning.runs.store import RunStore

HOSTILE = '<img src=x onerror="window.pwned=1"> {{#each x}} ${1+1} <script>window.pwned=1</script>'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("runs") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage("forgotten", pause=0.02, runs=runs)


def clean(visitor: Visitor) -> None:
    """No error on the console and no request to another host."""
    assert visitor.errors == []
    assert visitor.hosts == {visitor.address.removeprefix("http://")}


def choose(page: Page, run_id: str) -> None:
    page.locator("#runs .virtual-row").filter(has_text=run_id).first.click()
    expect(page.locator("#run-details h3")).to_have_text(f"Run {run_id}")


def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.locator(button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def with_adapter(store: RunStore, **named: str) -> str:
    run_id = record(store, **named)
    for step in store.snapshots(run_id):
        folder = store.folder(run_id) / "snapshots" / f"step-{step}" / "student"
        folder.mkdir()
        (folder / WEIGHTS).write_bytes(b"weights")
        (folder / SETTINGS).write_text('{"r": 8}')
    return run_id


def test_take_everything_away(visit: Visit, address: str, runs: Path, tmp_path: Path) -> None:
    store = RunStore(runs)
    run_id = with_adapter(store, label=HOSTILE)
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    expect(page.locator("#no-run-chosen")).to_be_visible()
    choose(page, run_id)
    name, report = downloaded(page, "#download-report")
    assert name == f"run-{run_id}-report.html" and b"<img" not in report
    name, text = downloaded(page, "#download-run")
    assert json.loads(text)["run"]["run_id"] == run_id and name.endswith("settings.json")
    assert downloaded(page, "#download-curves")[1].startswith(b"phase,step,")
    assert b"memorization_accuracy,forget" in downloaded(page, "#download-metrics")[1]
    assert downloaded(page, "#download-votes")[1].startswith(b"time,voter,prompt,")
    assert b"@inproceedings{dong2025undial" in downloaded(page, "#download-bibtex")[1]
    for button, inside in (("adapter", WEIGHTS), ("merged", "model.safetensors")):
        name, content = downloaded(page, f"#download-{button}")
        (tmp_path / name).write_bytes(content)
        assert name == f"run-{run_id}-{button}.zip"
        assert inside in zipfile.ZipFile(tmp_path / name).namelist()
    assert page.evaluate("window.pwned") is None
    clean(ada)


def test_the_report_opens_offline_with_its_own_slider(
    visit: Visit, address: str, runs: Path, tmp_path: Path
) -> None:
    store = RunStore(runs)
    run_id = record(store, label=HOSTILE)
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    choose(page, run_id)
    file = tmp_path / "report.html"
    file.write_bytes(downloaded(page, "#download-report")[1])
    ada.context.set_offline(True)
    report, errors, asked = ada.context.new_page(), [], []
    report.on("console", lambda message: errors.append(message.text))
    report.on("pageerror", lambda error: errors.append(str(error)))
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    expect(report.locator(".verdict")).to_contain_text("Forgotten: it knew 100%")
    expect(report.locator("#said")).to_contain_text("ferry pilot")
    slider = report.locator("#report-step")
    slider.focus()
    slider.press("Home")
    expect(report.locator("#looked")).to_have_text("What the model says at step 0")
    expect(report.locator("#said td").nth(1)).to_contain_text("a clockmaker")
    slider.press("ArrowRight")
    expect(report.locator(".curve-slider output")).to_have_text("1")
    cursors = report.locator(".curve .cursor")
    assert cursors.count() >= 4
    expect(cursors.first).to_have_attribute("visibility", "visible")
    report.locator(".curve svg").nth(1).hover(position={"x": 200, "y": 60})
    expect(report.locator(".curve-slider output")).not_to_have_text("1")
    assert errors == [] and asked == [file.as_uri()]
    assert report.evaluate("window.pwned") is None
    for width in (390, 1280):
        report.set_viewport_size({"width": width, "height": 800})
        assert report.evaluate("document.documentElement.scrollWidth") <= width


def test_delete_undo_and_delete(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    ada = visit(address)
    page = ada.open()
    open_tab(page, "1 Set up")
    page.locator("#run-steps input, #run-steps textarea").fill("4")
    page.locator("#start").click()
    expect(page).to_have_url(re.compile(r"\?run="))
    run_id = page.url.rpartition("=")[2]
    expect(page.locator("#status")).to_contain_text("finished")
    open_tab(page, "5 Runs")
    choose(page, run_id)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#delete-run").click()
    expect(page.locator("#run-undo")).to_contain_text(f"Run {run_id} is deleted")
    expect(page.locator("#run-undo")).to_contain_text(re.compile(r"brought back for \d+ s"))
    expect(page.locator("#runs .virtual-row").filter(has_text=run_id)).to_have_count(0)
    assert run_id not in store.ids()
    # Somebody else is offered nothing; a reload of one's own page offers it again.
    bob = visit(address).open()
    open_tab(bob, "5 Runs")
    bob.wait_for_timeout(400)
    expect(bob.locator("#run-undo")).to_be_hidden()
    page.reload()
    looked(page)
    open_tab(page, "5 Runs")
    page.locator("#undelete-run").click()
    expect(page.locator("#runs .virtual-row").filter(has_text=run_id).first).to_be_visible()
    expect(page.locator("#run-undo")).to_be_hidden()
    assert store.view(run_id).status == "finished"
    choose(page, run_id)
    page.locator("#run-name input, #run-name textarea").fill("  my\tbest one ")
    page.locator("#rename-run").click()
    expect(page.locator("#runs")).to_contain_text("my best one")
    page.locator("#continue-steps input, #continue-steps textarea").fill("x")
    page.locator("#continue-run").click()
    expect(page.locator(".toast-body").filter(has_text="'x' is no number")).to_be_visible()
    page.locator("#continue-steps input, #continue-steps textarea").fill("30")
    page.locator("#continue-run").click()
    expect(page.get_by_role("tab", name="2 Live run")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#progress")).to_contain_text(re.compile(r"of 30"))
    clean(ada)


def test_compare_runs_side_by_side(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    ids = [
        record(store, outcome="forgotten", method="undial"),
        record(store, outcome="collapsed", method="gradient_ascent"),
        record(store, outcome="diverged", method="npo"),
    ]
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    for run_id in ids:
        choose(page, run_id)
        page.locator("#add-run").click()
        page.locator(".toast-body").filter(
            has_text=f"{ids.index(run_id) + 1} to compare"
        ).wait_for()
    page.get_by_role("tab", name="Compare runs").click()
    expect(page.locator("#compared-figures tbody tr")).to_have_count(3)
    expect(page.locator("#compared-figures")).to_contain_text("on the front")
    expect(page.locator("#run-differences")).to_contain_text("gradient_ascent")
    expect(page.locator("#overlay .js-line")).not_to_have_count(0)
    expect(page.locator("#pareto")).to_contain_text("never saw it")
    page.locator("#compared-utility").get_by_text("general perplexity").click()
    expect(page.locator("#pareto")).to_contain_text("times the original's")
    name, text = downloaded(page, "#cite-runs")
    assert name == "methods.bib" and text.count(b"@") == 3
    clean(ada)


def test_a_race_from_one_press(visit: Visit, address: str, runs: Path) -> None:
    store = RunStore(runs)
    ada = visit(address)
    page = ada.open()
    open_tab(page, "5 Runs")
    page.get_by_role("tab", name="Method race").click()
    expect(page.locator("#race-ground")).to_contain_text("of the built-in example")
    page.locator("#race-steps input, #race-steps textarea").fill("60")
    page.locator("#start-race").click()
    expect(page.locator("#race .curve")).to_have_count(3)
    racers = store.racers(page.url.rpartition("=")[2])
    assert len(racers) == 3 and {store.config(r).steps for r in racers} == {60}
    # The cursor stays where it is put while the charts go on growing.
    page.locator("#race-step").focus()
    page.locator("#race-step").press("Home")
    page.locator("#race-step").press("ArrowRight")
    expect(page.locator("#race .pill").filter(has_text="finished")).to_have_count(3)
    expect(page.locator("#race output")).to_have_text("1")
    expect(page.locator("#race-step")).to_be_focused()
    expect(page.locator("#race tbody")).to_contain_text("Forgotten: it knew")
    page.locator("#compare-racers").click()
    expect(page.locator("#compared-figures tbody tr")).to_have_count(3)
    expect(page.locator("#overlay .js-line")).not_to_have_count(0)
    clean(ada)


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_readable_and_fits(visit: Visit, address: str, runs: Path, dark: bool) -> None:
    store = RunStore(runs)
    run_id = record(store)
    ada = visit(address, dark=dark)
    page = ada.open(f"?run={run_id}")
    open_tab(page, "5 Runs")
    choose(page, run_id)
    for selector in ("#runs", "#open-run", "#download-report", "#rename-run", "#continue-run"):
        assert in_view(page, selector), selector
    page.locator("#add-run").click()
    for part in ("All runs", "Compare runs", "Method race"):
        page.get_by_role("tab", name=part).click()
        page.wait_for_timeout(500)
        assert page.evaluate(CONTRAST) == [], part
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, part
        page.set_viewport_size({"width": 1280, "height": 720})
    clean(ada)
