"""A process is told apart from a dead one, a zombie and a later one of the same number."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.workers.conftest import wait_for
from unlearning.errors import UserError
from unlearning.workers import presence
from unlearning.workers.presence import (
    alive,
    beating,
    claim,
    claimed,
    leave_mark,
    mark_of,
    own_mark,
)

NOW = time.time()


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_this_process_lives():
    assert alive(own_mark(), beat=0.0)


def test_a_later_process_of_the_same_number_is_another():
    earlier = own_mark().model_copy(update={"born": own_mark().born - 100.0})
    assert not alive(earlier, beat=time.time())


def test_a_killed_process_is_dead_before_and_after_it_is_reaped(child):
    mark = mark_of(child.pid)
    assert alive(mark, 0.0)
    child.kill()
    wait_for(lambda: not alive(mark, 0.0))
    assert child.returncode is None  # a zombie so far
    child.wait()
    assert not alive(mark, 0.0)


def test_a_process_of_another_machine_is_judged_by_its_heartbeat():
    elsewhere = own_mark().model_copy(update={"host": "another-machine"})
    assert alive(elsewhere, time.time())
    assert not alive(elsewhere, time.time() - 60.0)


def test_a_file_is_touched_as_long_as_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.02)
    path = tmp_path / "mark"
    path.touch()
    os.utime(path, (1.0, 1.0))
    with beating(path):
        wait_for(lambda: path.stat().st_mtime > 1.0)
    os.utime(path, (1.0, 1.0))
    time.sleep(0.1)
    assert path.stat().st_mtime == 1.0


def test_a_run_is_claimed_by_one_process_at_a_time(tmp_path, child):
    assert not claimed(tmp_path)
    with claim(tmp_path):
        assert claimed(tmp_path)
        with pytest.raises(UserError, match="executed by another"), claim(tmp_path):
            pytest.fail("claimed twice")
    assert not claimed(tmp_path)


def test_the_claim_of_a_dead_process_is_void(tmp_path, child):
    path = tmp_path / presence.CLAIM
    path.write_text(mark_of(child.pid).model_dump_json())
    assert claimed(tmp_path)
    child.kill()
    child.wait()
    assert not claimed(tmp_path)
    with claim(tmp_path):
        assert claimed(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_an_unreadable_claim_is_none(tmp_path, content):
    leave_mark(tmp_path / presence.CLAIM)
    assert claimed(tmp_path)
    (tmp_path / presence.CLAIM).write_text(content)
    assert not claimed(tmp_path)
