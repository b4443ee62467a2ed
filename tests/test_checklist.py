"""The checklist of the page names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "page.md"


def test_every_named_test_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 50
    for file, test in named:
        source = (TESTS / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in source, f"{file}::{test}"


def test_every_feature_is_shown_or_said_to_be_missing() -> None:
    rows = re.findall(r"^\| (P\d) \| .+ \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(rows) > 40
    assert all("`" in shown or "missing" in shown for _, shown in rows)
    assert all("`" in shown for priority, shown in rows if priority == "P0")
