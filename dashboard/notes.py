"""Short notes under a field. Whatever they tell is escaped."""

from __future__ import annotations

import html

from dashboard.language import _, plural


def note(text: str, *, bad: bool = False) -> str:
    """A quiet line; `bad` makes it an alert. Nothing for nothing."""
    kind = ' class="note bad" role="alert"' if bad else ' class="note"'
    return f"<p{kind}>{html.escape(text.strip())}</p>" if text.strip() else ""


def nothing() -> str:
    """In place of an answer without a word."""
    return f"<em>{_('nothing at all')}</em>"


def counted(count: int, one: str, many: str) -> str:
    """'1 passage', '2 passages', nothing for 0."""
    return f"{count:,} {plural(count, one, many)}" if count else ""
