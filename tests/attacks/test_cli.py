"""`attack` on the command line."""

from __future__ import annotations

import json

import pytest

from unlearning.cli import main


@pytest.fixture
def ask(store, capsys):
    def act(*words: str) -> tuple[int, str, str]:
        status = main(["attack", "--runs", str(store.path), "--device", "cpu", *words])
        out, err = capsys.readouterr()
        return status, out, err

    return act


QUICK = {
    "relearn": ["--set", "steps=2", "--set", "texts=2", "--set", "extracted=0"],
    "quantise": ["--set", "texts=2", "--set", "extracted=0", "--set", "format=int8"],
    "prompts": ["--set", "questions=2", "--set", "passages=0", "--set", "samples=2"]
    + ["--set", "new_tokens=6"],
    "sequential": ["--set", "requests=2", "--set", "texts=2"],
}


@pytest.mark.parametrize("name", QUICK)
def test_one_object_on_the_last_line(ask, store, run, control, name):
    words = [name, "--model", f"run:{run}", "--control", str(control), *QUICK[name]]
    status, out, err = ask(*words, "--json")
    assert status == 0, err
    found = json.loads(out.strip().split("\n")[-1])
    assert found["attack"] == name
    assert set(found["models"]) == {"unlearned", "original", "control"}
    assert found["verdict"] and found["seconds"] > 0
    assert found in store.attacks(run)
    assert "unlearned: run:" in err

    status, out, _ = ask(*words)
    assert status == 0
    assert out.strip().endswith(found["verdict"])
    assert out.count("\n") > 4


def test_without_control_it_is_said(ask, run):
    status, out, err = ask("relearn", "--model", f"run:{run}", *QUICK["relearn"])
    assert status == 0
    assert "note: No model is known that never saw the text" in err
    assert "No verdict" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["guess", "--model", "demo"], "invalid choice: 'guess'"),
        (["relearn"], "--model"),
        (["relearn", "--model", "demo", "--set", "steps=0"], "steps = 0 is not allowed"),
        (["relearn", "--model", "demo", "--set", "share"], "has no value"),
        (["quantise", "--model", "demo", "--set", "format=int3"], "int4, int8, nf4"),
        (["prompts", "--model", "demo"], "No text is named"),
        (["prompts", "--model", "run:00000000"], "There is no run"),
    ],
)
def test_bad_input_is_one_line(ask, words, told):
    status, out, err = ask(*words)
    assert status == 2 and out == ""
    assert err.count("\n") == 1 and told in err
