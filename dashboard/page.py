"""What the tabs share: which run is looked at, who looks, and the clock that keeps looking.

Every tab registers functions that say what its components show of a run. One tick asks them
all and sends what differs from what the browser shows; the browser says what that is (`seen`), so
a lost tick, a reload or a second viewer needs no case of its own.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import gradio as gr

from dashboard.identity import browser_key, is_key, new_key
from dashboard.language import _, spoken
from dashboard.live_figure import Chart, live_figure, payload
from dashboard.playback import SPEEDS, Playback, begin, played
from unlearning.errors import UserError
from unlearning.runs.events import Status
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.stress.job import AttackJob
from unlearning.runs.view import LIVE, View

QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "show_progress_on": (),
    "api_visibility": "private",
}
"""For events that are plumbing of the page: no spinner, no public endpoint.

To hide the spinner is not enough: without `show_progress_on` the browser tells each output of each
event that ever ran how far it is, several times an event, and seeks each in the tree of the page.
"""

IDLE_SECONDS = 10.0
"""Between two looks at a run that has ended: its owner may let it go on."""

ADDRESS = """(id) => {
  const url = new URL(window.location.href);
  if (id) url.searchParams.set("run", id); else url.searchParams.delete("run");
  window.history.replaceState(null, "", url);
  url.search = id ? "?run=" + id : "";
  url.hash = "";
  return id ? url.toString() : "";
}"""
"""Puts the run into the address bar and gives the link that others can open."""


@dataclass(frozen=True)
class Settings:
    """What whoever starts the page decides."""

    secret: str
    """Under which browsers keep their key."""
    public: bool = False
    """Strangers use it: everybody lists only their own runs."""
    tick_seconds: float = 1.0
    replay: str = ""
    """A recorded run that opens and plays by itself."""


@dataclass(frozen=True)
class Watched:
    """One look at a run by one browser."""

    run_id: str = ""
    """Empty: no run is looked at."""
    key: str = ""
    """Of the browser that looks."""
    view: View = field(default_factory=View)
    status: Status | None = None
    place: int | None = None
    """Place in the queue, from 1."""
    owned: bool = False
    at: int | None = None
    """The step that is looked back at; None follows the run."""
    snapshots: tuple[int, ...] = ()
    """Steps whose weights are kept, rising."""
    attack: AttackJob | None = None
    """The last attack asked for on the run."""
    attack_place: int | None = None
    """Its place in the queue, from 1."""
    active: str | None = None
    """The live run of this browser, be it the one looked at or not."""
    playback: Playback | None = None
    """Set while the recording of an ended run is played: `view` is the run as it was then."""

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self.status in LIVE


Show = Callable[[Watched], dict[gr.blocks.Block, Any]]
Draw = Callable[[Watched, Any], dict[str, Any] | None]
"""What a drawing lacks, from the run and from what the browser says it has drawn."""


class Page:
    """Made inside `gr.Blocks`, before the tabs; `bind` comes after them."""

    def __init__(self, scheduler: Scheduler, settings: Settings) -> None:
        self.scheduler, self.settings = scheduler, settings
        self.key = browser_key(settings.secret)
        self.clock = gr.Timer(settings.tick_seconds, active=False)
        # Held by the browser, not by a session: an open page outlives a restart of the server.
        self.run = gr.Textbox(visible="hidden", elem_id="run-id")
        self.seen = gr.Textbox(visible="hidden", elem_id="seen")
        self.at = gr.Textbox(visible="hidden", elem_id="at")
        self.playback = gr.Textbox(visible="hidden", elem_id="playback")
        self.tabs: gr.Tabs | None = None
        self.tab: gr.Tab | None = None
        """The tab that is being built."""
        self._shows: list[Show] = []
        self._shown: list[gr.blocks.Block] = []
        self._figures: dict[gr.HTML, Draw] = {}
        self._acts: list[Any] = []
        self._opens: list[dict[str, Any]] = []

    def shows(self, *components: gr.blocks.Block) -> Callable[[Show], Show]:
        """Register what those components show of the run that is looked at."""

        def register(show: Show) -> Show:
            self._shows.append(show)
            self._shown.extend(components)
            return show

        return register

    def figure(self, chart: Chart, height: int) -> gr.HTML:
        """A chart of the run that is looked at."""
        component = live_figure(chart, height)
        self.drawn(component, lambda w, held: payload(w.view, chart, held, w.run_id))
        return component

    def drawn(self, component: gr.HTML, draw: Draw) -> None:
        """A drawing of the run that is looked at, kept up to date like a figure."""
        self._figures[component] = draw

    def acted(self, event: Any) -> None:
        """Look again at once after this event, instead of at the next tick."""
        self._acts.append(event)

    def opened(self, **event: Any) -> None:
        """Have a handler called when the page is opened or reloaded, in the words of `load`."""
        self._opens.append(event)

    def bind(self, demo: gr.Blocks, link: gr.Textbox) -> None:
        """Set the clock going; `link` shows the address that others can open."""
        self._begin()
        inputs = {self.run, self.key, self.seen, self.at, self.playback, *self._figures}
        outputs = [self.clock, self.seen, *self._shown, *self._figures]
        tick = {"fn": self.look, "inputs": inputs, "outputs": outputs, "queue": False, **QUIET}
        self.clock.tick(**tick)
        self.run.change(None, self.run, link, js=ADDRESS, **QUIET)
        attached = [self.key, self.run, self.tabs, self.playback]
        demo.load(self.attach, [self.key], attached, queue=False, **QUIET).then(**tick)
        for event in self._acts:
            # One look may be under way while somebody acts: theirs must not be lost.
            event.then(**tick, trigger_mode="always_last")
        for event in self._opens:
            demo.load(**event, **QUIET)

    def _begin(self) -> None:
        """Build the page as it looks without a run: then the first look has little to add."""
        nobody, seen = Watched(), {}
        for show in self._shows:
            for component, value in show(nobody).items():
                seen[str(component._id)] = _sum(value)
                is_update = isinstance(value, dict) and value.get("__type__") == "update"
                for name, part in (value if is_update else {"value": value}).items():
                    if name != "__type__":
                        setattr(component, name, part)
        for figure, draw in self._figures.items():
            figure.value = draw(nobody, None)
        self.seen.value = json.dumps(seen)

    def attach(self, key: Any, request: gr.Request) -> dict[gr.blocks.Block, Any]:
        """A page was opened or reloaded: know its owner, and go back to the run."""
        key = key if is_key(key) else new_key()
        wanted = str(request.query_params.get("run", ""))
        run_id = self.scheduler.active(key) or self.settings.replay
        if wanted:
            try:
                self.scheduler.view(wanted)
                run_id = wanted
            except UserError as error:
                gr.Warning(html.escape(spoken(error.message)), title=_("That run is not here"))
        updates: dict[gr.blocks.Block, Any] = {self.key: key, self.run: run_id}
        if run_id:
            updates[self.tabs] = gr.Tabs(selected="live")
        updates[self.playback] = self._played(run_id, request.query_params.get("replay"))
        return updates

    def _played(self, run_id: str, speed: str | None) -> str:
        """What plays by itself: `?replay=SPEED`, or the run that this page was started for."""
        if not run_id or (speed is None and run_id != self.settings.replay):
            return ""
        try:
            wanted = float(speed) if speed else None
            chosen = wanted if wanted is not None and 0 < wanted <= SPEEDS[-1] else None
            return begin(self.scheduler.store, run_id, time.time(), chosen).text()
        except (ValueError, UserError):
            return ""

    def look(self, values: dict[gr.blocks.Block, Any]) -> dict[gr.blocks.Block, Any]:
        """What changed since the browser's last look."""
        watched = self.watched(values[self.run], values[self.key], values[self.at])
        told = values.get(self.playback)
        watched = played(self.scheduler.store, watched, told, time.time())
        known, seen = _parsed(values[self.seen]), {}
        updates: dict[gr.blocks.Block, Any] = {}
        shown_now = {c: v for show in self._shows for c, v in show(watched).items()}
        shown_now[self.clock] = self._pace(watched)
        for component, value in shown_now.items():
            name = str(component._id)
            seen[name] = _sum(value)
            if known.get(name) != seen[name]:
                updates[component] = value
        for figure, draw in self._figures.items():
            held = values[figure]
            if watched.live and watched.playback is None and _undrawn(held, watched.run_id):
                continue
            news = draw(watched, held)
            if news is not None and json.loads(json.dumps(news)) != held:
                updates[figure] = news
        if updates:
            updates[self.seen] = json.dumps(seen)
        return updates or {self.seen: gr.skip()}

    def _pace(self, watched: Watched) -> dict[str, Any]:
        """How often the browser asks again, if at all."""
        attacked = watched.attack is not None and watched.attack.live
        busy = watched.live or attacked or watched.active is not None
        # A playback that stands still may go on any moment, and an older answer may come late.
        if busy or watched.playback is not None:
            return gr.update(active=True, value=self.settings.tick_seconds)
        return gr.update(active=bool(watched.run_id), value=IDLE_SECONDS)

    def watched(self, run_id: Any, key: Any, at: Any = "") -> Watched:
        """The run as this browser may see it; no run where there is none of that id.

        `at` is RUN@STEP where the browser looks back; of another run it counts as nothing.
        """
        scheduler, key = self.scheduler, key if is_key(key) else ""
        active = scheduler.active(key) if key else None
        try:
            if not run_id:
                return Watched(active=active)
            view = scheduler.view(run_id)
            return Watched(
                run_id=run_id,
                key=key,
                view=view,
                at=_looked_at(at, run_id, view),
                status=scheduler.status(run_id),
                place=scheduler.place(run_id),
                owned=scheduler.owned(run_id, key),
                snapshots=tuple(scheduler.store.snapshots(run_id)),
                attack=scheduler.attack_job(run_id),
                attack_place=scheduler.attack_place(run_id),
                active=active,
            )
        except UserError:
            # Deleted meanwhile, by its owner in another window.
            return Watched(active=active)


