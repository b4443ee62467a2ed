"""Queue and channel: first come first, each thing taken once, nothing left behind."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest

from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.check import CheckRequest
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.workers import channel as channels
from unlearning.workers.channel import ABANDONED, Channel
from unlearning.workers.mailbox import Command, Mailbox

REQUEST = GenerateRequest(sides=("demo",), prompts=("Hello",))


@pytest.fixture
def mailbox(tmp_path):
    return Mailbox(tmp_path / ".worker")


@pytest.fixture
def channel(mailbox):
    return mailbox.channel


def files(channel: Channel) -> list[str]:
    folders = (channel._requests, channel._replies)
    return sorted(path.name for folder in folders for path in folder.iterdir())


def answer(channel: Channel, name: str, *texts: str) -> None:
    with channel.answering(name) as say:
        for text in texts:
            say(Delta(text=text))


def test_runs_wait_first_come_first_and_survive(mailbox):
    for run_id in ("c" * 10, "a" * 10, "b" * 10):
        mailbox.enqueue(Command(run_id=run_id, resume=run_id[0] == "c"))
    again = Mailbox(mailbox.folder)
    assert again.queue() == ["c" * 10, "a" * 10, "b" * 10]
    assert again.first() == Command(run_id="c" * 10, resume=True)
    assert again.withdraw("a" * 10)
    assert again.queue() == ["c" * 10, "b" * 10]


def test_a_waiting_run_is_taken_by_one(mailbox):
    for round_ in range(20):
        run_id = f"run{round_:07d}"
        mailbox.enqueue(Command(run_id=run_id))
        taken: list[bool] = []
        threads = [
            threading.Thread(target=lambda: taken.append(mailbox.withdraw(run_id)))  # noqa: B023
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [False, False, False, True]


def test_an_answer_is_read_while_it_is_written(channel):
    name = channel.ask(REQUEST)
    assert channel.request(name) == REQUEST
    heard: list[str] = []
    with channel.answering(name) as say:
        reader = threading.Thread(
            target=lambda: heard.extend(d.text for d in channel.listen(name, lambda: True))
        )
        reader.start()
        for text in ("one", "two"):
            say(Delta(text=text))
            limit = time.monotonic() + 10
            while heard[-1:] != [text] and time.monotonic() < limit:
                time.sleep(0.01)
            assert heard[-1] == text
    reader.join(timeout=10)
    assert heard == ["one", "two"]
    assert channel.names() == []
    channel.drop(name)
    assert files(channel) == []


def test_half_a_line_waits_for_its_other_half(channel):
    name = channel.ask(REQUEST)
    line = Delta(text="é" * 50).model_dump_json().encode() + b"\n"
    path = channel._reply_path(name)
    path.write_bytes(line[:40])
    assert channels._lines(path, 0) == []
    path.write_bytes(line + b'"en')
    assert channels._lines(path, 0) == [line[:-1]]
    assert channels._lines(path, len(line)) == []


def test_an_answer_to_nobody_leaves_nothing(channel):
    name = channel.ask(REQUEST)
    assert channel.wanted(name)
    with channel.answering(name) as say:
        say(Delta(text="one"))
        channel.drop(name)
        assert not channel.wanted(name)
        say(Delta(text="two"))
    assert files(channel) == []
    assert channel.request(name) is None


def test_a_request_withdrawn_before_its_answer_leaves_nothing(channel):
    name = channel.ask(REQUEST)
    channel.drop(name)
    answer(channel, name, "one")
    assert files(channel) == []


def test_the_end_is_marked_even_after_a_mistake(channel):
    name = channel.ask(REQUEST)
    with pytest.raises(ZeroDivisionError), channel.answering(name) as say:
        say(Delta(text="one"))
        raise ZeroDivisionError
    assert [d.text for d in channel.listen(name, lambda: True)] == ["one"]


def test_a_silent_worker_lets_its_reader_breathe_and_a_dead_one_is_told(channel, monkeypatch):
    monkeypatch.setattr(channels, "QUIET_SECONDS", 0.05)
    name = channel.ask(REQUEST)
    lives = iter([True, True, False])
    heard = list(channel.listen(name, lambda: next(lives)))
    assert heard == [Delta(), Delta(), Delta(kind="error", text=ABANDONED)]


def test_requests_are_bounded(channel):
    for _ in range(channels.MOST_REQUESTS):
        channel.ask(REQUEST)
    with pytest.raises(UserError, match="busy"):
        channel.ask(REQUEST)
    channel.drop(channel.names()[0])
    channel.ask(REQUEST)


def test_requests_of_dead_askers_make_room(channel):
    for _ in range(channels.MOST_REQUESTS):
        path = channel._request_path(channel.ask(REQUEST))
        content = json.loads(path.read_text())
        content["mark"]["born"] -= 1000.0
        path.write_text(json.dumps(content))
    name = channel.ask(REQUEST)
    assert channel.names() == [name]


def test_answers_begun_by_a_dead_worker_are_ended_and_not_begun_again(channel):
    begun, waiting = channel.ask(REQUEST), channel.ask(REQUEST)
    channel._reply_path(begun).write_bytes(Delta(text="one").model_dump_json().encode() + b"\n")
    channel.abandon_begun()
    assert channel.names() == [waiting]
    heard = list(channel.listen(begun, lambda: True))
    assert heard == [Delta(text="one"), Delta(kind="error", text=ABANDONED)]


def test_old_answers_are_removed(channel):
    fetched, old = channel.ask(REQUEST), channel.ask(REQUEST)
    answer(channel, fetched, "new")
    answer(channel, old, "secret")
    os.utime(channel._reply_path(old), (1.0, 1.0))
    channel.tidy()
    assert files(channel) == [f"{fetched}.jsonl"]


def test_pages_are_counted_while_they_live(mailbox):
    assert not mailbox.any_page()
    page = mailbox.enter_page()
    assert mailbox.any_page()
    page.write_text(page.read_text().replace('"pid":', '"pid":9'))
    assert not mailbox.any_page()
    assert not page.exists()


def test_a_check_travels_with_its_texts(channel):
    texts = {"forget": [Example(id="1", text="a secret of eight words, not one more")]}
    request = CheckRequest.of(RunConfig(steps=3), texts)
    name = channel.ask(request)
    assert channel.request(name) == request
    channel.drop(name)
    assert channel.names() == [] and channel.request(name) is None
