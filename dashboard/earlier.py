"""Where earlier runs on the same text and model ended: what the run on the page has to beat."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import NamedTuple

from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.store import RunStore
from unlearning.runs.tradeoff import now
from unlearning.runs.view import View

MOST = 40
"""Earlier runs that are drawn, newest first."""
LOOK_SECONDS = 10.0
"""How old the list may be: it reads the disk."""


class Earlier(NamedTuple):
    """The end of one run."""

    run_id: str
    name: str
    step: int
    forgotten: float
    kept: float
    collapsed: bool


def earlier_runs(store: RunStore, run_id: str, key: str | None) -> tuple[Earlier, ...]:
    """Ended runs of the same text and model; with a key only those of its owner."""
    return _found(store, run_id, key, int(time.monotonic() // LOOK_SECONDS))


@lru_cache(maxsize=64)
def _found(store: RunStore, run_id: str, key: str | None, _: int) -> tuple[Earlier, ...]:
    try:
        wanted = _sameness(store, run_id, store.view(run_id))
    except (UserError, OSError):
        return ()
    found: list[Earlier] = []
    for other in store.ids() if wanted else ():
        if other == run_id or len(found) == MOST:
            continue
        try:
            if key is None or store.owned_by(other, key):
                found += _end(store, other, wanted)
        except (UserError, OSError):  # unreadable, or deleted while this looks
            continue
    return tuple(found)


def _end(store: RunStore, run_id: str, wanted: tuple[str, ...]) -> list[Earlier]:
    if _text(store, run_id) != wanted[0]:
        return []
    view = store.view(run_id)
    point = now(view)
    if view.ended is None or point is None or _sameness(store, run_id, view) != wanted:
        return []
    config = store.head(run_id)["config"]
    method = METHODS[view.method].title if view.method in METHODS else view.method
    name = str(config.get("label") or method)
    collapsed = view.collapse is not None and view.step >= view.collapse.step
    return [Earlier(run_id, name, point.step, point.forgotten, point.kept, collapsed)]


def _sameness(store: RunStore, run_id: str, view: View) -> tuple[str, ...]:
    """What two runs must share to be compared; empty where it is not known yet."""
    text = _text(store, run_id)
    if view.started is None or not text:
        return ()
    config = store.head(run_id)["config"]
    taught = f"{config.get('teach_first')}/{config.get('model')}"
    return text, view.started.model_hash, taught


def _text(store: RunStore, run_id: str) -> str:
    texts = store.head(run_id).get("texts")
    forget = texts.get("forget") if isinstance(texts, dict) else None
    return str(forget.get("sha256", "")) if isinstance(forget, dict) else ""
