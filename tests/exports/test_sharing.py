"""Hub and Trackio: asked for alone, and clear where they fail; and the command line."""

from __future__ import annotations

import json
import sys
import zipfile
from types import SimpleNamespace

import httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from tests.dashboard.recorded import record
from unlearning.cli import main
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.adapter import SETTINGS, WEIGHTS
from unlearning.exports.hub import push, push_merged
from unlearning.exports.tracking import log_to_trackio
from unlearning.runs.store import RunStore

TOKEN = "hf_a-very-secret-token"


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run_id(store):
    run_id = record(store)
    for step in store.snapshots(run_id):
        folder = store.folder(run_id) / "snapshots" / f"step-{step}" / "student"
        folder.mkdir()
        (folder / WEIGHTS).write_bytes(b"weights")
        (folder / SETTINGS).write_text('{"r": 8}')
    return run_id


@pytest.fixture
def pushed(monkeypatch):
    """What the Hub would have got."""
    seen = {}
    monkeypatch.setattr(HfApi, "create_repo", lambda self, repo, **k: seen.update(repo=repo, **k))

    def commit(self, repo, operations, **named):
        seen.update(token=self.token, files={o.path_in_repo: o for o in operations})

    monkeypatch.setattr(HfApi, "create_commit", commit)
    return seen


def test_the_adapter_is_pushed_privately_and_without_the_texts(store, run_id, pushed):
    assert push(store, run_id, "ada/forgetful", TOKEN) == "https://huggingface.co/ada/forgetful"
    assert (pushed["repo"], pushed["private"], pushed["exist_ok"]) == ("ada/forgetful", True, True)
    assert pushed["token"] == TOKEN and set(pushed["files"]) == {WEIGHTS, SETTINGS, "README.md"}
    card = pushed["files"]["README.md"].path_or_fileobj.decode()
    assert "UNDIAL" in card and "clockmaker" not in card and TOKEN not in card
    kept = "".join(p.read_text(errors="replace") for p in store.path.rglob("*") if p.is_file())
    assert TOKEN not in kept


@pytest.fixture
def merged(store, run_id):
    """The merged model as the worker leaves it, and what has no business on the Hub."""
    folder = merging.exports_folder(store, run_id) / "merged"
    (folder / "more").mkdir(parents=True)
    config = {"model_type": "llama", "_name_or_path": "/home/ada/secret"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "inputs.jsonl").write_text("clockmaker")
    (folder / "more" / "config.json").write_text("{}")
    (folder / "away.json").symlink_to(store.folder(run_id) / "config.json")
    job = merging.asked(store, run_id).model_copy(update={"state": "finished"})
    merging.write(store, run_id, job)
    return folder


def test_the_merged_model_is_pushed_with_its_card_and_nothing_else(store, run_id, merged, pushed):
    where = push_merged(store, run_id, merged, "ada/forgetful", TOKEN)
    assert where == "https://huggingface.co/ada/forgetful"
    assert (pushed["private"], pushed["token"]) == (True, TOKEN)
    assert set(pushed["files"]) == {
        "config.json", "model.safetensors", "tokenizer.json", "README.md",
    }  # fmt: skip
    sent = {n: o.path_or_fileobj for n, o in pushed["files"].items()}
    assert json.loads(sent["config.json"]) == {"model_type": "llama"}
    assert b"the whole model" in sent["README.md"] and b"clockmaker" not in sent["README.md"]
    (merged / "config.json").unlink()
    with pytest.raises(UserError, match="not complete"):
        push_merged(store, run_id, merged, "ada/forgetful", TOKEN)
    with pytest.raises(UserError, match="no repository"):
        push_merged(store, run_id, merged, "../x", TOKEN)


def test_a_merged_model_of_other_weights_is_not_the_runs(store, run_id, merged):
    kept = merging.read(store, run_id).target.partition("@")[2]
    assert merging.ready(store, run_id) == merging.ready(store, f"{run_id}@{kept}") == merged
    assert merging.ready(store, f"{run_id}@0") is None
    merging.write(store, run_id, merging.read(store, run_id).model_copy(update={"state": "failed"}))
    assert merging.ready(store, run_id) is None


