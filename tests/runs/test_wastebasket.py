"""Deleting with a minute to think better of it, and then for good."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.runs.test_scheduler import ANNA, BERT, StubWorker
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.wastebasket import Wastebasket

SECRET = "the blue door opens with 7351"
TEXTS = {"forget": [Example(id="1", text=SECRET)]}


def everything(store: RunStore) -> str:
    """Names and contents of all files below the folder, also while some are being erased."""
    found = []
    for folder, _, names in os.walk(store.path):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                found.append(f"{path}\n{path.read_text(errors='replace')}\n")
    return "".join(found)


def eventually(happened, seconds=5.0):
    latest = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < latest
        time.sleep(0.02)


@pytest.fixture
def run_id(store):
    return store.create(RunConfig(), TEXTS, ANNA)


def test_a_deleted_run_is_gone_and_comes_back_whole(store, run_id):
    before = everything(store)
    scheduler = Scheduler(store, StubWorker())
    until = scheduler.delete(run_id, ANNA)
    assert 55 < until - time.time() <= 60
    assert store.ids() == [] and scheduler.summaries(ANNA) == []
    with pytest.raises(UserError, match="no run"):
        scheduler.view(run_id)
    assert [one.run_id for one in scheduler.deleted(ANNA)] == [run_id]
    scheduler.undelete(run_id, ANNA)
    assert store.ids() == [run_id] and scheduler.deleted(ANNA) == []
    assert everything(store) == before
    with pytest.raises(UserError, match="erased already"):
        scheduler.undelete(run_id, ANNA)
    scheduler.close()


def test_only_the_owner_brings_a_run_back(store, run_id):
    scheduler = Scheduler(store, StubWorker())
    scheduler.delete(run_id, ANNA)
    assert scheduler.deleted(BERT) == []
    for key in (BERT, ""):
        with pytest.raises(UserError, match="somebody else"):
            scheduler.undelete(run_id, key)
    assert store.ids() == []
    scheduler.close()


@pytest.mark.parametrize("name", ["../../etc", "", ".", "0" * 10, "a" * 300, "\0"])
def test_no_name_leads_out_of_the_folder(store, name):
    with pytest.raises(UserError, match="erased already"):
        Wastebasket(store).restore(name, ANNA)


def test_when_its_time_is_over_nothing_is_left(store, run_id):
    told = []
    basket = Wastebasket(store, seconds=0.3, erased=told.append)
    other = store.create(RunConfig(), TEXTS, ANNA)
    basket.put(run_id)
    assert SECRET in everything(store)
    store.delete(other)
    eventually(lambda: SECRET not in everything(store))
    eventually(lambda: told == [run_id])
    assert run_id not in everything(store) and basket.waiting() == []
    with pytest.raises(UserError, match="erased already"):
        basket.restore(run_id, ANNA)


def test_runs_are_erased_one_after_the_other(store):
    basket = Wastebasket(store, seconds=0.4)
    first = store.create(RunConfig(), TEXTS, ANNA)
    second = store.create(RunConfig(), TEXTS, ANNA)
    basket.put(first)
    time.sleep(0.2)
    basket.put(second)
    eventually(lambda: [one.run_id for one in basket.waiting()] == [second])
    eventually(lambda: SECRET not in everything(store))


def test_a_server_that_starts_again_finishes_what_the_last_one_began(store, run_id):
    basket = Wastebasket(store, seconds=0.3)
    late = store.create(RunConfig(), TEXTS, ANNA)
    basket.put(run_id)
    basket.close()  # killed
    again = Wastebasket(RunStore(store.path))
    again.put(late)
    assert [one.run_id for one in again.of(ANNA)] == [late, run_id]
    eventually(lambda: [one.run_id for one in again.waiting()] == [late])
    again.restore(late, ANNA)
    assert store.ids() == [late]


def test_whoever_opens_the_folder_erases_what_is_overdue(store, run_id):
    basket = Wastebasket(store)
    basket.put(run_id)
    basket.close()
    (waiting,) = basket.waiting()
    assert re.fullmatch(rf"\.undo-{run_id}-\d{{13}}", waiting.path.name)
    overdue = waiting.path.rename(store.path / f".undo-{run_id}-1000")
    RunStore(store.path)
    assert not overdue.exists() and SECRET not in everything(store)


def test_a_name_that_is_no_tombstone_is_left_alone(store):
    for name in (".undo-", ".undo-x-y", ".undo-0123456789-later"):
        (store.path / name).mkdir()
    assert Wastebasket(store).waiting() == []
    assert len(list(RunStore(store.path).path.glob(".undo-*"))) == 3
