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
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.metrics import METRICS, metric
from unlearning.metrics.base import NEEDS, Change, Continuation, Evidence, Metric

ROLES = {"forget", "retain", "generic"}


def one_model() -> Evidence:
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


def full_evidence() -> dict[str, Evidence]:
    """All that any metric reads, for every role."""
    random = np.random.default_rng(0)

    def read(role: str, shift: float) -> Evidence:
        base = one_model()
        names = [f"{role} sc{i}" if i < 2 else f"{role} qa{i}" for i in range(4)]
        truths = ["what is true", "something true", "yes", "the ninth of May"]
        said = ["something else", "something true\n\nQuestion: What?", "yes", "the tenth of May"]
        examples = [
            Example(id=name, kind="qa", question="Which?", answer=truth, group="Task1")
            for name, truth in zip(names, truths, strict=True)
        ]
        continuations = [
            Continuation((0,), ids, text, ids[:3] if len(truth) % 2 else (1,), truth, example)
            for ids, text, truth, example in zip(
                [(1, 2, 1, 2, 1, 2, 9, 9), (4, 5, 6, 7, 8), (3, 3, 3, 3, 3, 3), (5, 6, 5, 7, 8)],
                said,
                truths,
                examples,
                strict=True,
            )
        ]
        passes = [*base.positions, replace(base.positions[0])]
        passes = [
            replace(
                one,
                # Now and then a token that was just read.
                argmax=np.where(random.random(len(one.target)) < 0.2, one.target - 1, one.argmax),
                logp=-random.gamma(1.0 + shift, size=len(one.target)) * random.uniform(0.3, 3),
                mean_logp=-random.gamma(2.0, size=len(one.target)),
                variance_logp=random.gamma(2.0, size=len(one.target)),
                entropy=random.gamma(2.0, size=len(one.target)),
                drift=random.gamma(0.5, size=len(one.target)),
            )
            for one in passes
        ]
        wrong = [
            [positions([7, 8], logp=-random.gamma(2.0, size=2) * far) for _ in range(3)]
            for far in (1, 40, 1, 40)
        ]
        return replace(
            base,
            role=role,
            examples=examples,
            positions=passes,
            ids=[*base.ids, base.ids[0]],
            scored_from=[1] * 4,
            continuations=continuations,
            texts=["a text of some letters"] * 4,
            paraphrased=[positions([7, 8], logp=-random.gamma(1.5, size=2)) for _ in passes],
            perturbed=wrong,
            gradient_norms=lambda spans: [float(sum(ids) % 97) + shift for ids, _ in spans],
            gradient_products=lambda spans: {name: _products(len(spans)) for name in "qv"},
            weight_changes=lambda: {
                "model.layers.0.q": Change(0.1, 2.0), "head": Change(0.0, 1.0),
            },
            clean_probabilities=lambda texts: [1 / (1 + len(text)) for text in texts],
        )  # fmt: skip

    roles = [*ROLES, "holdout", "real_authors", "world_facts"]
    own = {role: read(role, shift=i / 9) for i, role in enumerate(roles)}
    theirs = {role: read(role, shift=1 + i / 9) for i, role in enumerate(roles)}
    return with_others(own, with_others(theirs))


def _products(count: int) -> np.ndarray:
    gradients = np.random.default_rng(1).normal(0.5, 1.0, size=(count, 6))
    return gradients @ gradients.T


def with_others(
    found: dict[str, Evidence], retrained: dict[str, Evidence] | None = None
) -> dict[str, Evidence]:
    """Every set with the model's other sets beside it."""
    own = {r: replace(e, retrained=(retrained or {}).get(r)) for r, e in found.items()}
    return {r: replace(e, beside={o: own[o] for o in own if o != r}) for r, e in own.items()}


@pytest.mark.parametrize("cls", METRICS.values(), ids=METRICS)
def test_declaration(cls: type[Metric]) -> None:
    assert cls.summary().endswith(".") and len(cls.summary()) < 100
    assert cls.family in ("forgetting", "utility", "privacy", "fluency", "diagnostic")
    assert cls.cost in ("pass", "generation", "many generations", "backward passes")
    assert (cls.cost == "backward passes") == ("gradients" in cls.needs)
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


def test_what_may_be_needed_is_all_tried() -> None:
    assert set(WITHOUT) == set(NEEDS)


@pytest.mark.parametrize(
    ("name", "role"), [(name, role) for name, cls in METRICS.items() for role in cls.direction]
)
def test_every_number_has_a_variant_a_count_and_an_interval(
    everything: dict[str, Evidence], name: str, role: str
) -> None:
    score = METRICS[name]().score(everything[role])
    assert math.isfinite(score.value) and type(score.value) is float
    assert score.variant and type(score.n) is int and score.n > 1
    assert len(score.samples) > 1
    if METRICS[name].exact:
        assert METRICS[name].exact.endswith(".")
        assert score.low is None and score.high is None
    else:
        assert type(score.low) is float and type(score.high) is float
        assert score.low <= score.value <= score.high
        assert score.low < score.high, "nothing was resampled"


@pytest.fixture(scope="module")
def everything() -> dict[str, Evidence]:
    return full_evidence()


def test_the_same_samples_have_the_same_interval(everything: dict[str, Evidence]) -> None:
    again = full_evidence()
    for name, cls in METRICS.items():
        for role in cls.direction:
            assert cls().score(everything[role]) == cls().score(again[role]), name


WITHOUT = {
    "holdout": lambda e: replace(e, beside={r: o for r, o in e.beside.items() if r != "holdout"}),
    "retain": lambda e: replace(e, beside={r: o for r, o in e.beside.items() if r != "retain"}),
    "real_authors": lambda e: replace(e, beside={}),
    "world_facts": lambda e: replace(e, beside={}),
    "questions": lambda e: replace(e, continuations=one_model().continuations),
    "lume": lambda e: replace(e, continuations=one_model().continuations),
    "rewritten": lambda e: replace(e, paraphrased=[None] * 4, perturbed=[[]] * 4),
    "retrained": lambda e: replace(e, retrained=None),
    "original": lambda e: replace(e, positions=[replace(p, drift=None) for p in e.positions]),
    "weights": lambda e: replace(e, weight_changes=None),
    "gradients": lambda e: replace(e, gradient_norms=None, gradient_products=None),
    "classifier": lambda e: replace(e, clean_probabilities=None),
}


@pytest.mark.parametrize(
    ("name", "need"), [(name, need) for name, cls in METRICS.items() for need in sorted(cls.needs)]
)
def test_without_what_it_needs_there_is_no_score(
    everything: dict[str, Evidence], name: str, need: str
) -> None:
    for role in METRICS[name].direction:
        assert METRICS[name]().score(WITHOUT[need](everything[role])) is None


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
        "found = full_evidence()\n"
        "scores = [cls().score(found[next(iter(cls.direction))]) for cls in METRICS.values()]\n"
        "print(sum(score is not None for score in scores))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(METRICS)
