"""The worker process for real: found again, stopped, killed, replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.workers.conftest import wait_for
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.check import CheckRequest
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.store import RunStore
from unlearning.workers import process as processes
from unlearning.workers.mailbox import FOLDER, Command, Mailbox, Process
from unlearning.workers.presence import mark_of

ROOT = Path(__file__).resolve().parents[2]


def pid_of(store: RunStore) -> int:
    return Mailbox(store.path / FOLDER).process()[0].mark.pid


def steps_of(store: RunStore, run_id: str) -> int:
    return store.view(run_id).step


def serving(store: RunStore) -> list[int]:
    """The processes that serve these runs, whoever's children they are."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "unlearning.workers.serve" in words and str(store.path) in words:
            found.append(process.pid)
    return found


def request(prompt: str = "Hello", side: str = "demo") -> GenerateRequest:
    return GenerateRequest(sides=(side,), prompts=(prompt,))


def said(deltas) -> str:
    return "".join(delta.text for delta in deltas)


def test_runs_are_executed_first_come_first_served(store, new_worker, new_run):
    worker = new_worker()
    assert worker.state() == "down"
    first, second = new_run("slow"), new_run()
    worker.submit(first)
    worker.submit(second)
    assert worker.state() in ("starting", "ready", "busy")
    assert not store.view(first).ended  # nobody waits for the worker
    wait_for(lambda: worker.current() == first and worker.queue() == [second])
    assert worker.state() == "busy"
    wait_for(lambda: store.view(second).status == "finished")
    assert store.view(first).updated <= store.view(second).begun
    wait_for(lambda: worker.state() == "ready")
    assert worker.queue() == [] and worker.current() is None


def test_a_withdrawn_run_is_not_executed(store, new_worker, new_run):
    worker = new_worker()
    first, second, third = new_run("slow"), new_run(), new_run()
    for run_id in (first, second, third):
        worker.submit(run_id)
    assert worker.withdraw(second)
    assert not worker.withdraw(second)
    wait_for(lambda: store.view(third).status == "finished")
    assert store.view(second).version == 0


def test_a_stop_ends_the_run_within_a_step_and_the_worker_lives_on(store, new_worker, new_run):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 2)
    store.ask_stop(run_id)
    asked_at = steps_of(store, run_id)
    wait_for(lambda: store.view(run_id).status == "stopped")
    # One step may be under way, one more may be written between the flag and this look.
    assert steps_of(store, run_id) <= asked_at + 2
    wait_for(lambda: worker.state() == "ready")


def test_a_killed_worker_fails_its_run_and_the_next_one_works(store, new_worker, new_run):
    worker = new_worker()
    victim, waiting = new_run("slow", steps=1000), new_run()
    worker.submit(victim)
    worker.submit(waiting)
    wait_for(lambda: steps_of(store, victim) >= 2)
    killed = pid_of(store)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: worker.state() != "busy")
    view = store.view(victim)
    assert view.status == "failed"
    assert f"was killed at step {view.step} (signal 9), possibly" in view.failed.message
    assert "Press Continue" in view.failed.hint
    wait_for(lambda: worker.state() is not None and store.view(waiting).status == "finished")
    assert pid_of(store) != killed
    # It goes on from its last snapshot, and that is told once.
    store.change_config(victim, steps=view.step + 2, label="")
    worker.submit(victim, resume=True)
    wait_for(lambda: store.view(victim).status == "finished")
    assert [e.kind for e in store.read(victim)[0]].count("failed") == 1
    assert store.view(victim).curve("forget_nll").steps == list(range(1, view.step + 3))


def test_a_crash_takes_its_run_along_only(store, new_worker, new_run):
    worker = new_worker()
    crashing, waiting = new_run("crash"), new_run()
    worker.submit(crashing)
    worker.submit(waiting)
    wait_for(lambda: worker.state() is not None and store.view(waiting).status == "finished")
    failed = store.view(crashing).failed
    assert "crashed at step 2" in failed.message
    assert "_misbehave" in failed.traceback  # what the dying process printed


def test_a_kill_by_hand_is_told_as_such(store, new_worker, new_run):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 1)
    worker.kill()
    assert "ended on request" in store.view(run_id).failed.message
    assert worker.state() == "down"


