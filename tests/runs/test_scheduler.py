"""Queue, owners and limits, as the page meets them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.workers.fake import FakeBackend
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.events import (
    Ended,
    Entered,
    Failed,
    Measured,
    Noticed,
    ScoreValue,
    Stepped,
    Stopped,
)
from unlearning.runs.limits import Limits
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.stress.job import name_of
from unlearning.workers.inline import InlineWorker
from unlearning.workers.presence import claim

TEXTS = {"forget": [Example(id="1", text="x" * 100)]}
ANNA, BERT = "key of Anna", "key of Bert"


class StubWorker:
    """A queue that moves when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.running: str | None = None
        self.resumed: list[str] = []
        self.closed = False
        self.on_submit = lambda: None

    def start(self) -> None: ...

    def submit(self, run_id: str, resume: bool = False) -> None:
        self.on_submit()
        self.waiting.append(run_id)
        if resume:
            self.resumed.append(run_id)

    def attack(self, run_id: str) -> None:
        self.waiting.append(name_of(run_id))

    def merge(self, run_id: str) -> None:
        self.waiting.append(f"{run_id}-merge")

    def generate(self, request: GenerateRequest) -> Iterator[Delta]:
        yield Delta(text=request.prompts[0])
        yield Delta(kind="done")

    def state(self) -> str:
        return "busy" if self.running else "ready"

    def current(self) -> str | None:
        return self.running

    def queue(self) -> list[str]:
        return list(self.waiting)

    def withdraw(self, run_id: str) -> bool:
        if run_id in self.waiting:
            self.waiting.remove(run_id)
            return True
        return False

    def kill(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def advance(self) -> None:
        self.running = self.waiting.pop(0) if self.waiting else None


@pytest.fixture
def worker():
    return StubWorker()


@pytest.fixture
def scheduler(store, worker):
    return Scheduler(store, worker)


@pytest.fixture
def ended(store, scheduler, worker):
    """A run of Anna's that was stopped at step 3 of 5, with its snapshot."""
    run_id = scheduler.submit(RunConfig(steps=5), TEXTS, ANNA)
    worker.advance()
    begin(store, run_id, 3)
    finish(store, worker, run_id, 3)
    return run_id


def begin(store, run_id, steps=1):
    backend = FakeBackend(store, "cpu")
    for event in backend.engine(run_id).events(resume=False, stop=lambda: False):
        store.append(run_id, event)
        if event.kind == "snapshotted" and event.step == steps:
            return


def finish(store, worker, run_id, step, status="stopped"):
    store.append(run_id, Ended(status=status, step=step))
    worker.running = None


def submit(scheduler, key=ANNA, **settings):
    return scheduler.submit(RunConfig(**settings), TEXTS, key)


# where a run stands


def test_a_run_on_its_way(store, scheduler, worker):
    run_id = submit(scheduler)
    assert (scheduler.status(run_id), scheduler.place(run_id)) == ("queued", 1)
    assert scheduler.view(run_id).live
    worker.advance()
    assert (scheduler.status(run_id), scheduler.place(run_id)) == ("running", None)
    begin(store, run_id)
    assert scheduler.view(run_id).status == "running"
    finish(store, worker, run_id, 1)
    assert scheduler.status(run_id) == scheduler.view(run_id).status == "stopped"


def test_a_run_is_queued_from_the_first_moment(scheduler, worker):
    seen = []
    worker.on_submit = lambda: seen.extend(
        (scheduler.status(run_id), scheduler.place(run_id)) for run_id in scheduler.store.ids()
    )
    submit(scheduler)
    assert seen == [("queued", 1)]


def test_a_run_between_queue_and_execution_is_running(scheduler, worker):
    run_id = submit(scheduler)
    worker.running = run_id  # announced, not yet taken
    assert (scheduler.status(run_id), scheduler.place(run_id)) == ("running", None)


def test_a_run_without_end_that_nobody_executes_is_interrupted(store, scheduler, worker):
    run_id = submit(scheduler)
    worker.advance()
    begin(store, run_id, 2)
    worker.running = None
    assert scheduler.status(run_id) == "interrupted"
    assert not scheduler.view(run_id).live
    assert scheduler.summaries()[0].status == "interrupted"


def test_a_run_that_another_process_executes_is_running(store, scheduler):
    run_id = store.create(RunConfig(), TEXTS)
    assert scheduler.status(run_id) == "interrupted"
    with claim(store.folder(run_id)):
        assert scheduler.status(run_id) == "running"
        scheduler.stop(run_id)
        assert scheduler.status(run_id) == "stopping"
        with pytest.raises(UserError, match="still stopping"):
            scheduler.delete(run_id)


def test_a_failure_stays_one(store, scheduler, worker, ended):
    store.append(ended, Failed(message="killed"))
    assert scheduler.status(ended) == "failed"


def test_stopping_lasts_until_the_end(store, scheduler, worker):
    run_id = submit(scheduler)
    worker.advance()
    begin(store, run_id)
    scheduler.stop(run_id, ANNA)
    assert scheduler.status(run_id) == "stopping"
    # The engine takes the flag down and measures once more.
    store.clear_stop(run_id)
    store.append(run_id, Stopped(step=1, why="asked"))
    store.append(run_id, Entered(phase="finishing"))
    assert scheduler.status(run_id) == "stopping"
    finish(store, worker, run_id, 1)
    assert scheduler.status(run_id) == "stopped"


def test_places_move_up(scheduler, worker):
    first, second, third = submit(scheduler), submit(scheduler, BERT), submit(scheduler)
    assert [scheduler.place(r) for r in (first, second, third)] == [1, 2, 3]
    worker.advance()
    assert [scheduler.place(r) for r in (first, second, third)] == [None, 1, 2]
    scheduler.stop(second, BERT)
    assert scheduler.place(third) == 1


# stopping, continuing, deleting


def test_a_waiting_run_is_stopped_at_once(store, scheduler, worker):
    run_id = submit(scheduler)
    scheduler.stop(run_id, ANNA)
    view = scheduler.view(run_id)
    assert (view.status, view.stopped.why) == ("stopped", "asked")
    assert worker.waiting == [] and not store.stop_asked(run_id)


def test_stopping_a_run_that_has_ended_does_nothing(store, scheduler, ended):
    scheduler.stop(ended, ANNA)
    assert not store.stop_asked(ended) and scheduler.status(ended) == "stopped"


def test_a_stopped_run_goes_on(store, scheduler, worker, ended):
    store.ask_stop(ended)  # left over
    scheduler.resume(ended, ANNA, steps=9)
    assert worker.resumed == [ended] and scheduler.status(ended) == "queued"
    assert store.config(ended).steps == 9 and not store.stop_asked(ended)
    with pytest.raises(UserError, match="still queued"):
        scheduler.resume(ended, ANNA)
    worker.advance()
    assert scheduler.status(ended) == "running"  # though its log ends
    with pytest.raises(UserError, match="still running"):
        scheduler.resume(ended, ANNA)


def test_a_continuation_that_is_taken_back_leaves_the_end_it_had(scheduler, ended):
    scheduler.resume(ended, ANNA)
    scheduler.stop(ended, ANNA)
    assert scheduler.status(ended) == "stopped" and scheduler.view(ended).step == 3


def test_a_run_without_snapshot_does_not_go_on(scheduler, worker):
    run_id = submit(scheduler)
    scheduler.stop(run_id, ANNA)
    with pytest.raises(UserError, match="no snapshot"):
        scheduler.resume(run_id, ANNA)


@pytest.mark.parametrize("steps", [None, 3, 5])
def test_a_finished_run_needs_more_steps(store, scheduler, worker, steps):
    run_id = submit(scheduler, steps=5)
    worker.advance()
    begin(store, run_id, 5)
    finish(store, worker, run_id, 5, "finished")
    with pytest.raises(UserError, match="5 of . steps already") as error:
        scheduler.resume(run_id, ANNA, steps)
    assert "more than 5" in error.value.hint
    scheduler.resume(run_id, ANNA, 6)
    assert worker.waiting == [run_id]


def test_a_run_that_was_cut_off_in_its_last_measurement_may_finish_it(store, scheduler, worker):
    run_id = submit(scheduler, steps=5)
    worker.advance()
    begin(store, run_id, 5)
    worker.running = None
    scheduler.resume(run_id, ANNA)
    assert worker.waiting == [run_id]


def test_steps_out_of_range_change_nothing(store, scheduler, worker, ended):
    with pytest.raises(UserError, match="steps"):
        scheduler.resume(ended, ANNA, 10**9)
    assert store.config(ended).steps == 5 and worker.waiting == []


def test_live_runs_are_not_deleted(store, scheduler, worker):
    run_id = submit(scheduler)
    with pytest.raises(UserError, match="still queued"):
        scheduler.delete(run_id, ANNA)
    worker.advance()
    with pytest.raises(UserError, match="still running"):
        scheduler.delete(run_id, ANNA)
    worker.running = None
    scheduler.delete(run_id, ANNA)
    assert store.ids() == [] and scheduler.summaries() == []


def test_labels_are_short_and_of_one_line(store, scheduler, ended):
    scheduler.relabel(ended, "my\nfirst\t run " + "x" * 200, ANNA)
    label = store.config(ended).label
    assert label.startswith("my first run xx") and len(label) == 80


# owners


def test_only_the_owner_changes_a_run(store, scheduler, worker, ended):
    live = submit(scheduler)
    before = store.head(ended), store.read(ended), worker.queue()
    for key in (BERT, "", ANNA[:-1]):
        for change in (
            lambda: scheduler.stop(live, key),  # noqa: B023
            lambda: scheduler.resume(ended, key),  # noqa: B023
            lambda: scheduler.delete(ended, key),  # noqa: B023
            lambda: scheduler.relabel(ended, "mine", key),  # noqa: B023
        ):
            with pytest.raises(UserError, match="belongs to somebody else; you can watch"):
                change()
        assert not scheduler.owned(ended, key)
    assert (store.head(ended), store.read(ended), worker.queue()) == before
    assert scheduler.owned(ended, ANNA)
    assert scheduler.view(ended).step == 3  # anybody may watch


def test_a_run_of_the_command_line_belongs_to_everybody_but_is_nobodys_active_one(scheduler):
    run_id = submit(scheduler, "")
    assert scheduler.owned(run_id, BERT)
    assert scheduler.active(BERT) is None and scheduler.active("") == run_id
    scheduler.stop(run_id, BERT)
    assert scheduler.status(run_id) == "stopped"


def test_the_active_run_is_the_newest_live_one_of_that_owner(scheduler, worker):
    assert scheduler.active(ANNA) is None
    first, other, second = submit(scheduler), submit(scheduler, BERT), submit(scheduler)
    assert (scheduler.active(ANNA), scheduler.active(BERT)) == (second, other)
    worker.advance()
    scheduler.stop(second, ANNA)
    assert scheduler.active(ANNA) == first
    assert scheduler.active("somebody") is None


def test_summaries_tell_no_secret(store, scheduler, worker, ended):
    live = submit(scheduler, BERT, label="Bert's", method="npo")
    score = {"probability": {"forget": ScoreValue(value=0.9)}}
    for stage in ("original", "unlearned"):
        store.append(ended, Measured(stage=stage, scores=score))
    newest, oldest = scheduler.summaries(ANNA)
    assert (newest.run_id, newest.status, newest.mine) == (live, "queued", False)
    assert (newest.label, newest.method, newest.step, newest.steps) == ("Bert's", "npo", 0, None)
    assert (oldest.run_id, oldest.status, oldest.mine) == (ended, "stopped", True)
    assert (oldest.model, oldest.forget) == ("demo", "preset:world/forget")
    assert (oldest.step, oldest.steps) == (3, 5)
    assert oldest.original == oldest.unlearned == {"probability/forget": 0.9}
    assert newest.original == {}
    for row in (newest, oldest):
        assert ANNA not in repr(row) and BERT not in repr(row) and "xxxx" not in repr(row)


def test_what_was_not_measured_is_none(store, scheduler, ended):
    score = {"probability": {"forget": ScoreValue(value=0.9)}}
    store.append(ended, Measured(stage="original", scores=score))
    assert scheduler.summaries()[0].unlearned == {"probability/forget": None}


def test_one_unreadable_run_does_not_hide_the_others(store, scheduler, ended):
    other = submit(scheduler)
    (store.folder(ended) / "events.jsonl").write_text("nonsense\n")
    assert {row.run_id: row.status for row in scheduler.summaries()} == {
        ended: "failed",
        other: "queued",
    }


# limits


def test_one_owner_cannot_fill_the_queue(store, scheduler, worker, ended):
    submit(scheduler, BERT)
    submit(scheduler)
    submit(scheduler)
    with pytest.raises(UserError, match=r"already have 2 runs .*next is number 2 in the queue"):
        submit(scheduler)
    with pytest.raises(UserError, match="already have 2 runs"):
        scheduler.resume(ended, ANNA)
    worker.advance()
    worker.advance()
    with pytest.raises(UserError, match="next is number 1 in the queue"):
        submit(scheduler)
    worker.advance()
    submit(scheduler)
    assert len(store.ids()) == 5


def test_simultaneous_clicks_are_counted_one_by_one(store, scheduler):
    refused = []

    def click() -> None:
        try:
            submit(scheduler)
        except UserError as error:
            refused.append(error)

    clicks = [threading.Thread(target=click) for _ in range(12)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert len(store.ids()) == 2 and len(refused) == 10


def test_the_command_line_has_no_place_limit(scheduler):
    for _ in range(5):
        submit(scheduler, "")
    assert len(scheduler.worker.queue()) == 5


def test_the_queue_ends_somewhere(store, worker):
    scheduler = Scheduler(store, worker, Limits(queued=3))
    for _ in range(3):
        submit(scheduler, "")
    with pytest.raises(UserError, match="queue is full"):
        submit(scheduler, "")


@pytest.mark.parametrize(
    ("limits", "settings", "message"),
    [
        (Limits(max_steps=10), {"steps": 11}, "11 steps are asked for; 10 are allowed"),
        (Limits(max_steps=1), {}, "1 are allowed"),
        (Limits(max_steps=50), {"steps": 5, "teach_first": True}, "150 steps of teaching"),
        (
            Limits(max_characters=99),
            {"forget": "pasted.txt"},
            "The texts have 100 characters; 99 are allowed",
        ),
        (Limits(models=frozenset({"demo"})), {"model": "/home/me"}, "'/home/me' is not offered"),
        (Limits(models=frozenset({"demo"})), {"retrained": "big"}, "'big' is not offered"),
    ],
)
def test_too_much_is_refused_before_anything_is_written(store, worker, limits, settings, message):
    with pytest.raises(UserError, match=message) as error:
        submit(Scheduler(store, worker, limits), **settings)
    assert error.value.hint
    assert store.ids() == [] and worker.waiting == []


def test_what_is_within_the_limits_passes(store, worker):
    limits = Limits(max_steps=10, max_characters=100, models=frozenset({"demo"}))
    scheduler = Scheduler(store, worker, limits)
    run_id = submit(scheduler, steps=10)
    submit(scheduler, steps=10, model=f"run:{run_id}")
    worker.waiting.clear()
    begin(store, run_id, 3)
    with pytest.raises(UserError, match="11 steps"):
        scheduler.resume(run_id, ANNA, 11)
    scheduler.resume(run_id, ANNA, 10)


# generating


def request(side="demo", prompt="Hello", **changes):
    return GenerateRequest(sides=(side,), prompts=(prompt,), **changes)


def test_runs_of_others_may_be_asked(scheduler, ended):
    for key in (ANNA, BERT, ""):
        deltas = list(scheduler.generate(request(f"run:{ended}@3"), key))
        assert [d.text for d in deltas] == ["Hello", ""]


@pytest.mark.parametrize(
    ("limits", "asked", "message"),
    [
        (Limits(max_prompt_characters=4), request(), "prompt is 5 characters long; 4 are"),
        (Limits(max_new_tokens=8), request(max_new_tokens=9), "9 new tokens"),
        (Limits(models=frozenset({"demo"})), request("elsewhere"), "not offered"),
        (Limits(), request("run:aaaaaaaaaa"), "no run 'aaaaaaaaaa'"),
        (Limits(), request("original:../../etc"), "no run"),
        (Limits(), request("run:"), "no run ''"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(store, worker, limits, asked, message):
    with pytest.raises(UserError, match=message):
        Scheduler(store, worker, limits).generate(asked, ANNA)


def test_one_owner_waits_for_a_few_answers_at_a_time(store, worker):
    scheduler = Scheduler(store, worker, Limits(requests_per_owner=2))
    open_answers = [scheduler.generate(request(), ANNA) for _ in range(2)]
    for answer in open_answers:
        next(answer)
    with pytest.raises(UserError, match="already waiting for 2"):
        next(scheduler.generate(request(), ANNA))
    next(scheduler.generate(request(), BERT))
    open_answers[0].close()
    assert len(list(scheduler.generate(request(), ANNA))) == 2


# with a worker that works


def test_from_start_to_end(store):
    heard = []
    worker = InlineWorker(store, "cpu", on_event=heard.append, open_backend=FakeBackend)
    scheduler = Scheduler(store, worker)
    run_id = submit(scheduler, steps=4)
    assert scheduler.status(run_id) == "finished"
    assert [e.step for e in heard if isinstance(e, Stepped)] == [1, 2, 3, 4]
    scheduler.resume(run_id, ANNA, steps=6)
    assert scheduler.view(run_id).curve("forget_nll").steps == [1, 2, 3, 4, 5, 6]
    assert store.read(run_id)[0] == heard
    scheduler.delete(run_id, ANNA)
    assert store.ids() == []


def test_status_is_running_while_a_run_executes_inline(store):
    seen = set()
    worker = InlineWorker(
        store,
        "cpu",
        on_event=lambda event: seen.add(scheduler.status(store.ids()[0])),
        open_backend=FakeBackend,
    )
    scheduler = Scheduler(store, worker)
    submit(scheduler)
    assert seen == {"running"}


def test_many_threads_watch_while_runs_come_and_go(store):
    worker = InlineWorker(store, "cpu", open_backend=FakeBackend)
    scheduler = Scheduler(store, worker, Limits(queued_per_owner=None))
    faults: list[BaseException] = []
    done = threading.Event()

    def watch() -> None:
        try:
            while not done.wait(0.005):
                for row in scheduler.summaries(BERT):
                    assert row.status in ("queued", "running", "finished"), row.status
                scheduler.active(ANNA)
        except BaseException as error:
            faults.append(error)

    watchers = [threading.Thread(target=watch) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for _ in range(10):
        submit(scheduler, steps=3)
    scheduler.delete(store.ids()[0], ANNA)
    done.set()
    for watcher in watchers:
        watcher.join()
    assert faults == []
    scheduler.close()


def test_notices_of_a_run_reach_its_view(store, scheduler, ended):
    store.append(ended, Noticed(message="by the way"))
    assert scheduler.view(ended).notices == ["by the way"]
