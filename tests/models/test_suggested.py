"""Suggested models: every command is one that the command line takes."""

from __future__ import annotations

import shlex

import pytest

from unlearning.cli.parser import build
from unlearning.config import FinetuneConfig, RunConfig
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS
from unlearning.models.locate import HUB_ID
from unlearning.models.suggested import SUGGESTIONS, Suggestion


@pytest.mark.parametrize("suggestion", SUGGESTIONS, ids=lambda s: s.model)
def test_commands_are_understood_and_their_settings_allowed(suggestion: Suggestion) -> None:
    assert HUB_ID.fullmatch(suggestion.model) and suggestion.note.endswith(".")
    assert set(suggestion.retrained) <= set(PRESETS["tofu"].splits)
    commands = [shlex.split(line)[3:] for line in suggestion.commands()]
    assert [words[0] for words in commands] == ["finetune"] * (2 if suggestion.epochs else 0) + [
        "run"
    ]
    written = []
    for words in commands:
        chosen = vars(build().parse_args(words))
        kind = RunConfig if words[0] == "run" else FinetuneConfig
        config = kind(**{name: chosen[name] for name in kind.model_fields if name in chosen})
        source = config.forget if isinstance(config, RunConfig) else config.data
        name, split, _ = parts(source)
        assert split in PRESETS[name].splits
        written.append(chosen.get("out"))
    last = RunConfig(**{n: v for n, v in chosen.items() if n in ("model", "retrained")})
    if suggestion.epochs:
        assert [last.model, last.retrained] == written[:2]
    else:
        assert last.retrained == suggestion.retrained["forget10"]


def test_nothing_claims_to_be_tested() -> None:
    assert not any(suggestion.tested for suggestion in SUGGESTIONS)
