"""Pictures of every tab: `python -m tests.browser.screenshots` writes them into screenshots/."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET_FLAGS, ROOT, Visitor, serving
from tests.dashboard.attacked import keep
from tests.dashboard.recorded import record
from unlearning.runs.store import RunStore

FOLDER = ROOT / "screenshots"
SIZES = {"projector": (1280, 720), "desktop": (1920, 1080), "phone": (390, 844)}


@dataclass(frozen=True)
class Scene:
    """One picture: which run, and what is done before it is taken."""

    name: str
    outcome: str | None
    act: Callable[[Page], None]


def open_tab(page: Page, name: str) -> None:
    """Select a tab, on a phone through the menu behind the dots."""
    button = page.get_by_role("tab", name=name)
    if not button.is_visible():
        page.locator(".overflow-menu > button").click()
        button = page.locator(".overflow-dropdown").get_by_text(name)
    button.click()


def _set_up(page: Page) -> None:
    open_tab(page, "1 Set up")


def _set_up_check(page: Page) -> None:
    _set_up(page)
    page.locator("#check-first").click()
    page.locator(".check-verdict").wait_for()


def _live(page: Page) -> None:
    open_tab(page, "2 Live run")
    page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")


def _live_back(page: Page) -> None:
    _live(page)
    page.locator("#travel-step").press("End")
    page.locator("#trajectory .chosen").wait_for()


def _compare(page: Page) -> None:
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill("Odile Varrenmoor was born in Hallowick, the daughter of")
    page.locator("#generate").click()
    page.locator("#answer-b .cursor").wait_for(state="detached")


def _compare_words(page: Page) -> None:
    _compare(page)
    page.locator("#answer-b [data-words]").wait_for()
    page.locator("#view").get_by_text("A against B", exact=True).click()
    page.locator("#numbers").get_by_text("Numbers").click()
    page.locator("#answer-a .w").first.click()


def _compare_kept(page: Page) -> None:
    open_tab(page, "3 Compare")
    page.locator("#ask-neighbours").click()
    page.locator("#neighbours .story").wait_for()
    page.locator("#neighbours").scroll_into_view_if_needed()


def _stress(page: Page) -> None:
    open_tab(page, "4 Stress tests")
    page.locator("#attack-results .attack-result").first.wait_for()


def _stress_open(page: Page) -> None:
    _stress(page)
    for place in (1, 2):
        page.locator(".attack-result > summary").nth(place).click()


def _runs(page: Page) -> None:
    open_tab(page, "5 Runs")
    page.locator("#runs .virtual-row").first.click()
    page.locator("#run-details").wait_for()


def _learn(page: Page) -> None:
    open_tab(page, "Learn")
    page.locator(".lesson .katex").first.wait_for()


SCENES = (
    Scene("1-setup", None, _set_up),
    Scene("1-setup-check", None, _set_up_check),
    Scene("2-live-forgotten", "forgotten", _live),
    Scene("2-live-collapsed", "collapsed", _live),
    Scene("2-live-look-back", "collapsed", _live_back),
    Scene("2-live-failed", "failed", _live),
    Scene("3-compare", "forgotten", _compare),
    Scene("3-compare-words", "forgotten", _compare_words),
    Scene("3-compare-kept", "forgotten", _compare_kept),
    Scene("4-stress", "forgotten", _stress),
    Scene("5-runs", "forgotten", _runs),
    Scene("6-learn", None, _learn),
)


def main() -> None:
    """Take all pictures anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        runs = Path(scratch) / "runs"
        store = RunStore(runs)
        recorded = {
            outcome: record(store, outcome=outcome)
            for outcome in ("stopped", "failed", "collapsed", "forgotten")
        }
        for attack in ("sequential", "prompts", "quantise", "relearn"):
            keep(store, recorded["forgotten"], attack)
        command = ["-m", "tests.browser.stage", "--runs", str(runs), "--pause", "0.02"]
        with serving(command, Path(scratch) / "log.txt") as address:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET_FLAGS))
            for size in SIZES:
                for dark in (False, True):
                    _take(browser, address, recorded, size, dark)
            browser.close()
    print(f"{len(list(FOLDER.iterdir()))} pictures in {FOLDER}")


def _take(browser: Browser, address: str, recorded: dict[str, str], size: str, dark: bool) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    visitor = Visitor(context, address)
    for scene in SCENES:
        query = f"?run={recorded[scene.outcome]}" if scene.outcome else ""
        page = visitor.open(query)
        scene.act(page)
        # Fonts, figures and the table settle.
        page.wait_for_timeout(700)
        name = f"{scene.name}-{size}-{'dark' if dark else 'light'}.png"
        page.screenshot(path=FOLDER / name, full_page=size == "phone")
        page.close()
    context.close()
    if visitor.errors:
        raise SystemExit(f"errors on the page: {visitor.errors}")


if __name__ == "__main__":
    main()