def test_the_death_of_the_page_leaves_the_worker_running(store, new_worker, new_run):
    run_id = new_run("slow", steps=60)
    page = (
        "import sys, time\n"
        "from unlearning.runs.store import RunStore\n"
        "from unlearning.workers.process import ProcessWorker\n"
        "store = RunStore(sys.argv[1])\n"
        "worker = ProcessWorker(store, 'cpu', backend='tests.workers.fake:FakeBackend')\n"
        "worker.submit(sys.argv[2])\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", page, store.path, run_id]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    next_page = new_worker()
    try:
        wait_for(lambda: steps_of(store, run_id) >= 2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # as a closed terminal does to all its processes
        process.wait()
    worker_pid = pid_of(store)
    at = steps_of(store, run_id)
    wait_for(lambda: steps_of(store, run_id) > at + 2)
    assert next_page.current() == run_id
    wait_for(lambda: store.view(run_id).status == "finished")
    next_page.start()
    assert pid_of(store) == worker_pid


def test_two_pages_share_one_process(store, new_worker, new_run):
    one, other = new_worker(), new_worker(store=RunStore(store.path))
    one.start()
    other.start()
    first, second = new_run("slow"), new_run()
    one.submit(first)
    other.submit(second)
    wait_for(lambda: store.view(second).status == "finished")
    wait_for(lambda: one.state() == other.state() == "ready")
    wait_for(lambda: serving(store) == [pid_of(store)])


def test_a_death_is_written_down_once_by_whoever_notices(store, new_worker, new_run):
    pages = [new_worker(), new_worker(store=RunStore(store.path))]
    run_id = new_run("slow", steps=1000)
    pages[0].submit(run_id)
    wait_for(lambda: pages[1].current() == run_id and steps_of(store, run_id) > 0)
    os.kill(pid_of(store), signal.SIGKILL)
    wait_for(lambda: [page.state() for page in pages] == ["down", "down"])
    assert [event.kind for event in store.read(run_id)[0]].count("failed") == 1


def test_a_worker_that_died_before_it_took_its_run_takes_it_along(store, new_worker, new_run):
    page, run_id = new_worker(), new_run()
    mailbox = Mailbox(store.path / FOLDER)
    mailbox.enqueue(Command(run_id=run_id))
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mailbox.describe(
        Process(
            mark=mark_of(other.pid),
            device="cpu",
            state="busy",
            current=run_id,
            since=time.time(),
            code=0.0,
        )
    )
    assert (page.state(), page.current()) == ("busy", run_id)
    other.kill()
    other.wait()
    assert (page.state(), page.queue()) == ("down", [])
    assert "before the run began" in store.view(run_id).failed.message


def test_a_death_that_nobody_saw_is_no_failure(store, new_worker, new_run):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 1)
    killed = psutil.Process(pid_of(store))
    killed.kill()
    wait_for(lambda: killed.status() == psutil.STATUS_ZOMBIE)
    late = new_worker(store=RunStore(store.path))
    wait_for(lambda: late.state() == "down")
    assert store.view(run_id).failed is None


def test_answers_come_while_idle_and_between_steps(store, new_worker, new_run):
    worker = new_worker()
    assert said(worker.generate(request("Hello"))) == "Hello"
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 1)
    assert said(worker.generate(request("Hello"))) == f"during {run_id}: Hello"
    assert store.view(run_id).live
    store.ask_stop(run_id)


def test_a_withdrawn_request_lets_the_run_go_on(store, new_worker, new_run):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    answer = worker.generate(request("!" * 4000))  # 200 seconds if nobody stopped it
    assert any("!" in delta.text for delta in answer if delta.text)
    answer.close()
    at = steps_of(store, run_id)
    wait_for(lambda: steps_of(store, run_id) > at + 1)
    channel = Mailbox(store.path / FOLDER).channel
    assert channel.names() == []
    wait_for(lambda: list(channel._replies.iterdir()) == [])


