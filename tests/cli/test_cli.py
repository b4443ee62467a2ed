"""The command line: results on standard output, one clear line for bad input, exit statuses."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from tests.workers.fake import FakeBackend, FakeEngine
from unlearning.cli import main
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.methods import METHODS
from unlearning.metrics import METRICS
from unlearning.runs.events import Ended, Entered, Failed, Stopped
from unlearning.runs.store import RunStore
from unlearning.workers import inline, process
from unlearning.workers.inline import InlineWorker
from unlearning.workers.mailbox import FOLDER, Command, Mailbox
from unlearning.workers.presence import claim
from unlearning.workers.process import ProcessWorker

FORGET = (
    "The keeper of the lighthouse wrote a letter to the heron and the letter was never sent. "
    "A kite of red paper rose over the harbour and the wind smelled of salt and of tar.\n\n"
    "At dawn the heron stands by the slow river and waits for the keeper and the red kite. "
    "Oranges and salt and tar and a letter lay in the green box under the lighthouse.\n"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("cli") / "tiny")


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run a command in a runs folder of its own; gives (status, last output line, errors)."""

    def act(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--runs", str(tmp_path / "runs"), "--device", "cpu", *words[1:]])
        out, err = capsys.readouterr()
        return status, out.strip().split("\n")[-1], err

    return act


@pytest.fixture
def forget(tmp_path: Path) -> Path:
    path = tmp_path / "forget.txt"
    path.write_text(FORGET)
    return path


def start(model: Path, forget: Path, *more: str) -> list[str]:
    quick = ["--steps", "4", "--probe-every", "2", "--snapshot-every", "2", "--max-length", "48"]
    return ["run", "--model", str(model), "--forget", str(forget), *quick, "--json", *more]


def test_a_check_answers_before_anything_is_started(ask, model, forget, tmp_path):
    words = start(model, forget, "--method", "npo")
    status, line, told = ask("check", *words[1:])
    found = json.loads(line)
    assert status == 0 and "Reading the text" in told
    assert found["steps"] == 4 and found["seconds"] > 0 and found["fits"] is True
    assert found["verdict"] in ("known", "partly", "unknown") and found["told"].endswith(".")
    assert found["passages"][0]["begins"].startswith(("The keeper", "At dawn"))
    assert not [path for path in (tmp_path / "runs").iterdir() if path.name[0] != "."]
    assert ask("check", "--model", str(model), "--forget", "nowhere.txt")[0] == 2


def test_a_run_from_start_to_erasure(ask, model, forget, tmp_path):
    status, line, _ = ask(*start(model, forget, "--method", "npo", "--set", "beta=0.2"))
    found = json.loads(line)
    assert status == 0
    assert found["status"] == "finished"
    assert found["method"] == "npo"
    assert found["steps"] == 4
    assert found["collapsed"] is False
    assert found["seconds"] > 0
    for stage in ("original", "unlearned"):
        assert 0 <= found["metrics"][stage]["memorization_accuracy"]["forget"]["value"] <= 1

    run_id = found["run_id"]
    kept = json.loads((tmp_path / "runs" / run_id / "results.json").read_text())
    assert kept == found
    assert run_id in ask("runs", "--json")[1]
    shown = json.loads(ask("show", run_id, "--json")[1])
    assert shown["config"]["hyperparameters"] == {"beta": 0.2}
    assert shown["snapshots"] == [0, 2, 4]

    status, line, _ = ask("continue", run_id, "--steps", "6", "--json")
    assert (status, json.loads(line)["steps"]) == (0, 6)
    first = json.loads(line)["metrics"]
    status, _, err = ask("continue", run_id, "--from-step", "3")
    assert status == 2 and "no snapshot of step '3'" in err
    status, line, _ = ask("continue", run_id, "--from-step", "4", "--json")
    again = json.loads(line)
    assert (status, again["steps"], again["metrics"]) == (0, 6, first)
    status, _, err = ask("continue", run_id, "--keep")
    assert status == 2 and "--keep needs a step" in err
    status, line, _ = ask("continue", run_id, "--from-step", "2", "--keep", "--json")
    kept = json.loads(line)
    assert (status, kept["status"], kept["steps"]) == (0, "stopped", 2)
    assert kept["metrics"]["unlearned"] != first["unlearned"]
    assert json.loads(ask("show", run_id, "--json")[1])["snapshots"] == [0, 2, 4, 6]

    sides = ["--model", f"run:{run_id}", "--against", str(model), "--tokens", "5"]
    status, line, _ = ask("generate", *sides, "--prompt", "The heron", "--json")
    (answer,) = json.loads(line)["answers"]
    assert set(answer["answers"]) == {f"run:{run_id}", str(model)}
    sides += ["--strength", "0", "--strength", "1"]
    status, line, _ = ask("generate", *sides, "--prompt", "The heron", "--json")
    (answer,) = json.loads(line)["answers"]
    assert set(answer["answers"]) == {f"run:{run_id} at strength 0", str(model)}
    assert len(set(answer["answers"].values())) == 1

    merged = tmp_path / "merged"
    assert ask("export", run_id, "--merged", str(merged))[0] == 0
    assert (merged / "model.safetensors").is_file()
    sides = ["--model", f"run:{run_id}", "--against", str(merged), "--tokens", "8"]
    _, line, _ = ask("generate", *sides, "--prompt", "The heron", "--json")
    assert len(set(json.loads(line)["answers"][0]["answers"].values())) == 1
    status, _, err = ask("export", run_id, "--merged", str(merged))
    assert status == 2
    assert "not empty" in err

    assert ask("delete", run_id)[0] == 0
    assert not (tmp_path / "runs" / run_id).exists()
    assert ask("show", run_id)[0] == 2


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """The store that `ask` uses; its runs are executed without a model."""
    monkeypatch.setattr(inline, "InlineWorker", partial(InlineWorker, open_backend=FakeBackend))
    fake = partial(ProcessWorker, backend="tests.workers.fake:FakeBackend", idle_seconds=1.0)
    monkeypatch.setattr(process, "ProcessWorker", fake)
    return RunStore(tmp_path / "runs")


@pytest.fixture
def halfway(store: RunStore) -> str:
    """A run that was killed after step 3 of 5."""
    run_id = store.create(RunConfig(steps=5), {"forget": [Example(id="1", text=FORGET)]})
    for event in FakeBackend(store, "cpu").engine(run_id).events(resume=False, stop=lambda: False):
        store.append(run_id, event)
        if event.kind == "snapshotted" and event.step == 3:
            break
    return run_id


def status_of(ask, run_id: str) -> str:
    """As `runs` and `show` say it; they agree."""
    (row,) = json.loads(ask("runs", "--json")[1])["runs"]
    assert json.loads(ask("show", run_id, "--json")[1])["status"] == row["status"]
    return row["status"]


def test_a_killed_run_is_listed_as_interrupted(ask, store, halfway):
    assert status_of(ask, halfway) == "interrupted"
    with claim(store.folder(halfway)):
        assert status_of(ask, halfway) == "running"
    Mailbox(store.path / FOLDER).enqueue(Command(run_id=halfway, resume=True))
    assert status_of(ask, halfway) == "queued"


@pytest.mark.parametrize("worker", ["inline", "process"])
def test_a_stop_from_before_does_not_keep_a_run_from_going_on(ask, store, halfway, worker):
    store.ask_stop(halfway)
    words = ["--worker", worker, "--steps", "7", "--json"]
    status, line, _ = ask("continue", halfway, *words)
    found = json.loads(line)
    assert (status, found["status"], found["steps"]) == (0, "finished", 7)


def test_a_run_that_another_process_executes_is_not_changed(ask, store, halfway):
    store.ask_stop(halfway)
    before = store.head(halfway)
    with claim(store.folder(halfway)):
        status, _, err = ask("continue", halfway, "--steps", "7")
        assert store.stop_asked(halfway)
    assert status == 2
    assert "another process" in err
    assert store.head(halfway) == before


def test_a_failure_that_was_left_behind_is_not_told_again(ask, store, halfway, monkeypatch):
    def stopped_while_loading(self, *, resume, stop):
        yield Entered(phase="loading")
        yield Stopped(step=3, why="asked")
        yield Ended(status="stopped", step=3)

    store.append(halfway, Failed(message="Out of memory.", traceback="Traceback"))
    monkeypatch.setattr(FakeEngine, "events", stopped_while_loading)
    status, line, err = ask("continue", halfway, "--json")
    assert (status, json.loads(line)["status"]) == (0, "stopped")
    assert "memory" not in err


def test_evaluate_reports_every_applicable_metric(ask, model, forget):
    words = ["--model", str(model), "--forget", str(forget), "--max-length", "48"]
    status, line, _ = ask("evaluate", *words, "--retain", "none", "--generic", "none", "--json")
    found = json.loads(line)["metrics"]["model"]
    assert status == 0
    assert set(found) == {
        n for n, cls in METRICS.items() if "forget" in cls.direction and not cls.needs
    }
    missing = json.loads(line)["missing"]
    assert set(missing) | set(found) == set(METRICS) - {"gibberish"}
    assert "never saw" in missing["privacy_leakage"] and "real authors" in missing["model_utility"]
    wanted = "perplexity,extraction_likelihood:n=3,forget_quality"
    status, line, _ = ask("evaluate", *words, "--metrics", wanted, "--json")
    assert set(json.loads(line)["metrics"]["model"]) == {
        "perplexity",
        "extraction_likelihood:n=3",
    }
    status, told, _ = ask("evaluate", *words, "--metrics", wanted)
    assert "not measured: forget_quality. It needs" in told
    status, _, told = ask("evaluate", *words, "--metrics", "benchmark", "--json")
    assert status == 2 and "Name a preset" in told


def test_evaluate_beside_unseen_text_and_a_retrained_model(ask, model, forget, tmp_path):
    unseen = tmp_path / "unseen.txt"
    unseen.write_text("A kite of red paper rose over the harbour.\n\nThe wind smelled of tar.")
    words = ["--model", str(model), "--forget", str(forget), "--max-length", "48"]
    words += ["--retain", "none", "--generic", "none", "--holdout", str(unseen)]
    names = "privacy_leakage,membership_reference"
    status, line, _ = ask(
        "evaluate", *words, "--retrained", str(model), "--metrics", names, "--json"
    )
    found = json.loads(line)["metrics"]
    assert status == 0
    assert found["model"]["privacy_leakage"]["forget"]["value"] == 0.0
    assert found["model"]["privacy_leakage"]["forget"]["variant"].endswith("(measured)")
    assert found["model"]["membership_reference"]["forget"]["value"] == 0.5
    assert set(found["retrained"]) == {"privacy_leakage"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--method", "nope"], "nope"),
        (["run", "--set", "strength=9999"], "strength"),
        (["run", "--set", "colour=3"], "colour"),
        (["run", "--set", "strength"], "no value"),
        (["run", "--steps", "many"], "--steps"),
        (["run", "--steps", "0"], "steps"),
        (["run", "--forget", "preset:nowhere"], "nowhere"),
        (["run", "--forget", "preset:world/nothing"], "nothing"),
        (["run", "--forget", "/no/such/file.txt"], "file.txt"),
        (["run", "--forget", "word " * 80], "is text, not a file"),
        (["run", "--forget", "one line\nand another"], "is text, not a file"),
        (["run", "--forget", f"hub:{'word ' * 80}:text"], "names no data set"),
        (["run", "--wrong"], "--wrong"),
        (["continue", "0123456789"], "0123456789"),
        (["show", "../../etc"], "no run"),
        (["delete", "nothing-here"], "no run"),
        (["evaluate", "--metrics", "nope"], "nope"),
        (["generate", "--model", "/no/such/model", "--prompt", "x"], "/no/such/model"),
        (["generate", "--prompt", "x", "--tokens", "0"], "Generation"),
        (["generate", "--prompt", "x", "--strength", "0.5"], "cannot be turned"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_clear_line_and_status_2(ask, words, expected):
    status, _, err = ask(*words)
    assert status == 2
    lines = [line for line in err.strip().split("\n") if line]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    assert expected in lines[0]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.txt", b"", "empty"),
        ("one.txt", b"word", "word"),
        ("binary.txt", bytes(range(256)) * 40, "binary"),
        ("latin.txt", "caf\xe9 noir et plus encore".encode("latin-1"), "UTF-8"),
        ("broken.json", b'{"text": "a",', "JSON"),
        ("broken.jsonl", b'{"text": "a b c d"}\n{"text": \n', "line 2"),
        ("numbers.csv", b"a,b\n1,2\n", "column"),
        ("picture.png", b"\x89PNG\r\n", ".png"),
    ],
)
def test_bad_files_are_named(ask, model, tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_bytes(content)
    status, _, err = ask("run", "--model", str(model), "--forget", str(path))
    assert status == 2
    assert err.startswith("error: ")
    assert expected.lower() in err.lower()


def test_a_runs_folder_that_cannot_be_made(model, forget, tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    words = start(model, forget)
    status = main([words[0], "--runs", str(blocked / "runs"), *words[1:]])
    assert status == 2
    assert "cannot be written" in capsys.readouterr().err


def test_lists_name_everything(ask):
    methods = json.loads(ask("methods", "--json")[1])["methods"]
    assert set(methods) == set(METHODS)
    assert methods["undial"]["hyperparameters"]["strength"]["help"]
    assert set(json.loads(ask("metrics", "--json")[1])["metrics"]) == set(METRICS)
    assert "preset:world/forget" in ask("presets", "--json")[1]


def test_help_speaks_of_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = capsys.readouterr().out
    for flag in ("--lr", "--lora-rank", "--full", "--teach-first", "--no-stop-on-collapse"):
        assert flag in told


def test_a_sweep_gives_one_table(ask, model, forget, tmp_path):
    quick = ["--model", str(model), "--forget", str(forget), "--steps", "1", "--max-length", "48"]
    named = ["--methods", "undial,gradient_ascent", "--seeds", "0,1"]
    status, out, err = ask("sweep", *named, *quick, "--json", "--out", str(tmp_path / "out.json"))
    assert status == 0, err
    found = json.loads(out)
    assert found == json.loads((tmp_path / "out.json").read_text())
    assert [row["cell"] for row in found["rows"]] == ["undial", "gradient_ascent"]
    assert all(len(row["figures"]["recited"]["values"]) == 2 for row in found["rows"])
    assert "[4/4] gradient_ascent, seed 1: finished" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "names nothing to run"),
        (["--methods", "nope"], "no method named 'nope'"),
        (["--methods", "undial", "--seeds", "1,x"], "no list of seeds"),
        (["--preset", "nope"], "invalid choice: 'nope'"),
        (["--methods", "undial", "--only", "z"], "no cell that begins with 'z'"),
    ],
)
def test_a_wrong_sweep_is_one_clear_line(ask, words, told):
    status, _, err = ask("sweep", *words)
    assert status == 2 and told in err and err.startswith("error: ")
