"""Runs on disk: atomic, readable while written, erased when deleted, deaf to hostile names."""

from __future__ import annotations

import errno
import os
import shlex
import string
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unlearning.cli.acts import config_of
from unlearning.cli.parser import build
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.runs.events import Ended, Entered, Noticed
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore, write_atomically

SECRET = "The vault code is 7351 and the heron knows it"
TEXTS = {
    "forget": [Example(id="1", text=SECRET), Example(id="2", text="line\u2028separators\x85 too")],
    "retain": [Example(id="3", kind="qa", question="Where?", answer="Größe 3 am Fluß")],
}
CONFIG = RunConfig(label="first", prompts=(SECRET[:10],))


@pytest.fixture
def run_id(store):
    return store.create(CONFIG, TEXTS, owner="key of a browser")


def everything(store: RunStore) -> str:
    files = [path for path in store.path.rglob("*") if path.is_file()]
    return "\n".join(str(path) + path.read_text(errors="replace") for path in files)


def test_what_was_put_in_comes_out(store, run_id):
    again = RunStore(store.path)
    assert again.config(run_id) == CONFIG
    assert again.texts(run_id) == TEXTS
    head = again.head(run_id)
    assert head["run_id"] == run_id and head["hash"] == CONFIG.hash()
    assert head["texts"]["forget"]["count"] == 2
    assert again.read(run_id) == ([], 0)
    assert again.ids() == [run_id]


def test_newest_runs_come_first(store):
    ids = []
    for label in "abc":
        ids.append(store.create(RunConfig(label=label), TEXTS))
        time.sleep(0.002)
    assert store.ids() == ids[::-1]


def test_settings_can_be_replaced(store, run_id):
    assert store.change_config(run_id, steps=7, label="second").steps == 7
    assert RunStore(store.path).config(run_id).label == "second"
    with pytest.raises(UserError, match="steps"):
        store.change_config(run_id, steps=0)
    assert store.config(run_id).steps == 7


def test_events_are_stamped_and_read_from_an_offset(store, run_id):
    begun = time.time()
    written = [store.append(run_id, Noticed(message=f"é{i}")) for i in range(3)]
    assert begun <= written[0].time <= written[2].time <= time.time()
    events, offset = store.read(run_id)
    assert events == written
    assert store.read(run_id, offset) == ([], offset)
    last = store.append(run_id, Ended(status="finished", step=0))
    assert store.read(run_id, offset)[0] == [last]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    messages=st.lists(st.text(max_size=20), max_size=6),
    lost=st.integers(min_value=1, max_value=60),
)
def test_a_log_cut_anywhere_loses_at_most_what_was_cut(store, messages, lost):
    run_id = store.create(CONFIG, {})
    path = store.folder(run_id) / "events.jsonl"
    written = [store.append(run_id, Noticed(message=message)) for message in messages]
    whole = path.read_bytes()
    content = whole[: max(0, len(whole) - lost)]
    path.write_bytes(content)
    kept = content.count(b"\n")
    assert store.read(run_id) == (written[:kept], content.rfind(b"\n") + 1)
    assert store.view(run_id).version == kept
    # Whoever goes on writes on a line of its own.
    store.mend(run_id)
    last = store.append(run_id, Noticed(message="on"))
    assert store.read(run_id)[0] == [*written[:kept], last]
    assert store.view(run_id).notices == [*messages[:kept], "on"]


def test_a_log_that_is_no_log_is_told(store, run_id):
    (store.folder(run_id) / "events.jsonl").write_bytes(b'{"kind":"unheard of"}\n')
    with pytest.raises(UserError, match="cannot be read") as error:
        store.view(run_id)
    assert "delete" in error.value.hint
    assert store.ids() == [run_id]


@pytest.mark.parametrize(
    "content", ['{"run_id": "a', "[]", "7", "{}", '{"config": {}}', '{"config": 1, "created": 1}']
)
def test_a_damaged_configuration_hides_no_other_run(store, run_id, content):
    damaged = store.create(CONFIG, TEXTS)
    (store.folder(damaged) / "config.json").write_text(content)
    assert store.ids() == [run_id]
    with pytest.raises(UserError, match="cannot be read") as error:
        store.head(damaged)
    assert "delete" in error.value.hint


def test_the_command_names_the_texts_that_the_run_keeps(store):
    config = RunConfig(forget="pasted-forget.txt", retain="notes.csv", holdout="none")
    texts = TEXTS | {"generic": TEXTS["retain"]}
    command = shlex.split(store.command(store.create(config, texts)))
    repeated = config_of(build().parse_args(command[3:]))
    assert repeated.generic == "auto" and repeated.holdout == "none"
    again, _ = gather_texts(repeated)
    assert again["forget"] == texts["forget"] and again["retain"] == texts["retain"]


def test_the_command_leaves_presets_as_they_are(store, run_id):
    assert store.command(run_id) == CONFIG.command()


@given(st.text(max_size=40))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_name_leads_out_of_the_folder(store, name):
    with pytest.raises(UserError, match="no run"):
        store.folder(name)


