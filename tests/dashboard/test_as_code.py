"""Settings as code: the command line and the program mean the very same run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.as_code import code_card, python_of
from tests.models.tiny import write_folder
from unlearning.cli.acts import config_of
from unlearning.cli.parser import build
from unlearning.config import RunConfig
from unlearning.methods import METHODS

PARSER = build()
CONFIGS = [
    RunConfig(),
    RunConfig(
        model="o'brien/model",
        forget="my notes.csv:question+answer",
        retain="none",
        retrained="demo-retain",
        method="icu",
        hyperparameters={"alpha": 0.25, "test": "written", "refine_every": 0},
        steps=3,
        learning_rate=1e-05,
        lora_rank=0,
        teach_first=True,
        stop_on_collapse=False,
        stop_when_forgotten=False,
        prompts=("--steps 3", "a\nb", "-", "$(rm -rf ~) `x` \"q\" 'p' \\"),
        seed=7,
        device="cpu",
        dtype="bfloat16",
    ),
]
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def from_command(config: RunConfig) -> RunConfig:
    words = shlex.split(config.command())
    assert words[:4] == ["python", "-m", "unlearning", "run"]
    # The device belongs to every command, not to the run's own flags.
    return config_of(PARSER.parse_args(words[3:]))


def from_program(config: RunConfig) -> RunConfig:
    """Runs the program up to where it would begin to work."""
    head, found, _ = python_of(config).partition("store = ")
    assert found
    names: dict[str, Any] = {}
    exec(head, names)  # the program is ours: that it runs is what is tested
    return names["config"]


@pytest.mark.parametrize("config", CONFIGS, ids=["defaults", "much"])
def test_both_give_an_equal_configuration(config: RunConfig) -> None:
    assert from_command(config) == config
    assert from_program(config) == config


@pytest.mark.parametrize("name", METHODS)
def test_every_hyperparameter_comes_back(name: str) -> None:
    chosen = METHODS[name]().model_dump(exclude_none=True)
    config = RunConfig(method=name, hyperparameters=chosen)
    assert from_command(config) == config
    assert from_program(config) == config


@given(
    st.tuples(TEXT, TEXT),
    TEXT.filter(str.strip),
    st.floats(1e-9, 10.0) | st.none(),
    st.booleans() | st.none(),
)
def test_any_text_and_number_come_back(
    prompts: tuple[str, ...], forget: str, rate: float | None, stops: bool | None
) -> None:
    config = RunConfig(
        prompts=prompts, forget=forget, learning_rate=rate, stop_when_forgotten=stops
    )
    assert from_program(config) == config
    if stops is not None or config.stop_when_forgotten is None:
        assert from_command(config) == config


def test_the_program_does_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("The heron stands by the slow river at dawn. " * 4)
    config = RunConfig(
        model=str(write_folder(tmp_path / "tiny")),
        forget="notes.txt",
        retain="notes.txt",
        method="gradient_ascent",
        steps=1,
        max_length=48,
        device="cpu",
        stop_when_forgotten=False,
    )
    names: dict[str, Any] = {}
    exec(python_of(config), names)  # the program is ours: that it runs is what is tested
    assert names["view"].status == "finished" and names["view"].step == 1
    assert names["store"].config(names["run_id"]) == config


def test_the_card_escapes_and_says_what_has_to_be_there() -> None:
    config = RunConfig(forget="pasted-forget.txt", retain="<b>.csv:text", prompts=("<script>",))
    card = code_card(config)
    assert "<script>" not in card and "<b>.csv" not in card
    assert "Save the pasted text as pasted-forget.txt first." in card
    assert "&lt;b&gt;.csv has to lie in the folder" in card
    assert card.count("data-copy") == 2