def test_a_stop_of_the_run_cuts_an_answer_short(store, new_worker, new_run):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 1)
    deltas = []
    for delta in worker.generate(request("!" * 4000)):
        deltas.append(delta)
        if "!" in delta.text:
            store.ask_stop(run_id)
    assert deltas[-1].kind == "error" and "stopped" in deltas[-1].text
    wait_for(lambda: store.view(run_id).status == "stopped")


def test_what_is_wrong_with_a_request_is_its_answer(new_worker):
    answer = list(new_worker().generate(request(side="nobody")))
    assert answer[-1].kind == "error"
    assert "no model named 'nobody'. Name another." in answer[-1].text


def test_a_request_that_kills_the_worker_is_not_asked_twice(new_worker):
    worker = new_worker()
    answer = list(worker.generate(request(side="deadly")))
    assert answer[-1].kind == "error" and "ended before" in answer[-1].text
    assert said(worker.generate(request("Hello"))) == "Hello"


def test_a_worker_that_cannot_start_is_given_up(store, new_worker, new_run):
    worker = new_worker("StillbornBackend")
    run_id = new_run()
    worker.submit(run_id)
    wait_for(lambda: worker.state() == "down")
    failed = store.view(run_id).failed
    assert "cannot start" in failed.message
    assert "libcuda is from another age" in failed.traceback
    assert worker.queue() == []
    assert [d.kind for d in worker.generate(request())][-1] == "error"


def test_an_idle_worker_ends_once_no_page_is_left(store, new_worker, new_run):
    worker = new_worker(idle_seconds=0.2)
    run_id = new_run()
    worker.submit(run_id)
    wait_for(lambda: store.view(run_id).status == "finished")
    time.sleep(0.6)
    assert worker.state() == "ready"
    worker.close()
    wait_for(lambda: worker.state() == "down")
    assert store.view(run_id).status == "finished"
    # Whoever comes back gets another one.
    worker.submit(again := new_run())
    wait_for(lambda: store.view(again).status == "finished")


def test_a_worker_whose_folder_is_gone_ends(store, new_worker):
    worker = new_worker()
    worker.start()
    wait_for(lambda: worker.state() == "ready")
    process = psutil.Process(pid_of(store))
    (store.path / FOLDER / "process.json").unlink()
    wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)


def test_an_idle_worker_of_older_code_is_replaced(store, new_worker, monkeypatch):
    worker = new_worker()
    worker.start()
    wait_for(lambda: worker.state() == "ready")
    outdated = pid_of(store)
    monkeypatch.setattr(processes, "newest_change", lambda: 1.0)
    page = new_worker(store=RunStore(store.path))
    page.start()
    wait_for(lambda: page.state() == "ready")
    assert pid_of(store) != outdated


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGSTOP")
def test_a_worker_that_no_longer_answers_is_ended(store, new_worker, new_run, monkeypatch):
    worker = new_worker()
    run_id = new_run("slow", steps=1000)
    worker.submit(run_id)
    wait_for(lambda: steps_of(store, run_id) >= 1)
    monkeypatch.setattr(processes, "SILENT_SECONDS", 2.5)
    os.kill(pid_of(store), signal.SIGSTOP)
    wait_for(lambda: worker.state() == "down")
    assert "no longer answered" in store.view(run_id).failed.message


def test_nothing_is_asked_of_a_full_worker(store, new_worker):
    worker = new_worker("StillbornBackend")
    channel = Mailbox(store.path / FOLDER).channel
    for _ in range(32):
        channel.ask(request())
    with pytest.raises(UserError, match="busy"):
        next(worker.generate(request()))


def test_the_page_side_never_loads_torch():
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'peft', 'accelerate'): sys.modules[name] = None\n"
        "import unlearning.runs.scheduler, unlearning.workers.process, unlearning.workers.inline\n"
        "import unlearning.workers.serve\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_check_is_answered_by_the_process_and_leaves_nothing(store, new_worker):
    worker = new_worker()
    texts = {"forget": [Example(id=str(i), text=f"text {i} of three") for i in range(3)]}
    told = list(worker.generate(CheckRequest.of(RunConfig(), texts)))
    assert [delta.text for delta in told if delta.kind == "told"] == ["3 texts"]
    assert store.ids() == [] and Mailbox(store.path / FOLDER).channel.names() == []
