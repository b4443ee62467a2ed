"""Merged models: asked for, written by the worker, told, and gone with the run."""

from __future__ import annotations

import os
import signal

import pytest

from tests.runs.test_attack_jobs import ended_run
from tests.runs.test_scheduler import ANNA, BERT, StubWorker
from tests.workers.conftest import wait_for
from tests.workers.fake import FakeBackend
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.methods import METHODS
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import Scheduler
from unlearning.workers.inline import InlineWorker
from unlearning.workers.mailbox import FOLDER, Mailbox


class TestInline:
    @pytest.fixture
    def inline(self, store):
        return InlineWorker(store, "cpu", open_backend=FakeBackend)

    @pytest.fixture
    def asked(self, store, new_run):
        def make(behaviour: str = "") -> str:
            run_id = new_run(behaviour)
            (store.folder(run_id) / "snapshots" / "step-1").mkdir()
            merging.write(store, run_id, merging.asked(store, run_id))
            return run_id

        return make

    def test_to_its_end(self, store, inline, asked):
        run_id = asked()
        inline.merge(run_id)
        assert merging.read(store, run_id) == merging.MergeJob(
            target=f"{run_id}@1", state="finished"
        )
        folder = merging.merged_folder(store, run_id)
        assert (folder / "model.safetensors").read_text() == f"{run_id}@1"
        assert sorted(p.name for p in folder.parent.iterdir() if p.suffix != ".lock") == [
            "job.json", "merged"
        ]  # fmt: skip
        # Nothing waits any more; asked again, the new one takes the old one's place.
        (folder / "model.safetensors").unlink()
        inline.merge(run_id)
        assert not (folder / "model.safetensors").exists()
        merging.write(store, run_id, merging.asked(store, run_id))
        inline.merge(run_id)
        assert (folder / "model.safetensors").exists() and inline.current() is None

    def test_a_mistake_is_the_end_of_the_job(self, store, inline, asked):
        run_id = asked("memory")
        inline.merge(run_id)
        job = merging.read(store, run_id)
        assert job.state == "failed" and "Not enough memory" in job.failed.message
        assert not merging.merged_folder(store, run_id).exists()


class TestScheduler:
    @pytest.fixture
    def worker(self):
        return StubWorker()

    @pytest.fixture
    def scheduler(self, store, worker):
        return Scheduler(store, worker, Limits(queued_per_owner=1))

    @pytest.fixture
    def run_id(self, scheduler, worker):
        return ended_run(scheduler, worker)

    def test_on_its_way(self, store, scheduler, worker, run_id):
        assert scheduler.merge_job(run_id) is None
        scheduler.merge(run_id, ANNA)
        assert scheduler.merge_job(run_id) == merging.MergeJob(target=f"{run_id}@3")
        assert scheduler.status(run_id) == "stopped" and scheduler.active(ANNA) is None
        for change in (scheduler.delete, scheduler.resume, scheduler.merge):
            with pytest.raises(UserError, match="is being written"):
                change(run_id, ANNA)
        worker.advance()
        assert scheduler.merge_job(run_id).live
        worker.running = None  # killed
        assert scheduler.merge_job(run_id).failed == merging.INTERRUPTED
        scheduler.merge(run_id, ANNA, 2)
        assert scheduler.merge_job(run_id).target == f"{run_id}@2"

    def test_only_the_owner_asks_and_one_at_a_time(self, scheduler, worker, run_id):
        for key in (BERT, ""):
            with pytest.raises(UserError, match="somebody else"):
                scheduler.merge(run_id, key)
        other = ended_run(scheduler, worker)
        scheduler.merge(run_id, ANNA)
        with pytest.raises(UserError, match="already have a merged model"):
            scheduler.merge(other, ANNA)
        worker.advance()
        worker.advance()
        scheduler.merge(other, ANNA)

    def test_what_cannot_be_merged_is_said(self, scheduler, worker, run_id, monkeypatch):
        with pytest.raises(UserError, match="no snapshot of step '9'"):
            scheduler.merge(run_id, ANNA, 9)
        monkeypatch.setattr(METHODS["undial"], "artifact", "decoder")
        with pytest.raises(UserError, match="nothing to merge"):
            scheduler.merge(run_id, ANNA)
        assert worker.waiting == []


def test_in_a_process_of_its_own(store, new_worker, new_run):
    run_id = new_run()
    (store.folder(run_id) / "snapshots" / "step-1").mkdir()
    merging.write(store, run_id, merging.asked(store, run_id))
    worker = new_worker()
    worker.merge(run_id)
    wait_for(lambda: merging.read(store, run_id).state == "finished")
    assert (merging.merged_folder(store, run_id) / "model.safetensors").is_file()


def test_a_worker_that_is_killed_leaves_no_half_model(store, new_worker, new_run):
    run_id = new_run()
    worker = new_worker()
    worker.start()
    wait_for(lambda: worker.state() == "ready")
    found, _ = Mailbox(store.path / FOLDER).process()
    os.kill(found.mark.pid, signal.SIGKILL)
    (store.folder(run_id) / "snapshots" / "step-1").mkdir()
    merging.write(store, run_id, merging.asked(store, run_id))
    left = merging.exports_folder(store, run_id) / ".merged-0123abcd"
    left.mkdir()
    scheduler = Scheduler(store, worker)
    assert scheduler.merge_job(run_id).failed == merging.INTERRUPTED
    scheduler.merge_job(run_id)
    merging.write(store, run_id, merging.asked(store, run_id))
    worker.merge(run_id)
    # Whoever looks at the worker finds the dead one and starts the next, as the page does.
    wait_for(lambda: worker.state() and merging.read(store, run_id).state == "finished")
    assert not left.exists()
    scheduler.close()
