"""The one kind of error that its reader can fix."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right: what is wrong and why, and what to do about it.

    Raised where the fact is known and shown in three places: a toast, the run's card,
    the command line (exit status 2). Everything else is a defect and keeps its traceback.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint
