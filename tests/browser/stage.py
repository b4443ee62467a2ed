"""The real page around a worker that plays: `python -m tests.browser.stage --runs DIR --port N`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from dashboard import Settings, build, language, launch_options
from dashboard.identity import secret_of
from tests.dashboard.player import Player
from tests.dashboard.recorded import Outcome
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore


def main(words: Sequence[str] | None = None) -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--outcome", choices=get_args(Outcome), default="forgotten")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds a step")
    parser.add_argument("--public", action="store_true")
    parser.add_argument("--language", default="en")
    chosen = parser.parse_args(words)
    language.use(chosen.language)
    store = RunStore(chosen.runs)
    scheduler = Scheduler(store, Player(store, outcome=chosen.outcome, pause=chosen.pause))
    settings = Settings(secret=secret_of(store.path), public=chosen.public)
    demo = build(scheduler, settings=settings)
    demo.launch(server_name="127.0.0.1", server_port=chosen.port, **launch_options(scheduler))


if __name__ == "__main__":
    main()
