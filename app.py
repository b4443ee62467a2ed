"""Lethe: `python app.py` serves the page on this machine; hosts that serve it take `demo`."""

from __future__ import annotations

import argparse
import atexit
import os
import shutil
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr  # noqa: E402 (after the variables that it reads at import)

from dashboard import Settings, build, language, launch_options  # noqa: E402
from dashboard.identity import secret_of  # noqa: E402
from unlearning.errors import UserError  # noqa: E402
from unlearning.models.locate import EMBEDDED, allowed_models  # noqa: E402
from unlearning.runs.limits import Limits  # noqa: E402
from unlearning.runs.recordings import adopt  # noqa: E402
from unlearning.runs.scheduler import Scheduler  # noqa: E402
from unlearning.runs.store import RunStore  # noqa: E402
from unlearning.workers.absent import AbsentWorker, NothingComputed  # noqa: E402
from unlearning.workers.process import ProcessWorker  # noqa: E402

HOSTED = "SPACE_ID" in os.environ
"""Whether this is a Hugging Face Space: strangers come, and the platform does the binding."""
PUBLIC = Limits(
    queued_per_owner=1,
    queued=20,
    max_steps=200,
    max_characters=100_000,
    max_new_tokens=256,
    attack_times=2,
    models=frozenset({*EMBEDDED, *allowed_models()}),
)
"""What strangers may ask for."""


def flags(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; environment variables stand in where a flag is absent."""
    parser = argparse.ArgumentParser(prog="app.py", description="Make a language model forget.")
    host = os.environ.get("HOST") or os.environ.get("GRADIO_SERVER_NAME")
    port = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT")
    parser.add_argument(
        "--host",
        default=host or ("0.0.0.0" if HOSTED else "127.0.0.1"),
        help="address to listen on (default: %(default)s, this machine alone)",
    )
    parser.add_argument("--port", type=int, default=port, help="port")
    parser.add_argument(
        "--runs", type=Path, default=Path(os.environ.get("LETHE_RUNS", "runs")),
        help="folder that keeps the runs (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--replay", type=Path, default=os.environ.get("LETHE_REPLAY") or None,
        help="play recorded runs and compute nothing: an events.jsonl, the folder of a run, or a "
        "folder of runs; nothing is written there",
    )  # fmt: skip
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="also offer the API as MCP tools (install them first: pip install 'mcp>=1.21,<2')",
    )
    parser.add_argument(
        "--language",
        default=os.environ.get("LETHE_LANGUAGE") or "en",
        help=f"of the page: {', '.join(language.available())} (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
    parser.add_argument(
        "--public",
        action=argparse.BooleanOptionalAction,
        default=HOSTED,
        help="strangers use this page: listed models only, limits, everybody sees their own runs",
    )
    return parser.parse_args(arguments)


def open_replay(source: Path) -> tuple[gr.Blocks, Scheduler]:
    """The page over copies of recorded runs; the longest one plays."""
    folder = tempfile.mkdtemp(prefix="lethe-replay-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = RunStore(folder)
    recorded = adopt(Path(source), store)
    scheduler = Scheduler(store, AbsentWorker(), NothingComputed())
    settings = Settings(secret=secret_of(store.path), replay=recorded[0])
    return build(scheduler, settings=settings), scheduler


def open_page(chosen: argparse.Namespace) -> tuple[gr.Blocks, Scheduler]:
    """The page over a folder of runs; the worker gets ready meanwhile."""
    language.use(chosen.language)
    if chosen.replay:
        return open_replay(chosen.replay)
    store = RunStore(chosen.runs)
    scheduler = Scheduler(
        store, ProcessWorker(store, chosen.device), PUBLIC if chosen.public else None
    )
    settings = Settings(
        secret=secret_of(store.path),
        public=chosen.public,
        tick_seconds=2.0 if chosen.public else 1.0,
    )
    demo = build(scheduler, settings=settings)
    # In the background: the page is up before the worker has imported torch.
    threading.Thread(target=scheduler.worker.start, daemon=True).start()
    return demo, scheduler


def serve(demo: gr.Blocks, scheduler: Scheduler, chosen: argparse.Namespace) -> None:
    """Serve the page until interrupted."""
    try:
        demo.launch(
            server_name=chosen.host,
            server_port=chosen.port,
            mcp_server=chosen.mcp,
            **launch_options(scheduler),
        )
    except OSError as error:
        where = f"{chosen.host}:{chosen.port}" if chosen.port else chosen.host
        reason = str(error).partition(". ")[0]
        print(f"error: Cannot serve on {where}: {reason}. Try another --port.", file=sys.stderr)
        sys.exit(2)
    finally:
        scheduler.close()


CHOSEN = flags(None if __name__ == "__main__" else [])
try:
    demo, SCHEDULER = open_page(CHOSEN)
except UserError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    if CHOSEN.mcp and find_spec("mcp") is None:
        print(
            "error: --mcp needs the package mcp. Install it: pip install 'mcp>=1.21,<2'",
            file=sys.stderr,
        )
        sys.exit(2)
    serve(demo, SCHEDULER, CHOSEN)
