"""The level of a retrained model is measured once for a text, and again where anything differs."""

from __future__ import annotations

import pytest

from tests.models.tiny import write_folder
from tests.runs.conftest import TEXTS
from unlearning.models.load import load
from unlearning.runs import levels
from unlearning.runs.engine import Engine
from unlearning.runs.shelf import ModelShelf


@pytest.fixture(scope="module")
def retrained(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("retrained") / "tiny")


@pytest.fixture
def level(store, short, retrained, monkeypatch):
    """The level event of a run on these texts, and how often scores were measured for it."""
    calls: list[int] = []
    measure = levels.forgetting_scores
    monkeypatch.setattr(
        levels, "forgetting_scores", lambda *asked: calls.append(1) or measure(*asked)
    )

    def act(texts=TEXTS, **changes):
        run_id = store.create(short(steps=1, retrained=str(retrained), **changes), texts)
        events = Engine(store, run_id, ModelShelf(), device="cpu").events()
        calls.clear()
        found = next(event for event in events if event.kind == "levels")
        events.close()
        return found, len(calls)

    return act


def test_the_second_run_knows_what_the_first_measured(level, store):
    first, measured = level()
    again, not_again = level()
    assert (measured, not_again) == (1, 0)
    assert again.scores == first.scores and again.source == "retrained"
    (file,) = (store.path / "levels").iterdir()
    assert "heron" not in file.read_text()


def test_another_text_or_length_is_measured_itself(level):
    level()
    assert level(texts=TEXTS | {"forget": TEXTS["forget"][:4]})[1] == 1
    assert level(max_length=32)[1] == 1


def test_a_damaged_file_is_measured_again(level, store):
    first, _ = level()
    (file,) = (store.path / "levels").iterdir()
    file.write_text('{"memorization')
    again, measured = level()
    assert measured == 1 and again.scores == first.scores
    assert level()[1] == 0


def test_the_place_follows_the_weights(store, tiny_model, retrained, tmp_path):
    loaded = load(str(tiny_model), device="cpu")
    place = levels._place(store, loaded, TEXTS["forget"], 48)
    assert place == levels._place(store, loaded, TEXTS["forget"], 48)
    assert place != levels._place(store, loaded, TEXTS["forget"], 64)
    assert place.parent == store.path / "levels"
