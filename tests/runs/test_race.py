"""A race: several methods on one text, queued in one go."""

from __future__ import annotations

import pytest

from tests.runs.test_scheduler import ANNA, BERT, TEXTS, StubWorker
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import Scheduler

METHODS = ("npo", "undial", "grad_diff")


@pytest.fixture
def worker():
    return StubWorker()


def configs(*methods):
    return [RunConfig(method=method, steps=5) for method in methods]


def test_a_race_is_one_submission(store, worker):
    scheduler = Scheduler(store, worker, Limits(queued_per_owner=1))
    ids = scheduler.race(configs(*METHODS), TEXTS, ANNA)
    assert worker.waiting == ids
    assert [store.config(run_id).method for run_id in ids] == list(METHODS)
    assert all(store.racers(run_id) == ids for run_id in ids)
    assert len({str(store.head(run_id)["texts"]) for run_id in ids}) == 1
    assert all(scheduler.owned(run_id, ANNA) for run_id in ids)
    # Until all of it has ended there is room for nothing else of this owner.
    for _ in ids:
        with pytest.raises(UserError, match=r"already have \d runs? waiting or running"):
            scheduler.submit(RunConfig(), TEXTS, ANNA)
        with pytest.raises(UserError, match="already have"):
            scheduler.race(configs(*METHODS), TEXTS, ANNA)
        worker.advance()
    worker.advance()
    scheduler.submit(RunConfig(), TEXTS, ANNA)
    scheduler.race(configs(*METHODS), TEXTS, BERT)


def test_those_that_are_left_race_on(store, worker):
    scheduler = Scheduler(store, worker)
    ids = scheduler.race(configs(*METHODS), TEXTS, ANNA)
    scheduler.stop(ids[1], ANNA)
    scheduler.delete(ids[1], ANNA)
    assert store.racers(ids[0]) == [ids[0], ids[2]]
    assert store.racers(store.create(RunConfig(), TEXTS)) == []


@pytest.mark.parametrize(
    ("limits", "methods", "words"),
    [
        (Limits(), METHODS[:1], "at least two"),
        (Limits(raced=2), METHODS, "3 methods are to race; 2 are allowed"),
        (Limits(queued=2), METHODS, "room for 2 more, not for 3"),
        (Limits(max_steps=4), METHODS, "5 steps are asked for"),
    ],
)
def test_too_much_is_refused_as_a_whole(store, worker, limits, methods, words):
    with pytest.raises(UserError, match=words) as error:
        Scheduler(store, worker, limits).race(configs(*methods), TEXTS, ANNA)
    assert error.value.hint
    assert store.ids() == [] and worker.waiting == []


def test_what_fails_half_way_leaves_nothing(store, worker, monkeypatch):
    create, made = store.create, []

    def full_after_one(*given, **named):
        if made:
            raise UserError("The disk is full.")
        made.append(create(*given, **named))
        return made[0]

    monkeypatch.setattr(store, "create", full_after_one)
    with pytest.raises(UserError, match="full"):
        Scheduler(store, worker).race(configs(*METHODS), TEXTS, ANNA)
    assert store.ids() == [] and worker.waiting == []
