"""A profile that is used again holds nothing of whoever used it before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.profiles import USES, Profiles

LEAVE = """() => {
  localStorage.setItem("key", "ada");
  sessionStorage.setItem("key", "ada");
  document.cookie = "key=ada";
}"""
FOUND = "[localStorage.length, sessionStorage.length, document.cookie]"
DARK = "matchMedia('(prefers-color-scheme: dark)').matches"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Two files of the names that the page has."""
    for name in ("index.html", "theme.css"):
        (tmp_path / name).write_text("")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_nothing_is_left_of_the_last_visitor(browser: Browser, address: str) -> None:
    profiles = Profiles(browser, patience=10_000)
    first = profiles.take(False, 1280, 720)
    page = first.context.new_page()
    page.goto(address)
    page.evaluate(LEAVE)
    assert page.evaluate(FOUND) == [1, 1, "key=ada"]
    first.context.set_offline(True)
    profiles.give_back(first, address)
    assert page.is_closed()

    other = profiles.take(True, 1280, 720)
    assert other is not first, "another theme is another profile"
    again = profiles.take(False, 1280, 720)
    assert again is first
    beside = profiles.take(False, 1280, 720)
    assert beside is not first, "two visitors never share one"
    for profile, dark in ((again, False), (other, True)):
        page = profile.context.new_page()
        page.goto(address)
        assert page.evaluate(FOUND) == [0, 0, ""]
        assert page.evaluate(DARK) is dark
        assert page.viewport_size == {"width": 1280, "height": 720}

    again.used = USES
    profiles.give_back(again, address)
    fresh = profiles.take(False, 1280, 720)
    assert fresh is not again, "its process has grown enough"
    for profile in (other, beside, fresh):
        profile.context.close()
