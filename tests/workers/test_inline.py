"""The worker of the command line."""

from __future__ import annotations

import pytest

from tests.workers.fake import FakeBackend
from unlearning.runs.requests import GenerateRequest
from unlearning.workers.inline import InlineWorker


@pytest.fixture
def opened():
    return []


@pytest.fixture
def worker(store, opened):
    def open_backend(store, device):
        opened.append(FakeBackend(store, device))
        return opened[-1]

    return InlineWorker(store, "cpu", open_backend=open_backend)


def test_submit_returns_when_the_run_has_ended(store, worker, new_run):
    run_id = new_run()
    worker.submit(run_id)
    assert store.view(run_id).status == "finished"
    assert worker.current() is None and worker.state() == "ready" and worker.queue() == []


def test_events_are_heard_as_they_are_written(store, new_run):
    heard = []

    def hear(event):
        heard.append(event)
        assert store.read(run_id)[0] == heard
        assert worker.current() == run_id and worker.state() == "busy"

    worker = InlineWorker(store, "cpu", on_event=hear, open_backend=FakeBackend)
    run_id = new_run()
    worker.submit(run_id)
    assert heard[-1].kind == "ended"


def test_models_are_opened_once_and_late(worker, opened, new_run):
    worker.start()
    assert opened == []
    worker.submit(new_run())
    request = GenerateRequest(sides=("demo",), prompts=("abc",))
    assert "".join(d.text for d in worker.generate(request)) == "abc"
    assert len(opened) == 1
    worker.close()
    assert opened[0].released == 1


def test_kill_asks_the_run_to_stop(store, new_run):
    def hear(event):
        if event.kind == "stepped" and event.step == 2:
            worker.kill()

    worker = InlineWorker(store, "cpu", on_event=hear, open_backend=FakeBackend)
    run_id = new_run(steps=50)
    worker.submit(run_id)
    assert (store.view(run_id).status, store.view(run_id).step) == ("stopped", 2)
