"""Browser profiles that are used again: to one that knows the page it opens in half the time."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

PROCESS_PER_PROFILE = "--process-per-site"
"""Flag of Chromium: all tabs of a profile share a process, and what it has compiled."""
USES = 15
"""Tests that a profile serves before a new one takes its place: its process grows."""

NO_CLOCK = r"""(() => {
  const CLOCK = /^\(\)=>\{[^{}]*performance\.now\(\)-[^{}]*\/1e3\)[^{}]*&&[\w$]+\(\)\}$/;
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) =>
    CLOCK.test(Function.prototype.toString.call(draw)) ? 0 : ask(draw);
})();"""
"""The clock of Gradio 6.31's loading screen is never stopped: it asks for every frame as long as a
page is open, which takes a twelfth of a core for each."""


class Profile:
    """A browser context, with a tab that keeps its process alive between two tests."""

    def __init__(self, browser: Browser, dark: bool, width: int, height: int) -> None:
        self.key = dark, width, height
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self.context.add_init_script(NO_CLOCK)
        self.used = 0
        self._held: Page | None = None
        self._tools: CDPSession | None = None

    def tidy(self, address: str) -> None:
        """Leave nothing of the visitor of that address but what the browser made of its scripts."""
        self.context.set_offline(False)
        if self._held is None:
            self._held = self.context.new_page()
            self._tools = self.context.new_cdp_session(self._held)
            self._held.goto(f"{address}/theme.css")
        for page in self.context.pages:
            if page is not self._held:
                page.close()
        self.context.clear_cookies()
        self.context.clear_permissions()
        everything = {"origin": address, "storageTypes": "all"}
        self._tools.send("Storage.clearDataForOrigin", everything)


class Profiles:
    """Hands profiles out and takes them back; one of a kind is kept for the next test."""

    KEPT = ((False, 1280, 720), (True, 1280, 720))
    """Kinds that many tests ask for."""

    def __init__(self, browser: Browser, *, patience: int) -> None:
        self._browser, self._patience = browser, patience
        self._idle: dict[tuple[bool, int, int], Profile] = {}

    def take(self, dark: bool, width: int, height: int) -> Profile:
        """One in which nobody has been, or that has been tidied."""
        profile = self._idle.pop((dark, width, height), None)
        if profile is None:
            profile = Profile(self._browser, dark, width, height)
        profile.used += 1
        profile.context.set_default_timeout(self._patience)
        return profile

    def give_back(self, profile: Profile, address: str) -> None:
        """Keep it tidied; else it is closed."""
        key = profile.key
        if key in self.KEPT and key not in self._idle and profile.used < USES:
            with suppress(PlaywrightError):  # of a page that no longer answers
                profile.tidy(address)
                self._idle[key] = profile
                return
        profile.context.close()
