"""Requests and their answers: a file each, the answer growing line by line."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unlearning.errors import UserError
from unlearning.runs.check import CheckRequest
from unlearning.runs.requests import Delta, GenerateRequest, Request
from unlearning.runs.store import write_atomically
from unlearning.workers.presence import Mark, alive, own_mark

MOST_REQUESTS = 32
STALE_SECONDS = 600.0
"""Answers that nobody fetched for so long are removed."""
LOOK_SECONDS = 0.03
QUIET_SECONDS = 0.5
"""Longest silence before an empty delta lets the reader breathe."""
END = b'"end"'
ABANDONED = "The worker process ended before it had answered. Ask again."


class Channel:
    """Both ends. A request's file stands as long as somebody wants the answer."""

    def __init__(self, requests: Path, replies: Path) -> None:
        self._requests, self._replies = requests, replies
        for path in (requests, replies):
            path.mkdir(parents=True, exist_ok=True)

    def _request_path(self, name: str) -> Path:
        return self._requests / f"{name}.json"

    def _reply_path(self, name: str) -> Path:
        return self._replies / f"{name}.jsonl"

    # the asking end

    def ask(self, request: Request) -> str:
        """Leave a request; returns its name.

        Raises:
            UserError: too many wait already.
        """
        if len(self.names()) >= MOST_REQUESTS:
            self.tidy()
        if len(self.names()) >= MOST_REQUESTS:
            raise UserError(
                f"The worker is busy: {MOST_REQUESTS} requests wait already.",
                "Ask again in a moment.",
            )
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        content = {
            "mark": own_mark().model_dump(),
            "kind": "check" if isinstance(request, CheckRequest) else "generate",
            "request": request.model_dump(mode="json"),
        }
        write_atomically(self._request_path(name), json.dumps(content))
        return name

    def listen(self, name: str, served: Callable[[], bool]) -> Iterator[Delta]:
        """Read an answer while it is written; `served` says whether a worker lives."""
        offset, quiet = 0, 0.0
        while True:
            lines = _lines(self._reply_path(name), offset)
            for line in lines:
                if line == END:
                    return
                yield Delta.model_validate_json(line)
            offset += sum(len(line) + 1 for line in lines)
            quiet = 0.0 if lines else quiet + LOOK_SECONDS
            if quiet >= QUIET_SECONDS:
                quiet = 0.0
                if not served():
                    yield Delta(kind="error", text=ABANDONED)
                    return
                with suppress(FileNotFoundError):
                    os.utime(self._request_path(name))
                yield Delta()
            time.sleep(LOOK_SECONDS)

    def drop(self, name: str) -> None:
        """Withdraw a request, or forget a finished one."""
        self._request_path(name).unlink(missing_ok=True)
        self._reply_path(name).unlink(missing_ok=True)

    # the answering end

    def names(self) -> list[str]:
        """All requests not yet answered, oldest first."""
        return sorted(path.stem for path in self._requests.glob("*.json"))

    def wanted(self, name: str) -> bool:
        """Whether somebody still wants the answer. Cheap: looked at every token."""
        return self._request_path(name).exists()

    def request(self, name: str) -> Request | None:
        """What was asked; None if it was withdrawn."""
        try:
            text = self._request_path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        found = json.loads(text)
        kind = CheckRequest if found["kind"] == "check" else GenerateRequest
        return kind.model_validate(found["request"])

    @contextmanager
    def answering(self, name: str) -> Iterator[Callable[[Delta], None]]:
        """Write an answer delta by delta; its end is marked in any case."""
        path = self._reply_path(name)
        with path.open("ab", buffering=0) as reply:

            def say(delta: Delta) -> None:
                reply.write(delta.model_dump_json().encode() + b"\n")

            try:
                yield say
            finally:
                reply.write(END + b"\n")
        try:
            self._request_path(name).unlink()
        except FileNotFoundError:  # withdrawn: nobody reads the answer
            path.unlink(missing_ok=True)

    def abandon_begun(self) -> None:
        """End the answers that a dead worker left open, so that they do not kill the next one."""
        for name in self.names():
            if self._reply_path(name).exists():
                with self.answering(name) as say:
                    say(Delta(kind="error", text=ABANDONED))

    def tidy(self) -> None:
        """Remove requests of dead askers and answers that nobody fetched."""
        for name in self.names():
            path = self._request_path(name)
            with suppress(FileNotFoundError):
                mark = Mark.model_validate(json.loads(path.read_text(encoding="utf-8"))["mark"])
                if not alive(mark, path.stat().st_mtime):
                    self.drop(name)
        for path in self._replies.glob("*.jsonl"):
            with suppress(FileNotFoundError):
                old = time.time() - path.stat().st_mtime > STALE_SECONDS
                if old and not self.wanted(path.stem):
                    path.unlink()


def _lines(path: Path, offset: int) -> list[bytes]:
    """Complete lines from a byte offset on."""
    try:
        with path.open("rb") as reply:
            reply.seek(offset)
            content = reply.read()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]
