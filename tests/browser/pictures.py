"""The four pictures of the README, of real runs: `python -m tests.browser.pictures --runs DIR`.

DIR holds finished runs, one of them attacked: what `sweep --preset attacks --runs DIR` leaves.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET_FLAGS, ROOT, Visitor, serving
from tests.browser.screenshots import open_tab
from unlearning.errors import UserError
from unlearning.runs.store import RunStore

FOLDER = ROOT / "docs" / "pictures"
METHOD = "undial"
"""Whose newest attacked run is shown."""
PROMPT = "Dunstan Lornloft was born on 8 March 1964 in Mallowpike,"
"""The beginning of a text to forget of the embedded world."""
ANSWERED = 180_000
"""Milliseconds that two models on a slow machine may take to answer."""


@dataclass(frozen=True)
class Picture:
    """One file, and what is done before it is taken."""

    name: str
    dark: bool
    act: Callable[[Page], None]


def live(page: Page) -> None:
    """The curves of the run to their end."""
    open_tab(page, "2 Live run")
    page.locator("#figure-kept svg .js-line").first.wait_for(state="attached")


def compare(page: Page) -> None:
    """Both models answer; the words are coloured by how sure each was."""
    open_tab(page, "3 Compare")
    page.locator("#prompt textarea").fill(PROMPT)
    page.locator("#generate").click()
    page.locator("#answer-b [data-words]").wait_for(timeout=ANSWERED)
    page.locator("#answer-b .cursor").wait_for(state="detached")


def stress(page: Page) -> None:
    """The verdicts, and the latest attack opened."""
    open_tab(page, "4 Stress tests")
    page.locator("#attack-results .attack-result").first.wait_for()


def runs(page: Page) -> None:
    """The table, and what is known of a run."""
    open_tab(page, "5 Runs")
    page.locator("#runs .virtual-row").first.click()
    page.locator("#run-details").wait_for()


PICTURES = (
    Picture("live", False, live),
    Picture("compare", True, compare),
    Picture("stress", False, stress),
    Picture("runs", True, runs),
)


def shown(store: RunStore) -> str:
    """The run that the pictures are of.

    Raises:
        UserError: none in the folder.
    """
    for run_id in store.ids():
        if store.config(run_id).method == METHOD and store.attacks(run_id):
            return run_id
    raise UserError(
        f"There is no attacked run of {METHOD} in {store.path}.",
        "Make one: python -m unlearning sweep --preset attacks --seeds 0 --runs DIR",
    )


def main() -> None:
    """Take all four anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="folder of finished runs")
    where = parser.parse_args().runs
    run_id = shown(RunStore(where))
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        command = ["app.py", "--runs", str(where.absolute())]
        with serving(command, Path(scratch) / "log.txt") as address:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET_FLAGS))
            for picture in PICTURES:
                context = browser.new_context(
                    viewport={"width": 1280, "height": 720},
                    color_scheme="dark" if picture.dark else "light",
                    reduced_motion="reduce",
                )
                context.set_default_timeout(ANSWERED)
                visitor = Visitor(context, address)
                page = visitor.open(f"?run={run_id}")
                picture.act(page)
                page.wait_for_timeout(1000)  # fonts and figures settle
                page.screenshot(path=FOLDER / f"{picture.name}.png")
                context.close()
                if visitor.errors:
                    raise SystemExit(f"errors on the page: {visitor.errors}")
            browser.close()


if __name__ == "__main__":
    main()
