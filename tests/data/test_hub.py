"""Hub sources, read from local folders in the hub's layout; what goes wrong is explained."""

from __future__ import annotations

import json

import datasets
import pytest

from unlearning.data.hub import HubSource, mirrored
from unlearning.data.sources import load
from unlearning.errors import UserError

ROWS = [{"question": "Who?", "answer": "Ilva", "text": "a text"}] * 3
CARD = """---
configs:
- config_name: small
  data_files: small.jsonl
- config_name: large
  data_files:
  - split: train
    path: large.jsonl
  - split: test
    path: small.jsonl
---
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data set with two configurations, and a cache of its own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    where = tmp_path / "data"
    where.mkdir()
    for name, count in (("small", 2), ("large", 3)):
        lines = "\n".join(json.dumps(row) for row in ROWS[:count])
        (where / f"{name}.jsonl").write_text(lines)
    (where / "README.md").write_text(CARD)
    return where


@pytest.mark.parametrize(
    ("source", "dataset", "config", "columns", "split"),
    [
        ("hub:owner/name:text", "owner/name", None, ("text",), "train"),
        ("hub:name:text:test", "name", None, ("text",), "test"),
        ("hub:a/B.c-d/e_10:q+a:x", "a/B.c-d", "e_10", ("q", "a"), "x"),
    ],
)
def test_forms(source, dataset, config, columns, split) -> None:
    assert HubSource.parse(source) == HubSource(dataset, config, columns, split)


@pytest.mark.parametrize(
    "source",
    [
        *("hub:", "hub:owner/name", "hub:owner/name:", "hub::text", "hub:a b:text"),
        *("hub:a/b:x+y+z", f"hub:{'word ' * 80}:text"),
    ],
)
def test_other_forms_are_refused(source) -> None:
    with pytest.raises(UserError) as caught:
        load(source)
    assert "hub:DATASET" in caught.value.hint


@pytest.mark.parametrize("path", ["~nobody-of-this-name/data", f"./{'word ' * 80}/data"])
def test_a_folder_that_cannot_be_is_not_there(path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        load(f"hub:{path}:text")


def test_folders_with_configurations(folder) -> None:
    assert [e.text for e in load(f"hub:{folder}/small:text")] == ["a text"] * 2
    found = load(f"hub:{folder}/large:question+answer:test")
    assert [(e.kind, e.answer) for e in found] == [("qa", "Ilva")] * 2


def test_what_is_missing_is_named_with_what_there_is(folder) -> None:
    cases = {
        f"hub:{folder}/small:body": ("no column 'body'", "question, answer, text"),
        f"hub:{folder}/small:question+body": ("no column 'body'", "question, answer, text"),
        f"hub:{folder}/large:text:valid": ("no split 'valid'", "train, test"),
        f"hub:{folder}/middle:text": ("no configuration 'middle'", "small, large"),
        f"hub:{folder}:text": ("several configurations", "small, large"),
        f"hub:{folder}/no/where:text": ("There is no folder", "path"),
    }
    for source, (message, hint) in cases.items():
        with pytest.raises(UserError) as caught:
            load(source)
        assert message in caught.value.message and hint in caught.value.hint


def test_a_folder_without_data(folder, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="or it is empty"):
        load(f"hub:{tmp_path / 'empty'}:text")


def test_broken_data(folder) -> None:
    (folder / "small.jsonl").write_text('{"text": ')
    with pytest.raises(UserError, match="cannot be read"):
        load(f"hub:{folder}/small:text")


def test_chats(folder) -> None:
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    (folder / "small.jsonl").write_text(json.dumps({"talk": turns}))
    assert load(f"hub:{folder}/small:talk")[0].target == "hello"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (datasets.exceptions.DatasetNotFoundError("Dataset 'a/b' is a gated dataset."), "gated"),
        (datasets.exceptions.DatasetNotFoundError("doesn't exist on the Hub"), "no data set a/b"),
        (ConnectionError("Couldn't reach 'a/b' on the Hub"), "cannot be reached"),
        (RuntimeError("Dataset scripts are no longer supported, but found b.py"), "never run"),
    ],
)
def test_refusals_of_the_hub(monkeypatch, error, message) -> None:
    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(UserError, match=message) as caught:
        load("hub:a/b:text")
    assert caught.value.hint


def test_no_network_is_said_so(monkeypatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="cannot be reached"):
        load("hub:owner/not-in-the-cache:text")


def test_long_data_sets_are_shortened_and_said_so(folder) -> None:
    (folder / "small.jsonl").write_text('{"text": "x"}\n' * 20_001)
    notices: list[str] = []
    assert len(load(f"hub:{folder}/small:text", notices=notices)) == 20_000
    assert notices == ["data/small/train: only the first 20,000 of 20,001 rows are used."]


@pytest.mark.parametrize("name", ["..", "../secret", "owner/..", "./secret"])
def test_a_mirrored_name_stays_below_its_folder(tmp_path, monkeypatch, name):
    (tmp_path / "secret").mkdir()
    (tmp_path / "mirror" / "owner").mkdir(parents=True)
    monkeypatch.setenv("LETHE_DATASETS", str(tmp_path / "mirror"))
    assert mirrored(name) is None
    assert mirrored("owner") == tmp_path / "mirror" / "owner"
