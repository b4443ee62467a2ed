"""Attacks as jobs of the scheduler: who may ask for one, and where it stands."""

from __future__ import annotations

import pytest

from tests.runs.test_scheduler import ANNA, BERT, TEXTS, StubWorker, begin, finish
from unlearning.attacks.quantise import Quantise
from unlearning.attacks.relearn import Relearn
from unlearning.attacks.sequential import Sequential
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.stress import job as jobs


@pytest.fixture
def worker():
    return StubWorker()


@pytest.fixture
def scheduler(store, worker):
    return Scheduler(store, worker, Limits(attack_times=2))


def ended_run(scheduler, worker, key=ANNA, **settings):
    run_id = scheduler.submit(RunConfig(steps=5, **settings), TEXTS, key)
    worker.advance()
    begin(scheduler.store, run_id, 3)
    finish(scheduler.store, worker, run_id, 3)
    return run_id


@pytest.fixture
def run_id(scheduler, worker):
    return ended_run(scheduler, worker)


def test_an_attack_on_its_way(scheduler, worker, run_id):
    assert scheduler.attack_job(run_id) is None
    scheduler.attack(run_id, Relearn(steps=8), ANNA)
    job = scheduler.attack_job(run_id)
    assert (job.attack, job.settings["steps"], job.target) == ("relearn", 8, f"run:{run_id}@3")
    assert (job.state, scheduler.attack_place(run_id)) == ("queued", 1)
    # The run itself has ended all the same.
    assert scheduler.status(run_id) == "stopped" and scheduler.active(ANNA) is None
    worker.advance()
    jobs.write(scheduler.store, run_id, job.model_copy(update={"state": "running"}))
    assert scheduler.attack_job(run_id).state == "running"
    assert scheduler.attack_place(run_id) is None
    jobs.end(scheduler.store, run_id, "finished")
    worker.running = None
    assert scheduler.attack_job(run_id).state == "finished"


def test_requests_train_no_longer_than_a_run_may(scheduler, worker, run_id):
    # The run was stopped at step 3.
    scheduler.limits = Limits(max_steps=11)
    with pytest.raises(UserError, match="12 training steps are asked for in all; 11 are allowed"):
        scheduler.attack(run_id, Sequential(), ANNA)
    assert scheduler.attack_job(run_id) is None
    scheduler.attack(run_id, Sequential(requests=3), ANNA)
    assert scheduler.attack_job(run_id).state == "queued"


def test_a_snapshot_may_be_named(scheduler, run_id):
    with pytest.raises(UserError, match="no snapshot of step 4"):
        scheduler.attack(run_id, Quantise(), ANNA, 4)
    scheduler.attack(run_id, Quantise(), ANNA, 1)
    assert scheduler.attack_job(run_id).target == f"run:{run_id}@1"


def test_only_the_owner_attacks_and_stops(scheduler, worker, run_id):
    with pytest.raises(UserError, match="belongs to somebody else"):
        scheduler.attack(run_id, Quantise(), BERT)
    scheduler.attack(run_id, Quantise(), ANNA)
    with pytest.raises(UserError, match="belongs to somebody else"):
        scheduler.stop_attack(run_id, BERT)
    assert worker.waiting == [jobs.name_of(run_id)]
    scheduler.stop_attack(run_id, ANNA)
    assert worker.waiting == [] and scheduler.attack_job(run_id).state == "stopped"


def test_one_attack_at_a_time_and_nothing_else_meanwhile(scheduler, run_id):
    scheduler.attack(run_id, Quantise(), ANNA)
    for act in (
        lambda: scheduler.attack(run_id, Relearn(), ANNA),
        lambda: scheduler.resume(run_id, ANNA),
        lambda: scheduler.delete(run_id, ANNA),
    ):
        with pytest.raises(UserError, match="An attack on this run is under way"):
            act()
    assert run_id in scheduler.store.ids()


def test_a_run_that_goes_on_cannot_be_attacked(scheduler):
    live = scheduler.submit(RunConfig(steps=5), TEXTS, ANNA)
    with pytest.raises(UserError, match="still queued"):
        scheduler.attack(live, Quantise(), ANNA)


def test_what_has_no_weights_cannot_be_attacked(scheduler, worker, run_id, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(METHODS["undial"], "artifact", "decoder")
        with pytest.raises(UserError, match="leaves a decoder"):
            scheduler.attack(run_id, Quantise(), ANNA)
    bare = scheduler.submit(RunConfig(steps=5), TEXTS, ANNA)
    worker.advance()
    finish(scheduler.store, worker, bare, 0)
    with pytest.raises(UserError, match="kept no weights"):
        scheduler.attack(bare, Quantise(), ANNA)


def test_limits(scheduler, worker, run_id):
    with pytest.raises(UserError, match="steps 41 is asked for; 40 is allowed"):
        scheduler.attack(run_id, Relearn(steps=41), ANNA)
    # Neither a large seed nor an empty rank costs anything.
    scheduler.attack(run_id, Relearn(steps=40, seed=12345, lora_rank=0), ANNA)


def test_an_attack_takes_a_place_of_its_owner(scheduler, worker, run_id):
    second = ended_run(scheduler, worker)
    scheduler.limits = Limits(queued_per_owner=1)
    scheduler.attack(run_id, Quantise(), ANNA)
    for act in (
        lambda: scheduler.attack(second, Quantise(), ANNA),
        lambda: scheduler.submit(RunConfig(steps=5), TEXTS, ANNA),
    ):
        with pytest.raises(UserError, match=f"already have an attack on run {run_id}"):
            act()
    scheduler.submit(RunConfig(steps=5), TEXTS, BERT)


def test_an_attack_that_nobody_carries_out_any_more_is_told(scheduler, worker, run_id):
    scheduler.attack(run_id, Quantise(), ANNA)
    worker.waiting.clear()
    job = scheduler.attack_job(run_id)
    assert job.state == "failed" and "cut short" in job.failed.message
    scheduler.attack(run_id, Quantise(), ANNA)
    assert scheduler.attack_job(run_id).state == "queued"


def test_what_another_version_wrote_counts_as_nothing(scheduler, run_id):
    (jobs.job_folder(scheduler.store, run_id) / "job.json").write_text('{"attack": 1}')
    assert scheduler.attack_job(run_id) is None
    assert scheduler.store.attacks(run_id) == []
