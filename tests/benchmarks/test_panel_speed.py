"""The panel reads each text once for all metrics: against a panel for each metric, in CPU time.

Ratios within one run, so that they hold on any machine; the figures are printed (pytest -s).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from tests.benchmarks.unlearned import unlearn
from unlearning.data.encode import encode
from unlearning.data.sources import load as load_texts
from unlearning.metrics import METRICS, STANDARD
from unlearning.metrics.base import Metric
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.load import load
from unlearning.models.versions import Versions, open_versions
from unlearning.runs.measure import Extent, TextSet, panel

TEXTS = 32
TOKENS = 48
"""Tokens of a passage that are read."""
MOST = 0.3
"""Share of a panel for each metric that one panel for all may take."""
STEPS, RATE = 7, 4e-3


@pytest.fixture(scope="module")
def versions() -> Versions:
    """The embedded model, and beside it what a few steps of gradient ascent make of it."""
    opened = open_versions(load("demo", device="cpu"), lora_rank=8)
    unlearn(opened, text_set(opened, "forget").encoded, steps=STEPS, rate=RATE)
    return opened


def text_set(versions: Versions, role: str) -> TextSet:
    """The beginnings of a split's passages, then as many later windows as are missing."""
    examples = [e for e in load_texts(f"preset:world/{role}") if e.kind == "passage"]
    encoded = encode(examples, versions.tokenizer, max_length=TOKENS)
    firsts = {item.example: item for item in reversed(encoded)}
    later = [item for item in encoded if item is not firsts[item.example]]
    chosen = [*sorted(firsts.values(), key=lambda item: item.example), *later][:TEXTS]
    assert len(chosen) == TEXTS
    return TextSet(role, examples, chosen)


def cpu_seconds(versions: Versions, sets: list[TextSet], metrics: Mapping[str, Metric]):
    """Scores of both models, CPU time and wall time."""
    begun, wall = time.process_time(), time.perf_counter()
    found = [
        panel(versions, version, sets, versions.tokenizer, lambda: False, metrics, Extent.of(TEXTS))
        for version in (REFERENCE, STUDENT)
    ]
    return found, time.process_time() - begun, time.perf_counter() - wall


def test_one_panel_against_a_panel_for_each_metric(versions: Versions, capsys) -> None:
    sets = [text_set(versions, role) for role in ("forget", "retain", "holdout")]
    every = {name: METRICS[name]() for name in STANDARD}
    # The first call pays for what is loaded late.
    cpu_seconds(versions, [one.some(2) for one in sets], every)
    (original, unlearned), together, wall = cpu_seconds(versions, sets, every)
    assert original.keys() == unlearned.keys()
    # It is a model that knows the text, beside one that has forgotten some of it.
    known, left = (one["memorization_accuracy"]["forget"].value for one in (original, unlearned))
    assert known > 0.8 and left < known - 0.2
    applicable = {name: every[name] for name in original}
    alone = {
        name: cpu_seconds(versions, sets, {name: metric})[1] for name, metric in applicable.items()
    }
    apart = sum(alone.values())
    dear = sorted(alone, key=alone.get, reverse=True)[:4]
    with capsys.disabled():
        print(
            f"\n{len(applicable)} metrics on 3 x {TEXTS} passages of at most {TOKENS} tokens, two "
            f"models: {together:.1f} s CPU ({wall:.1f} s wall), one by one {apart:.1f} s, "
            f"{together / apart:.2f} of it; dearest: "
            + ", ".join(f"{name} {alone[name]:.1f} s" for name in dear)
        )
    assert len(applicable) >= 20
    assert together <= MOST * apart
