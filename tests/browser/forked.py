"""Servers of the page as forks of one process that has imported it: each import takes seconds."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

Main = Callable[[Sequence[str]], None]

_servers = multiprocessing.get_context("forkserver")
_servers.set_forkserver_preload(["tests.browser.stage", "tests.browser.figure_stage"])


def start(main: Main, words: Sequence[str], log: Path) -> ForkServerProcess:
    """Run `main(words)` in a process of its own, which writes to `log`."""
    log.touch()
    process = _servers.Process(target=_serve, args=(main, words, log), daemon=True)
    process.start()
    return process


def _serve(main: Main, words: Sequence[str], log: Path) -> None:
    with log.open("w") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    main(words)
