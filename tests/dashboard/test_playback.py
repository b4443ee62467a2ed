"""Where a browser is in a recording, and what the page shows of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import Settings
from dashboard.page import Page, Watched
from dashboard.playback import SHOWN_SECONDS, SPEEDS, Playback, begin, parse, played, suitable
from dashboard.replay_bar import where
from tests.dashboard.test_lessons import built as built  # noqa: F401 (a fixture)
from tests.dashboard.test_lessons import page as page  # noqa: F401 (a fixture)
from unlearning.errors import UserError
from unlearning.runs.recordings import adopt
from unlearning.runs.store import RunStore

RECORDED = Path(__file__).resolve().parents[2] / "assets" / "replays" / "undial"
HOLD = Playback("0123456789", 4.0, at=10.0, since=None, length=100.0)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """The recording that comes with Lethe."""
    store = RunStore(tmp_path / "recorded")
    adopt(RECORDED, store)
    return store


def test_time_passes_at_the_chosen_speed_and_stops_at_the_end() -> None:
    going = HOLD.going(1000.0)
    assert going.position(1005.0) == 30.0 and going.moving(1005.0)
    assert going.position(2000.0) == 100.0 and going.over(2000.0) and not going.moving(2000.0)
    assert going.held(1005.0) == replace(HOLD, at=30.0)
    assert going.held(2000.0).going(3000.0).position(3001.0) == 4.0, "from the start again"
    assert going.position(900.0) == 10.0, "a clock that was set back"


@pytest.mark.parametrize(("length", "speed"), [(0.5, 1), (30, 1), (31, 2), (300, 16), (1e6, 64)])
def test_a_playback_lasts_about_half_a_minute(length: float, speed: float) -> None:
    assert suitable(length) == speed
    assert length / speed <= SHOWN_SECONDS or speed == SPEEDS[-1]


def test_what_the_browser_keeps_comes_back_as_it_was() -> None:
    for chosen in (HOLD, HOLD.going(1e9)):
        assert parse(chosen.text()) == chosen


@given(
    st.one_of(
        st.none(), st.integers(), st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=12),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["run", "speed", "at", "since", "length"]), inner),
        ).map(json.dumps),
    )
)  # fmt: skip
def test_whatever_a_browser_sends_breaks_nothing(text: object) -> None:
    found = parse(text)
    assert found is None or 0 <= found.position(time.time()) <= found.length


@pytest.mark.parametrize(
    "change",
    [{"run": "../../etc"}, {"speed": float("nan")}, {"speed": 1e9}, {"at": -1}, {"since": "x"},
     {"length": None}],
)  # fmt: skip
def test_a_playback_that_cannot_be_is_none(change: dict[str, object]) -> None:
    assert parse(json.dumps({**json.loads(HOLD.text()), **change})) is None


def test_the_run_is_shown_as_it_was_and_only_to_be_looked_at(store: RunStore) -> None:
    (run_id,) = store.ids()
    whole = store.view(run_id)
    watched = Watched(
        run_id=run_id, view=whole, status="finished", owned=True, snapshots=tuple(whole.snapshots)
    )
    chosen = begin(store, run_id, 1000.0, 1.0)
    steps = []
    for seconds in range(0, int(chosen.length) + 2, 10):
        seen = played(store, watched, chosen.text(), 1000.0 + seconds)
        assert not seen.owned and seen.playback is not None
        assert set(seen.snapshots) <= set(seen.view.snapshots)
        assert seen.live is (seen.status not in ("finished",))
        steps.append(seen.view.step)
    last = played(store, watched, chosen.text(), 1000.0 + chosen.length)
    assert steps == sorted(steps) and len(set(steps)) > 5
    assert last.status == "finished"
    assert replace(last.view, revision=whole.revision) == whole
    assert "Over" in where(last.playback, 1000.0 + chosen.length)


def test_a_run_that_is_live_or_another_one_is_not_played(store: RunStore) -> None:
    (run_id,) = store.ids()
    text = begin(store, run_id, 0.0).text()
    for watched in (
        Watched(run_id=run_id, status="running"),
        Watched(run_id="another000", status="finished"),
        Watched(),
    ):
        assert played(store, watched, text, 5.0) is watched


def test_a_run_without_events_cannot_be_played(store: RunStore) -> None:
    (run_id,) = store.ids()
    (store.folder(run_id) / "events.jsonl").write_text("")
    with pytest.raises(UserError, match="Nothing is recorded"):
        begin(store, run_id, 0.0)


class TestPage:
    def attach(self, page: Page, **query: str) -> dict[str, object]:
        found = page.attach("", SimpleNamespace(query_params=query))
        return {c.elem_id or "key": value for c, value in found.items()}

    def test_a_link_may_play_its_run(self, page: Page, store: RunStore) -> None:  # noqa: F811
        (run_id,) = store.ids()
        page.scheduler.store = page.scheduler._standing._store = store
        assert self.attach(page, run=run_id)["playback"] == ""
        assert parse(self.attach(page, run=run_id, replay="4")["playback"]).speed == 4
        assert parse(self.attach(page, run=run_id, replay="")["playback"]).speed in SPEEDS
        assert self.attach(page, run=run_id, replay="fast")["playback"] == ""
        assert parse(self.attach(page, run=run_id, replay="1e9")["playback"]).speed in SPEEDS

    def test_a_page_of_recordings_opens_and_plays(
        self,
        page: Page,  # noqa: F811
        store: RunStore,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (run_id,) = store.ids()
        page.scheduler.store = page.scheduler._standing._store = store
        monkeypatch.setattr(page, "settings", Settings(secret="s", replay=run_id))
        found = self.attach(page)
        assert found["run-id"] == run_id and parse(found["playback"]).run == run_id
        values = {
            page.run: run_id,
            page.key: "",
            page.seen: "",
            page.at: "",
            page.playback: found["playback"],
        }
        sent = page.look(values | dict.fromkeys(page._figures))
        told = {c.elem_id or "clock": value for c, value in sent.items()}
        assert told["clock"]["active"] is True and told["replay-bar"]["visible"] is True
        assert told["stop"]["interactive"] is False and "nothing is computed" in told["facts"]
