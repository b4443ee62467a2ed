"""What holds for every metric that the folder declares."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.metrics.evidences import (
    continuation,
    of_continuations,
    of_model,
    of_positions,
    positions,
)
from unlearning.errors import UserError
from unlearning.metrics import METRICS, metric
from unlearning.metrics.base import NEEDS, Evidence, Metric

ROLES = {"forget", "retain", "generic"}
NAMES = [
    "distinct_n",
    "exact_memorization",
    "extraction_likelihood",
    "extraction_strength",
    "longest_repeat",
    "loop_coverage",
    "memorization_accuracy",
    "perplexity",
    "probability",
    "rouge_l",
    "sequence_repetition",
    "token_entropy",
]


def full_evidence() -> Evidence:
    """Three texts that a model knows from some place on, and three continuations."""
    model = of_model(
        lambda prefix: prefix[-1] + 1 if len(prefix) > 14 and 0 not in prefix else 0,
        [list(range(1, length)) for length in (25, 31, 40)],
    )
    passes = [
        replace(one, logp=np.log(np.linspace(0.1 * k, 0.9, len(one.target))))
        for k, one in enumerate(model.positions, start=1)
    ]
    answers = [
        continuation([1, 2, 1, 2, 1, 2, 9, 9], text="something else"),
        continuation([4, 5, 6, 7, 8], text="what is true"),
        continuation([3, 3, 3, 3, 3, 3], text="something true"),
    ]
    return replace(model, positions=passes, continuations=answers)


def test_they_are_all_there() -> None:
    assert set(NAMES) <= set(METRICS)


@pytest.mark.parametrize("cls", METRICS.values(), ids=METRICS)
def test_declaration(cls: type[Metric]) -> None:
    assert cls.summary().endswith(".") and len(cls.summary()) < 100
    assert cls.family in ("forgetting", "utility", "privacy", "fluency", "diagnostic")
    assert cls.cost in ("pass", "generation", "many generations")
    assert cls.direction and set(cls.direction) <= ROLES
    assert set(cls.direction.values()) <= {"lower", "higher", "like retrained", "neither"}
    assert ("neither" in cls.direction.values()) == (cls.family == "diagnostic")
    assert cls.needs <= set(NEEDS)
    assert cls.title and cls.unit and cls.plain
    for item in cls.declared():
        assert item.help.endswith(".")


def test_titles_and_plain_names_are_different_ones() -> None:
    assert len({cls.title for cls in METRICS.values()}) == len(METRICS)
    assert len({cls.plain for cls in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize("cls", METRICS.values(), ids=METRICS)
def test_nothing_to_look_at_is_no_result(cls: type[Metric]) -> None:
    assert cls().score(of_positions()) is None
    assert cls().score(of_positions(positions([]))) is None
    assert cls().score(of_continuations(continuation([], reference=""))) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_value_an_interval_and_a_sample_for_every_text(name: str) -> None:
    evidence = full_evidence()
    score = METRICS[name]().score(evidence)
    assert math.isfinite(score.value)
    assert len(score.samples) == 3
    assert score.n == sum(sample is not None for sample in score.samples)
    assert type(score.value) is float and type(score.n) is int
    if name == "distinct_n":
        assert score.low is None and score.high is None
    elif score.n > 1:
        assert score.low <= score.value <= score.high
        assert score.low < score.high


@pytest.mark.parametrize("name", ["probability", "perplexity"])
def test_a_model_that_gives_nan_has_no_score(name: str) -> None:
    broken = of_positions(positions([1], logp=[math.nan]), positions([1], logp=[-1.0]))
    assert METRICS[name]().score(broken) is None


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="rogue_l") as raised:
        metric("rogue_l")
    assert "rouge_l" in raised.value.hint


def test_scoring_needs_no_model_library() -> None:
    """Metrics read numbers: they work where torch cannot be imported."""
    root = Path(__file__).resolve().parents[2]
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers'): sys.modules[name] = None\n"
        "from tests.metrics.test_every_metric import full_evidence\n"
        "from unlearning.metrics import METRICS\n"
        "print(sum(cls().score(full_evidence()) is not None for cls in METRICS.values()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(NAMES)
