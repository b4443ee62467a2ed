"""A configuration is checked when it is made, repeats as a command, and hashes by content."""

from __future__ import annotations

import shlex

import pytest

from unlearning.cli.acts import config_of
from unlearning.cli.parser import build
from unlearning.config import RunConfig
from unlearning.errors import UserError

CHOSEN = RunConfig(
    model="demo",
    method="npo",
    hyperparameters={"beta": 0.2, "retain_loss": "kl"},
    steps=12,
    learning_rate=1e-3,
    lora_rank=0,
    teach_first=True,
    stop_on_collapse=False,
    stop_when_forgotten=True,
    prompts=("The secret is", "Who wrote it?"),
    seed=5,
)


def test_the_command_line_gives_the_same_configuration_back():
    words = shlex.split(CHOSEN.command())
    assert words[:4] == ["python", "-m", "unlearning", "run"]
    assert config_of(build().parse_args(words[3:])) == CHOSEN


def test_defaults_survive_the_command_line():
    assert config_of(build().parse_args(shlex.split(RunConfig().command())[3:])) == RunConfig()


def test_the_hash_follows_what_matters():
    assert CHOSEN.hash() == RunConfig(**CHOSEN.model_dump()).hash()
    assert CHOSEN.hash() != RunConfig(**CHOSEN.model_dump() | {"seed": 6}).hash()
    assert CHOSEN.hash() == RunConfig(**CHOSEN.model_dump() | {"label": "mine"}).hash()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"method": "npoo"}, "npoo"),
        ({"method": "npo", "hyperparameters": {"gamma": 1}}, "gamma"),
        ({"method": "npo", "hyperparameters": {"beta": 99}}, "beta"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"dtype": "int3"}, "dtype"),
        ({"prompts": tuple("x" for _ in range(17))}, "16 pinned prompts"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_settings_are_named(values, expected):
    with pytest.raises(UserError) as caught:
        RunConfig.parse(values)
    assert expected in str(caught.value)
    assert "\n" not in caught.value.message
