"""Settings to keep and to share: what comes back is equal, and nothing hostile comes through."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.settings_file import (
    FORMAT,
    LONGEST_LINK,
    MOST_BYTES,
    VERSION,
    Saved,
    from_file,
    from_link,
    to_file,
    to_link,
)
from dashboard.text_cards import MOST_CHARACTERS
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.methods import METHODS

CHOSEN = RunConfig(
    model="Qwen/Qwen2.5-0.5B",
    forget="preset:tofu/forget10",
    retain="none",
    method="npo",
    hyperparameters={"beta": 0.05, "retain_loss": "kl"},
    steps=12,
    learning_rate=2e-5,
    stop_when_forgotten=False,
    prompts=("Who was Ödön?", "東京 <b>"),
    label="mine & yours",
)


def file_of(**changes: Any) -> str:
    found = {"format": FORMAT, "version": VERSION, "config": {}, "pasted": {}}
    return json.dumps(found | changes)


def token_of(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_a_file_comes_back_with_its_texts() -> None:
    saved = Saved(CHOSEN, {"forget": "A secret.\n\n\u2028 \x00 <script>", "retain": "Ελλάδα 🦊"})
    assert from_file(to_file(saved)) == saved
    assert from_file(to_file(saved).encode()) == saved
    assert from_file(to_file(Saved(RunConfig()))) == Saved(RunConfig())


@pytest.mark.parametrize("name", METHODS)
def test_a_link_comes_back_with_every_method(name: str) -> None:
    cls = METHODS[name]
    config = RunConfig(method=name, hyperparameters=cls().model_dump(exclude_none=True))
    assert from_link(to_link(config)).config == config


def test_a_link_holds_nothing_private() -> None:
    private = {
        "model": "/home/ada/models/secret",
        "forget": "ada's diary.txt",
        "retain": "pasted-retain.txt",
        "retrained": "run:0123456789@5",
        "holdout": "/etc/passwd",
        "prompts": ("Where does Ada live?",),
        "label": "ada",
        "device": "cuda:1",
        "steps": 7,
    }
    token = to_link(RunConfig(**private))
    packed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert json.loads(packed) == {"steps": 7}
    assert from_link(token).pasted == {}
    shared = from_link(to_link(CHOSEN)).config
    assert shared == CHOSEN.model_copy(update={"prompts": (), "label": ""})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        ("[]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"a": ' * 100_000, "cannot be read"),
        ('{"config": NaN}', "cannot be read"),
        ('{"format": "\\ud800"}', "cannot be read"),
        (f'{{"steps": {"9" * 5000}}}', "cannot be read"),
        ("{}", "no settings of Lethe"),
        (file_of(version=99), "another version"),
        (file_of(config=[]), "no configuration"),
        (file_of(config={"steps": 0}), "steps"),
        (file_of(config={"steps": "<img src=x>"}), "steps"),
        (file_of(config={"__class__": 1}), "no setting named"),
        (file_of(config={"method": "../../etc"}), "method"),
        (file_of(config={"hyperparameters": {"beta": 1e999}}), "cannot be read"),
        (file_of(config={"hyperparameters": {"nothing": 1}}), "nothing"),
        (file_of(pasted=[1]), "damaged"),
        (file_of(pasted={"holdout": "x"}), "damaged"),
        (file_of(pasted={"forget": 7}), "damaged"),
        (file_of(pasted={"forget": "x" * (MOST_CHARACTERS + 1)}), "at most"),
        ("x" * (MOST_BYTES + 1), "too large"),
    ],
)
def test_a_bad_file_is_one_sentence(content: bytes | str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        from_file(content)


@pytest.mark.parametrize(
    "token", ["", "%%%", "é", "YQ", "x" * (LONGEST_LINK + 1), token_of([1]), token_of({"x": 1})]
)
def test_a_bad_link_is_one_sentence(token: str) -> None:
    with pytest.raises(UserError):
        from_link(token)


def test_settings_too_long_for_an_address_are_told() -> None:
    with pytest.raises(UserError, match="too long"):
        to_link(RunConfig(forget="preset:" + "x" * LONGEST_LINK))


@given(st.text() | st.binary())
def test_anything_is_settings_or_one_sentence(content: str | bytes) -> None:
    for read in (from_file, lambda found: from_link(str(found))):
        try:
            assert isinstance(read(content), Saved)
        except UserError as error:
            assert error.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(RunConfig.model_fields)), JSON, max_size=4))
def test_any_value_of_any_field_is_taken_or_refused(values: dict[str, Any]) -> None:
    try:
        saved = from_file(json.dumps({"format": FORMAT, "version": VERSION, "config": values}))
    except UserError as error:
        assert error.message
    else:
        assert from_file(to_file(saved)) == saved
