"""axe-core on every tab, light and dark: nothing serious in our markup, Gradio's own by name."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Stage, Visit
from tests.browser.screenshots import open_tab
from tests.dashboard.attacked import keep
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

KNOWN = Path(__file__).with_name("gradio_violations.json")
"""Rule to the tags of Gradio's own elements that break it, on any tab in either theme."""
TABS = ("1 Set up", "2 Live run", "3 Compare", "4 Stress tests", "5 Runs", "Learn")

RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  return serious.flatMap((violation) => violation.nodes.map((node) => {
    const element = document.querySelector(node.target[0]);
    // What stands in an HTML block or a figure is written by us, the rest by Gradio.
    const ours = element.closest(".html-container, [id^='figure-']");
    return [ours ? "ours" : "gradio", violation.id, element.tagName.toLowerCase(), node.html];
  }));
}"""


def serious(page: Page) -> list[tuple[str, str, str, str]]:
    """Whose, rule, tag and markup of every serious or critical violation on the page."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    return [tuple(found) for found in page.evaluate(RUN)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("accessible") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs)


def test_nothing_serious_is_ours_and_gradios_is_known(
    visit: Visit, address: str, runs: Path
) -> None:
    store = RunStore(runs)
    run_id = record(store, outcome="collapsed")
    for attack in ("prompts", "quantise", "relearn", "sequential"):
        keep(store, run_id, attack)
    ours, theirs = set(), {}
    for dark in (False, True):
        page = visit(address, dark=dark).open(f"?run={run_id}")
        page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")
        for tab in TABS:
            open_tab(page, tab)
            page.wait_for_timeout(500)
            for whose, rule, tag, markup in serious(page):
                if whose == "ours":
                    ours.add((tab, "dark" if dark else "light", rule, markup[:200]))
                else:
                    theirs.setdefault(rule, set()).add(tag)
        page.close()
    assert sorted(ours) == []
    assert {rule: sorted(tags) for rule, tags in sorted(theirs.items())} == json.loads(
        KNOWN.read_text(encoding="utf-8")
    )