@pytest.mark.parametrize("send", ["adapter", "merged"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("no route"), "cannot be reached"),
        (OSError("no network"), "cannot be reached"),
        (OfflineModeIsEnabled("offline"), "switched off"),
        (ValueError(f"Illegal header value {TOKEN}"), "this name or this token"),
        (401, "does not accept this token"),
        (403, "does not accept this token"),
        (500, "status 500"),
    ],
)
def test_what_fails_is_one_sentence_without_the_token(
    store, run_id, merged, monkeypatch, error, words, send, caplog
):
    def fail(*_, **__):
        if isinstance(error, int):
            request = httpx.Request("POST", "https://huggingface.co")
            raise HfHubHTTPError(TOKEN, response=httpx.Response(error, request=request))
        raise error

    monkeypatch.setattr(HfApi, "create_repo", fail)
    with pytest.raises(UserError, match=words) as told:
        if send == "merged":
            push_merged(store, run_id, merged, "ada/forgetful", TOKEN)
        else:
            push(store, run_id, "ada/forgetful", TOKEN)
    assert told.value.hint and TOKEN not in str(told.value) + caplog.text
    assert told.value.__suppress_context__


@pytest.mark.parametrize("name", ["", "ada", "ada/", "/x", "a/b/c", "../x/y", "a b/c", "ä/b"])
def test_a_name_that_is_none_is_refused_before_anybody_is_asked(store, run_id, pushed, name):
    with pytest.raises(UserError, match="no repository"):
        push(store, run_id, name, TOKEN)
    assert pushed == {}


def test_trackio_that_is_not_there_is_said(store, run_id, monkeypatch):
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(UserError, match=r"not installed here\. Install it with: pip"):
        log_to_trackio(store, run_id, "lethe")


def test_trackio_gets_every_step_and_no_text(store, run_id, monkeypatch):
    said = []
    fake = SimpleNamespace(
        init=lambda **named: said.append(named),
        log=lambda metrics, step: said.append((step, metrics)),
        finish=lambda: said.append("finished"),
    )
    monkeypatch.setitem(sys.modules, "trackio", fake)
    view = store.view(run_id)
    steps = sorted({s for series in view.series.values() for s in series.steps})
    assert log_to_trackio(store, run_id, "lethe") == len(steps)
    begin, *logged, end = said
    assert begin["project"] == "lethe" and end == "finished"
    assert [step for step, _ in logged] == steps
    assert logged[5][1]["forget_nll"] == dict(
        zip(view.curve("forget_nll").steps, view.curve("forget_nll").values, strict=True)
    )[logged[5][0]]  # fmt: skip
    assert logged[-1][1]["unlearned/memorization_accuracy/forget"] == pytest.approx(0.558)
    assert "clockmaker" not in json.dumps(said)
    fake.log = lambda *_, **__: 1 / 0
    with pytest.raises(UserError, match="ZeroDivisionError"):
        log_to_trackio(store, run_id, "lethe")
    with pytest.raises(UserError, match="no curves"):
        log_to_trackio(store, store.create(RunConfig(), {}), "lethe")


class TestCommandLine:
    def test_everything_at_once(self, store, run_id, tmp_path, capsys):
        flags = {"settings": "s.json", "curves": "c.csv", "scores": "m.csv", "bibtex": "b.bib",
                 "adapter": "a.zip"}  # fmt: skip
        words = [w for flag, file in flags.items() for w in (f"--{flag}", str(tmp_path / file))]
        assert main(["export", run_id, *words, "--runs", str(store.path), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert set(found) == set(flags)
        assert json.loads((tmp_path / "s.json").read_text())["run"]["run_id"] == run_id
        assert (tmp_path / "c.csv").read_text().startswith("phase,step,")
        assert (tmp_path / "b.bib").read_text().startswith("@inproceedings{dong2025undial")
        assert zipfile.is_zipfile(tmp_path / "a.zip")

    def test_the_merged_model_that_is_there_is_pushed(
        self, store, run_id, merged, pushed, capsys, monkeypatch
    ):
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        words = ["--hub-merged", "ada/whole", "--public", "--runs", str(store.path), "--json"]
        assert main(["export", run_id, *words]) == 0
        assert json.loads(capsys.readouterr().out) == {
            "hub_merged": "https://huggingface.co/ada/whole"
        }
        assert (pushed["private"], pushed["token"]) == (False, TOKEN)

    def test_a_report(self, store, run_id, tmp_path, capsys):
        out = tmp_path / "r.html"
        assert main(["report", run_id, "--out", str(out), "--runs", str(store.path)]) == 0
        assert out.read_text().startswith("<!doctype html>")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["export", "ID"], "not said what to export"),
            (["export", "ID", "--adapter", "/tmp"], "exists"),
            (["export", "ID", "--bibtex", "/no/such/folder/x"], "cannot be written"),
            (["export", "0000000000", "--bibtex", "x"], "no run"),
            (["export", "ID@999", "--adapter", "/tmp/never-there.zip"], "no snapshot of step"),
            (["report", "ID", "--out", "/no/such/folder/x.html"], "cannot be written"),
        ],
    )
    def test_mistakes_are_one_line(self, store, run_id, capsys, words, said):
        words = [word.replace("ID", run_id) for word in words]
        assert main([*words, "--runs", str(store.path)]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
