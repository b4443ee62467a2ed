"""The membership explorer without a browser: what is sent, and where the threshold begins."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.membership import ABOUT, NOT_KEPT, NOTHING, best_threshold, called_seen, payload
from tests.dashboard.recorded import events
from unlearning.metrics._membership import area
from unlearning.runs.events import Measured, ScoreValue, TextScores
from unlearning.runs.view import View, view_of

SCORES = st.lists(st.floats(-50, 50), min_size=1, max_size=12)


def measured(stage: str, forget: list[float], holdout: list[float]) -> Measured:
    value = ScoreValue(value=area(np.array(forget), np.array(holdout)), low=0.4, high=1.0)
    texts = TextScores(forget=tuple(forget), holdout=tuple(holdout))
    return Measured(
        stage=stage,
        scores={"membership_loss": {"forget": value}},
        membership={"membership_loss": texts},
    )


def test_a_run_with_scores() -> None:
    view = view_of([
        measured("original", [0.1, 0.2, 3.0], [2.0, 4.0]),
        measured("unlearned", [3.0, 5.0], [2.0, 4.123456789, math.nan]),
    ])  # fmt: skip
    sent = payload(view, None, "r")
    (attack,) = sent["attacks"]
    assert sent["note"] == ABOUT and attack["name"] == "membership_loss"
    assert "LOSS" in attack["title"] and attack["first"] == pytest.approx(1.1)
    one, two = attack["models"]
    assert one == ["Original", "original", [0.1, 0.2, 3.0], [2.0, 4.0], 0.833, 0.4, 1.0]
    assert two[3] == [2.0, 4.1235]
    assert json.loads(json.dumps(sent)) == sent
    # Nothing is sent twice, and nothing that the browser says breaks it.
    assert payload(view, {"drawn": {"tag": sent["tag"]}}, "r") is None
    for held in (None, "x", {"drawn": 3}, {"drawn": {"tag": ["x"]}}):
        assert payload(view, held, "r") == sent


def test_without_scores_a_sentence_says_why() -> None:
    assert payload(View())["note"] == NOTHING and payload(View())["attacks"] == []
    old = [e.model_copy(update={"membership": {}}) for e in [measured("original", [1.0], [2.0])]]
    assert payload(view_of(old))["note"] == NOT_KEPT
    # There was no unseen text at all.
    assert payload(view_of(events("forgotten")))["note"] == NOTHING


@given(SCORES, SCORES)
def test_no_threshold_tells_them_apart_better(forget: list[float], holdout: list[float]) -> None:
    forget, holdout = ([float(f"{s:.5g}") for s in one] for one in (forget, holdout))

    def told(threshold: float) -> float:
        return called_seen(forget, threshold) / len(forget) - called_seen(holdout, threshold) / len(
            holdout
        )

    chosen = best_threshold(TextScores(forget=tuple(forget), holdout=tuple(holdout)))
    values = sorted({*forget, *holdout})
    between = [(a + b) / 2 for a, b in zip(values, values[1:], strict=False)]
    assert told(chosen) >= max([told(one) for one in between], default=-1.0) - 1e-9
    if max(forget) < min(holdout):
        assert told(chosen) == 1.0