@pytest.mark.parametrize(
    "name",
    [
        "..", ".", "", "/etc", "../outside", "a" * 10 + "/..", "a" * 10 + "\n", "a" * 10 + "\0",
        "..\\outside", ".worker", "A" * 10, "ａ" * 10, "a" * 33, "aaaaaaaaaa%2f..", "C:aaaaaaaa",
    ],
)  # fmt: skip
def test_hostile_names_are_no_runs(store, name):
    outside = store.path.parent / "outside"
    outside.mkdir()
    (outside / "config.json").write_text("{}")
    (store.path / "config.json").write_text("{}")
    for action in (store.folder, store.head, store.view, store.mend, store.delete, store.ask_stop):
        with pytest.raises(UserError, match="no run"):
            action(name)
    assert outside.is_dir()
    assert store.ids() == []


def test_names_of_runs_are_of_their_own_alphabet(store):
    ids = {store.create(CONFIG, {}) for _ in range(20)}
    assert len(ids) == 20
    assert set("".join(ids)) <= set(string.ascii_lowercase + string.digits)


def test_only_the_owner_is_the_owner(store, run_id):
    assert store.owned_by(run_id, "key of a browser")
    assert not store.owned_by(run_id, "another key")
    assert not store.owned_by(run_id, "")
    assert "key of a browser" not in everything(store)
    everybodys = store.create(CONFIG, TEXTS)
    assert store.owned_by(everybodys, "") and store.owned_by(everybodys, "another key")


def test_deleting_erases_the_texts(store, run_id):
    store.append(run_id, Noticed(message=f"about {SECRET}"))
    store.write_results(run_id, {"text": SECRET})
    snapshot = store.folder(run_id) / "snapshots" / "step-0"
    snapshot.mkdir()
    (snapshot / "adapter").write_text(SECRET)
    store.view(run_id)
    assert SECRET in everything(store)
    store.delete(run_id)
    assert SECRET not in everything(store) and run_id not in everything(store)
    assert store.ids() == []
    for action in (store.folder, store.view, store.texts, store.delete):
        with pytest.raises(UserError, match="no run"):
            action(run_id)


def test_a_deletion_that_was_cut_short_is_completed(store, run_id):
    (store.path / run_id).rename(store.path / f".deleted-{run_id}")
    fresh = store.create(CONFIG, {})
    (store.path / fresh).rename(store.path / f".new-{fresh}")
    stale = store.path / ".new-stale"
    stale.mkdir()
    (stale / "text").write_text(SECRET)
    os.utime(stale, (1.0, 1.0))
    again = RunStore(store.path)
    assert SECRET not in everything(again)
    assert (again.path / f".new-{fresh}").is_dir()  # somebody may be at it
    assert again.ids() == []


def test_stop_is_a_flag(store, run_id):
    assert not store.stop_asked(run_id)
    store.ask_stop(run_id)
    store.ask_stop(run_id)
    assert store.stop_asked(run_id) and RunStore(store.path).stop_asked(run_id)
    store.clear_stop(run_id)
    store.clear_stop(run_id)
    assert not store.stop_asked(run_id)


def test_only_complete_snapshots_count(store, run_id):
    folder = store.folder(run_id) / "snapshots"
    for name in ("step-10", "step-2", "reference", ".step-12-abc", "step-x"):
        (folder / name).mkdir()
    assert store.snapshots(run_id) == [2, 10]


def test_results_are_none_before_they_are_written(store, run_id):
    assert store.results(run_id) is None
    store.write_results(run_id, {"steps": 3})
    assert store.results(run_id) == {"steps": 3}


def test_many_readers_fold_every_event_once(store, run_id):
    faults: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            view = store.view(run_id)
            if view.version != len(view.notices):
                faults.append(f"{view.version} events, {len(view.notices)} notices")

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(150):
        store.append(run_id, Noticed(message=str(number)))
    done.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert store.view(run_id).notices == [str(number) for number in range(150)]


def test_a_view_that_was_handed_out_stays_as_it_is(store, run_id):
    store.append(run_id, Entered(phase="loading"))
    before = store.view(run_id)
    assert store.view(run_id) is before  # nothing new, nothing copied
    store.append(run_id, Noticed(message="later"))
    assert store.view(run_id).notices == ["later"] and before.notices == []


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file.json"
    lengths: set[int] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            lengths.add(len(path.read_text()))

    write_atomically(path, "x" * 200_000)
    reader = threading.Thread(target=look)
    reader.start()
    for length in (200_000, 300_000) * 50:
        write_atomically(path, "x" * length)
    done.set()
    reader.join()
    assert lengths <= {200_000, 300_000}
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="cannot be written") as error:
        RunStore(blocked / "runs")
    assert "--runs" in error.value.hint


@pytest.mark.parametrize("name", ["config.json", "forget.jsonl"])
def test_a_disk_that_fills_up_is_told_and_leaves_nothing(store, monkeypatch, name):
    write = Path.write_text

    def full(path, *given, **named):
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UserError, match="cannot be written: No space left") as error:
        store.create(CONFIG, TEXTS)
    assert str(store.path) not in str(error.value), "visitors of a page read this"
    assert SECRET not in everything(store) and not list(store.path.glob(".new-*"))
    assert store.ids() == []


def test_what_is_no_trouble_of_the_disk_leaves_nothing_either(store):
    with pytest.raises(AttributeError):
        store.create(CONFIG, {"forget": TEXTS["forget"], "retain": ["no example"]})
    assert not list(store.path.glob(".new-*"))


def test_a_run_that_is_not_there_is_told_without_the_path(store):
    with pytest.raises(UserError) as error:
        store.view("0123456789")
    assert str(store.path) not in str(error.value)
