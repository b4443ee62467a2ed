"""A recording: what it shows at which second, and how one from elsewhere is taken up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.recorded import events, record
from unlearning.errors import UserError
from unlearning.runs.events import AnyEvent
from unlearning.runs.recordings import adopt
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.tape import LONGEST_GAP, tape, tape_of
from unlearning.runs.view import view_of
from unlearning.workers.absent import AbsentWorker, NothingComputed


def clocked(*times: float) -> list[AnyEvent]:
    """The first events of a run, at those times."""
    return [
        event.model_copy(update={"time": time})
        for event, time in zip(events("forgotten", steps=40), times, strict=False)
    ]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_a_recording_keeps_its_clock_and_shortens_silences() -> None:
    found = tape(clocked(100.0, 101.5, 101.5, 4000.0, 3999.0, 4001.0))
    assert found.at == (0.0, 1.5, 1.5, 6.5, 6.5, 8.5) and found.length == 1.5 + LONGEST_GAP + 2


@given(st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=12), st.floats(0, 100))
def test_every_moment_is_a_fold_of_the_events_so_far(times: list[float], seconds: float) -> None:
    log = clocked(*times)
    found = tape(log)
    assert list(found.at) == sorted(found.at)
    so_far = [event for event, at in zip(log, found.at, strict=True) if at <= seconds]
    assert found.view(seconds) == view_of(so_far)
    assert found.view(found.length) == view_of(log)


def test_reading_a_recording_writes_nothing(store: RunStore) -> None:
    run_id = record(store)
    before = {p: p.stat().st_mtime_ns for p in sorted(store.folder(run_id).rglob("*"))}
    found = tape_of(store, run_id)
    assert found.view(found.length) == store.view(run_id)
    assert tape_of(store, run_id) is found, "read once"
    assert {p: p.stat().st_mtime_ns for p in sorted(store.folder(run_id).rglob("*"))} == before


def test_a_folder_of_runs_is_taken_up_and_belongs_to_nobody(tmp_path: Path) -> None:
    recorded = RunStore(tmp_path / "recorded")
    short = record(recorded, outcome="stopped", owner="a" * 20)
    long = record(recorded, outcome="collapsed", steps=80, owner="a" * 20)
    recorded.write_results(long, {"steps": 48})
    recorded.write_attack(long, "relearn", {"attack": "relearn", "verdict": "gone"})
    before = {p: p.stat().st_mtime_ns for p in sorted(recorded.path.rglob("*"))}
    store = RunStore(tmp_path / "copies")
    assert adopt(recorded.path, store) == [long, short]
    assert {p: p.stat().st_mtime_ns for p in sorted(recorded.path.rglob("*"))} == before
    assert store.view(long) == recorded.view(long)
    assert store.config(long) == recorded.config(long)
    assert store.results(long) == {"steps": 48} and len(store.attacks(long)) == 1
    assert store.texts(long) == {} and store.snapshots(long) == []
    for key in ("", "a" * 20):
        assert not store.owned_by(long, key)


def test_a_bare_log_tells_its_own_settings(tmp_path: Path) -> None:
    recorded = RunStore(tmp_path / "recorded")
    run_id = record(recorded, method="npo")
    log = tmp_path / "anything.jsonl"
    content = (recorded.folder(run_id) / "events.jsonl").read_bytes()
    log.write_bytes(content + b'{"kind": "stepped", "half')
    store = RunStore(tmp_path / "copies")
    (found,) = adopt(log, store)
    assert store.config(found).method == "npo" and store.config(found).steps == 40
    assert store.view(found) == recorded.view(run_id)


@pytest.mark.parametrize("content", ['{"kind": "danced"}\n', "no json\n", '{"kind": "entered"}\n'])
def test_what_is_no_log_is_refused_with_its_line(tmp_path: Path, content: str) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(content)
    with pytest.raises(UserError, match="Line 1 of .* is no event"):
        adopt(log, RunStore(tmp_path / "copies"))


def test_where_nothing_is_recorded_is_said(tmp_path: Path, store: RunStore) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no recorded run"):
        adopt(tmp_path / "empty", store)
    (tmp_path / "empty" / "events.jsonl").touch()
    with pytest.raises(UserError, match="no event yet"):
        adopt(tmp_path / "empty", store)
    with pytest.raises(UserError, match="own folder"):
        adopt(store.path, store)


def test_settings_of_another_version_are_told(tmp_path: Path, store: RunStore) -> None:
    log = tmp_path / "events.jsonl"
    lines = [event.model_dump(mode="json") for event in events("forgotten", steps=40)]
    lines[1]["method"] = "hypnosis"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match="hypnosis"):
        adopt(log, store)


def test_a_page_of_recordings_computes_nothing(tmp_path: Path) -> None:
    recorded = RunStore(tmp_path / "recorded")
    run_id = record(recorded, outcome="stopped")
    store = RunStore(tmp_path / "copies")
    adopt(recorded.path, store)
    scheduler = Scheduler(store, AbsentWorker(), NothingComputed())
    config = recorded.config(run_id)
    assert scheduler.status(run_id) == "stopped"
    with pytest.raises(UserError, match="plays recorded runs"):
        scheduler.submit(config, recorded.texts(run_id))
    for change in (scheduler.resume, scheduler.delete, scheduler.stop):
        with pytest.raises(UserError, match="somebody else"):
            change(run_id)
    assert store.ids() == [run_id]
