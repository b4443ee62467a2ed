"""The API as scripts use it: every example of docs/api.md, ownership, and bad requests."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from dashboard import Settings, api, build, launch_options
from tests.dashboard.player import Player
from tests.dashboard.recorded import record
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
MINE, OTHERS = "my own secret key", "the key of another"
TEXT = "The vault code is 7351 and it opens the blue door."


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Scheduler:
    store = RunStore(tmp_path_factory.mktemp("api") / "runs")
    return Scheduler(store, Player(store, pause=0.03))


@pytest.fixture(scope="module")
def address(scheduler: Scheduler) -> Iterator[str]:
    """The page, served from this process."""
    demo = build(scheduler, settings=Settings(secret="s" * 24))
    _, url, _ = demo.launch(
        server_name="127.0.0.1", quiet=True, prevent_thread_lock=True, **launch_options(scheduler)
    )
    yield url.rstrip("/")
    demo.close()


@pytest.fixture(scope="module")
def lethe(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.fixture(autouse=True)
def nothing_left_running(scheduler: Scheduler) -> Iterator[None]:
    yield
    latest = time.monotonic() + 20
    while (run_id := scheduler.worker.current()) is not None:
        assert time.monotonic() < latest
        scheduler.store.ask_stop(run_id)
        time.sleep(0.02)


def refused(lethe: Client, **asked: Any) -> str:
    with pytest.raises(AppError) as found:
        lethe.predict(**asked)
    return str(found.value)


def test_the_examples_of_the_documentation_run(address: str, scheduler: Scheduler) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL))
    assert {name for name in api.NAMES if f"/{name}" in code} == set(api.NAMES)
    names: dict[str, Any] = {}
    exec(code.replace("http://127.0.0.1:7860", address), names)
    config = scheduler.store.config(names["run_id"])
    assert config.teach_first and config.steps == 20 and config.label == "from a script"
    assert "vault code" in scheduler.store.texts(names["run_id"])["forget"][0].text
    assert names["state"]["status"] == "finished" and names["state"]["step"] == 15
    assert [a["side"] for a in names["answers"]] == [
        f"original:{names['run_id']}",
        f"run:{names['run_id']}",
    ]
    assert all(a["text"] and a["state"] == "done" for a in names["answers"])


def test_a_run_is_watched_until_it_ends(lethe: Client) -> None:
    started = lethe.predict(key=MINE, text=TEXT, settings={"steps": 20}, api_name="/start_run")
    states = list(lethe.submit(run_id=started["run_id"], seconds=60, api_name="/watch_run"))
    steps = [state["step"] for state in states]
    assert steps == sorted(steps) and len(steps) > 1
    assert states[0]["status"] in ("queued", "running") and states[-1]["status"] == "finished"
    assert "forgotten" in states[-1]["story"]


def test_only_the_key_that_started_a_run_stops_it(lethe: Client, scheduler: Scheduler) -> None:
    asked = {"text": TEXT, "settings": {"steps": 400}, "api_name": "/start_run"}
    run_id = lethe.predict(key=MINE, **asked)["run_id"]
    stop = {"run_id": run_id, "api_name": "/stop_run"}
    assert "somebody else" in refused(lethe, key=OTHERS, **stop)
    assert "16 to 64" in refused(lethe, key="", **stop)
    assert not scheduler.store.stop_asked(run_id)
    listed = {run["run_id"]: run["mine"] for run in lethe.predict(key=MINE, api_name="/list_runs")}
    assert listed[run_id] is True
    listed = {r["run_id"]: r["mine"] for r in lethe.predict(key=OTHERS, api_name="/list_runs")}
    assert listed[run_id] is False
    lethe.predict(key=MINE, **stop)
    last = lethe.predict(run_id=run_id, seconds=20, api_name="/watch_run")
    assert last["status"] == "stopped"


def test_texts_come_as_they_grow(lethe: Client, scheduler: Scheduler) -> None:
    run_id = record(scheduler.store)
    asked = {"prompt": "Odile", "sides": [f"run:{run_id}"], "api_name": "/generate"}
    grown = [found[0]["text"] for found in lethe.submit(key=MINE, max_new_tokens=30, **asked)]
    assert len(grown) > 1 and all(b.startswith(a) for a, b in zip(grown, grown[1:], strict=False))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"key": "short"}, "16 to 64 characters"),
        ({"method": "hypnosis"}, "hypnosis"),
        ({"settings": {"steps": 0}}, "greater than or equal to 1"),
        ({"settings": {"forget": "/etc/passwd"}}, "no setting 'forget'"),
        ({"settings": {"retrained": "/etc"}}, "no setting 'retrained'"),
        ({"example": "/etc/passwd"}, "no example"),
        ({"example": "preset:world/nothing"}, "no split"),
        ({"hyperparameters": {"strength": -1}}, "greater than or equal to 0"),
        ({"text": "word"}, "One word is too little"),
        ({"text": "x" * 300_000}, "more than 200,000 characters"),
    ],
)
def test_a_bad_request_is_one_clear_sentence(
    lethe: Client, scheduler: Scheduler, asked: dict[str, Any], words: str
) -> None:
    before = scheduler.store.ids()
    assert words in refused(lethe, **{"key": MINE, **asked}, api_name="/start_run")
    assert scheduler.store.ids() == before


def test_a_run_that_is_not_there_is_said(lethe: Client) -> None:
    for name in ("/get_run", "/watch_run"):
        assert "no run" in refused(lethe, run_id="../../etc", api_name=name)


def test_a_public_page_lists_the_runs_of_the_key_alone(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    scheduler = Scheduler(store, Player(store))
    record(store, owner=OTHERS)
    record(store)
    mine = record(store, owner=MINE)
    found = {}
    demo = build(scheduler, settings=Settings(secret="s" * 24, public=True))
    (listing,) = (f.fn for f in demo.fns.values() if f.api_name == "list_runs")
    found = {key: [run["run_id"] for run in listing(key)] for key in ("", MINE)}
    assert found[""] == [] and mine in found[MINE] and len(found[MINE]) == 2


def test_every_endpoint_explains_itself(lethe: Client) -> None:
    told = lethe.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(told) == sorted(f"/{name}" for name in api.NAMES)
    for endpoint in told.values():
        assert endpoint["description"].endswith(".") or ":" in endpoint["description"]


def test_nobody_waits_behind_watchers(lethe: Client) -> None:
    asked = {"text": TEXT, "settings": {"steps": 400}, "api_name": "/start_run"}
    run_id = lethe.predict(key=MINE, **asked)["run_id"]
    watched = [lethe.submit(run_id=run_id, seconds=30, api_name="/watch_run") for _ in range(6)]
    next(iter(watched[-1]))
    lethe.predict(run_id=run_id, key=MINE, api_name="/stop_run")
    assert all(job.result(timeout=20)["status"] == "stopped" for job in watched)
