"""Attacks in the worker: told, stopped, killed, and asked beside."""

from __future__ import annotations

import os
import signal

import pytest

from tests.workers.conftest import wait_for
from tests.workers.fake import FakeBackend
from unlearning.attacks.quantise import Quantise
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.stress import job as jobs
from unlearning.workers.inline import InlineWorker
from unlearning.workers.mailbox import FOLDER, Mailbox


@pytest.fixture
def inline(store):
    return InlineWorker(store, "cpu", open_backend=FakeBackend)


@pytest.fixture
def attacked(store, new_run):
    """Make a run with an attack that waits; words say how it behaves."""

    def make(behaviour: str = "") -> str:
        run_id = new_run(behaviour)
        jobs.write(store, run_id, jobs.asked(Quantise(), f"run:{run_id}@1"))
        return run_id

    return make


def test_an_attack_to_its_end(store, inline, attacked):
    run_id = attacked()
    inline.attack(run_id)
    job = jobs.read(store, run_id)
    assert job.state == "finished" and job.told[-1] == "  step 4"
    assert store.attacks(run_id)[0]["verdict"] == "It is gone."
    assert inline.current() is None
    # Nothing waits any more: nothing is done twice.
    inline.attack(run_id)
    assert jobs.read(store, run_id) == job


def test_an_attack_stopped_before_its_turn(store, inline, attacked):
    run_id = attacked()
    jobs.ask_stop(store, run_id)
    inline.attack(run_id)
    assert jobs.read(store, run_id).state == "stopped"
    assert store.attacks(run_id) == [] and not jobs.stop_asked(store, run_id)


def test_a_mistake_is_the_end_of_the_job(store, inline, attacked):
    run_id = attacked("memory")
    inline.attack(run_id)
    job = jobs.read(store, run_id)
    assert job.state == "failed" and "Not enough memory" in job.failed.message


def test_the_process_attacks_and_stops_within_moments(store, new_worker, attacked, new_run):
    worker, run_id, after = new_worker(), attacked("slow"), new_run()
    worker.attack(run_id)
    worker.submit(after)
    wait_for(lambda: worker.current() == jobs.name_of(run_id) and worker.queue() == [after])
    wait_for(lambda: jobs.read(store, run_id).told)
    # Questions are answered between two lines of progress.
    request = GenerateRequest(sides=("demo",), prompts=("Hello",))
    assert "Hello" in "".join(delta.text for delta in worker.generate(request))
    jobs.ask_stop(store, run_id)
    wait_for(lambda: jobs.read(store, run_id).state == "stopped", 10)
    wait_for(lambda: store.view(after).status == "finished")
    assert store.view(run_id).version == 0, "the log of the run says nothing of it"


def test_a_killed_worker_is_told_in_the_job(store, new_worker, attacked):
    worker, run_id = new_worker(), attacked("slow")
    worker.attack(run_id)
    wait_for(lambda: jobs.read(store, run_id).told)
    os.kill(Mailbox(store.path / FOLDER).process()[0].mark.pid, signal.SIGKILL)
    wait_for(lambda: worker.state() != "busy")
    job = jobs.read(store, run_id)
    assert job.state == "failed"
    assert "was killed during the attack (signal 9)" in job.failed.message
    assert store.view(run_id).version == 0


def test_a_worker_that_cannot_start_fails_the_attack(store, new_worker, attacked):
    worker, run_id = new_worker("StillbornBackend"), attacked()
    worker.attack(run_id)

    def failed() -> bool:
        worker.state()
        return jobs.read(store, run_id).state == "failed"

    wait_for(failed)
    assert "cannot start" in jobs.read(store, run_id).failed.message
