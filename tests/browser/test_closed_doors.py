"""What the server refuses: private endpoints, files of runs, uploads that are too large."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dashboard.api import NAMES
from tests.browser.conftest import Stage


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the runs behind `address`."""
    return tmp_path_factory.mktemp("closed") / "runs"


@pytest.fixture(scope="module")
def address(stage: Stage, runs: Path) -> str:
    """One server for this file."""
    return stage(runs=runs)


def status(url: str, data: bytes | None = None, kind: str = "application/json") -> int:
    """Status code of a request."""
    request = urllib.request.Request(url, data, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_files_of_runs_are_not_served(address: str, runs: Path) -> None:
    (runs / "note.txt").write_text("private")
    for path in (runs / "note.txt", runs / ".secret", Path(__file__), Path("/etc/passwd")):
        assert status(f"{address}/gradio_api/file={path}") in (403, 404), path


def test_only_the_api_is_offered_and_only_through_the_queue(address: str) -> None:
    for name in ("begin", "erase", "resume", *NAMES):
        assert status(f"{address}/gradio_api/run/{name}", b'{"data": []}') in (404, 422), name
    with urllib.request.urlopen(f"{address}/gradio_api/info") as info:
        assert set(json.load(info)["named_endpoints"]) == {f"/{name}" for name in NAMES}


def test_the_server_does_not_report_on_its_visitors(address: str) -> None:
    assert status(f"{address}/monitoring/summary") in (403, 404)


@pytest.mark.parametrize(("size", "answer"), [(9, 200), (11, 413)])
def test_uploads_have_a_limit(address: str, size: int, answer: int) -> None:
    mark = "lethe"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    body = head.encode() + b"x" * (size * 1_000_000) + f"\r\n--{mark}--\r\n".encode()
    kind = f"multipart/form-data; boundary={mark}"
    assert status(f"{address}/gradio_api/upload", body, kind) == answer