@contextmanager
def shown() -> Iterator[None]:
    """Turn what the user can put right into a toast; anything else stays a defect."""
    try:
        yield
    except UserError as error:
        raise toast(error) from None


def toast(error: UserError) -> gr.Error:
    """The message and what to do about it, as text and never as markup."""
    text = spoken(f"{error.message} {error.hint}".strip())
    return gr.Error(html.escape(text), title=_("That does not work yet"), print_exception=False)


def _looked_at(at: Any, run_id: str, view: View) -> int | None:
    """The step of RUN@STEP, if that run was looked at there."""
    run, _, step = at.partition("@") if isinstance(at, str) else ("", "", "")
    found = int(step) if run == run_id and step.isdecimal() and len(step) < 10 else None
    return found if found in view.answers else None


def _sum(value: Any) -> int:
    """Tells values apart."""
    return crc32(repr(value).encode())


def _undrawn(held: Any, run_id: str) -> bool:
    """Whether the browser has a drawing of the run that it has not put on the screen yet, on a tab
    that nobody has opened; once it has, it says so and gets what came meanwhile."""
    return (
        isinstance(held, Mapping)
        and "drawn" not in held
        and str(held.get("run", "")).partition("/")[0] == run_id
    )


def _parsed(seen: Any) -> dict[str, int]:
    """What the browser says it shows; whatever is not that counts as nothing."""
    try:
        found = json.loads(seen) if isinstance(seen, str) and seen else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
