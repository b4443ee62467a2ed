"""One run: what is said is what is written, whatever goes wrong."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from tests.workers.fake import FakeBackend, FakeEngine
from unlearning.errors import UserError
from unlearning.runs.events import Entered
from unlearning.workers.execute import execute
from unlearning.workers.presence import claim, claimed


@pytest.fixture
def backend(store):
    return FakeBackend(store, "cpu")


@pytest.fixture
def run(store, backend):
    return partial(execute, store, lambda: backend)


def test_a_run_to_its_end(store, run, new_run):
    run_id = new_run()
    seen = []
    run(run_id, after=lambda event, engine: seen.append((event, claimed(store.folder(run_id)))))
    assert [event for event, _ in seen] == store.read(run_id)[0]
    assert all(executed for _, executed in seen)
    assert all(event.time > 0 for event, _ in seen)
    assert store.view(run_id).status == "finished"
    assert not claimed(store.folder(run_id))


def test_a_stop_ends_it_within_one_step(store, run, new_run):
    run_id = new_run(steps=50)

    def stop_at_three(event, engine):
        if event.kind == "stepped" and event.step == 3:
            store.ask_stop(run_id)

    run(run_id, after=stop_at_three)
    view = store.view(run_id)
    assert (view.status, view.step) == ("stopped", 3)
    assert not store.stop_asked(run_id)


def test_a_stop_before_its_turn_loads_nothing(store, new_run):
    def refuse():
        pytest.fail("a backend was opened")

    run_id = new_run()
    store.ask_stop(run_id)
    execute(store, refuse, run_id)
    view = store.view(run_id)
    assert (view.status, view.step, view.stopped.why) == ("stopped", 0, "asked")
    assert not store.stop_asked(run_id)


def test_a_stop_before_a_continuation_leaves_the_end_it_had(store, run, new_run):
    run_id = new_run()
    run(run_id)
    before = store.read(run_id)
    store.ask_stop(run_id)
    run(run_id, resume=True)
    assert store.read(run_id) == before


@pytest.mark.parametrize(
    ("behaviour", "message", "has_traceback"),
    [
        ("user", "The text is too short.", False),
        ("memory", "Not enough memory", False),
        ("defect", "Lethe made a mistake: ZeroDivisionError: a mistake of ours", True),
    ],
)
def test_exceptions_become_the_last_event(
    store, run, backend, new_run, behaviour, message, has_traceback
):
    run_id = new_run(behaviour)
    run(run_id)
    view = store.view(run_id)
    assert (view.status, view.step) == ("failed", 2)
    assert message in view.failed.message
    assert view.failed.hint
    assert ("_misbehave" in view.failed.traceback) == has_traceback
    assert backend.released == (behaviour == "memory")


def test_a_run_goes_on_after_a_failure(store, run, new_run):
    run_id = new_run("defect")
    run(run_id)
    store.change_config(run_id, label="")
    run(run_id, resume=True)
    view = store.view(run_id)
    assert (view.status, view.failed) == ("finished", None)
    assert view.curve("forget_nll").steps == [1, 2, 3, 4, 5]


def test_a_backend_that_cannot_be_opened_fails_the_run(store, new_run):
    def open_backend():
        raise ImportError("no module named torch")

    run_id = new_run()
    execute(store, open_backend, run_id)
    assert "no module named torch" in store.view(run_id).failed.message


def test_a_half_written_line_is_cut_off_first(store, run, new_run):
    run_id = new_run()
    store.append(run_id, Entered(phase="loading"))
    with (store.folder(run_id) / "events.jsonl").open("ab") as log:
        log.write(b'{"kind":"step')
    run(run_id)
    assert store.view(run_id).status == "finished"


def test_a_run_that_another_process_executes_is_left_alone(store, run, new_run):
    run_id = new_run()
    with claim(store.folder(run_id)), pytest.raises(UserError, match="another process"):
        run(run_id)
    assert store.view(run_id).version == 0


def test_a_full_disk_is_said_in_words(store, run, new_run, monkeypatch):
    def full(self, step):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FakeEngine, "_misbehave", full)
    run_id = new_run()
    run(run_id)
    failed = store.view(run_id).failed
    assert "no space left" in failed.message and "Delete" in failed.hint
