"""Attacks through scheduler and worker on a real tiny model."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import make, settings
from unlearning.attacks import ATTACKS
from unlearning.attacks.prompts import Prompts
from unlearning.attacks.quantise import Quantise
from unlearning.attacks.relearn import Relearn
from unlearning.attacks.sequential import Sequential
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs
from unlearning.workers.inline import InlineWorker

SMALL = {
    "relearn": Relearn(steps=2, look_every=1, texts=2, extracted=0),
    "quantise": Quantise(texts=2, extracted=0),
    "prompts": Prompts(questions=1, passages=1, neighbours=1, samples=1, new_tokens=4),
    "sequential": Sequential(requests=2, texts=2),
}


@pytest.fixture
def scheduler(store: RunStore) -> Scheduler:
    return Scheduler(store, InlineWorker(store, "cpu"))


@pytest.fixture(scope="module")
def attacked(store: RunStore, tiny) -> str:
    return make(store, settings(tiny))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_leaves_a_report(scheduler: Scheduler, attacked: str, name: str) -> None:
    scheduler.attack(attacked, SMALL[name])
    job = scheduler.attack_job(attacked)
    assert job.state == "finished", job.failed
    assert any(line.startswith("unlearned: ") for line in job.told)
    found = scheduler.store.attacks(attacked)[0]
    assert found["attack"] == name and found["models"]["unlearned"] == f"run:{attacked}@2"


def test_a_stop_keeps_nothing(store: RunStore, tiny, monkeypatch) -> None:
    run_id = make(store, settings(tiny))
    write, told = jobs.write, []

    def write_and_stop(store: RunStore, run_id: str, job: jobs.AttackJob) -> None:
        write(store, run_id, job)
        if job.told and job.live:
            told.append(job.told[-1])
            jobs.ask_stop(store, run_id)

    monkeypatch.setattr(jobs, "write", write_and_stop)
    Scheduler(store, InlineWorker(store, "cpu")).attack(run_id, Relearn(steps=1000))
    assert jobs.read(store, run_id).state == "stopped" and len(told) <= 2
    assert store.attacks(run_id) == []


def test_a_problem_is_told_in_the_job(scheduler: Scheduler, store: RunStore, tiny) -> None:
    run_id = make(store, settings(tiny))
    scheduler.attack(run_id, Prompts(questions=0, passages=0))
    job = scheduler.attack_job(run_id)
    assert job.state == "failed" and "nothing that can be asked for" in job.failed.message
    assert not job.failed.traceback
