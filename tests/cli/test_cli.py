"""The command line: results on standard output, one clear line for bad input, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.models.tiny import write_folder
from unlearning.cli import main
from unlearning.methods import METHODS
from unlearning.metrics import METRICS

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

    sides = ["--model", f"run:{run_id}", "--against", str(model), "--tokens", "5"]
    status, line, _ = ask("generate", *sides, "--prompt", "The heron", "--json")
    (answer,) = json.loads(line)["answers"]
    assert set(answer["answers"]) == {f"run:{run_id}", str(model)}

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


def test_evaluate_reports_every_applicable_metric(ask, model, forget):
    words = ["--model", str(model), "--forget", str(forget), "--max-length", "48"]
    status, line, _ = ask("evaluate", *words, "--retain", "none", "--generic", "none", "--json")
    found = json.loads(line)["metrics"]["model"]
    assert status == 0
    assert set(found) == {n for n, cls in METRICS.items() if "forget" in cls.direction}
    status, line, _ = ask("evaluate", *words, "--metrics", "perplexity", "--json")
    assert set(json.loads(line)["metrics"]["model"]) == {"perplexity"}


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
        (["run", "--wrong"], "--wrong"),
        (["continue", "0123456789"], "0123456789"),
        (["show", "../../etc"], "no run"),
        (["delete", "nothing-here"], "no run"),
        (["evaluate", "--metrics", "nope"], "nope"),
        (["generate", "--model", "/no/such/model", "--prompt", "x"], "/no/such/model"),
        (["generate", "--prompt", "x", "--tokens", "0"], "Generation"),
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
