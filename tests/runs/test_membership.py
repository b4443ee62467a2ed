"""A run keeps what each membership attack gives each text, and how much memory there is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runs.conftest import TEXTS
from tests.runs.test_engine import carry_out
from unlearning.metrics._membership import area
from unlearning.runs.events import Measured


def test_a_run_keeps_the_scores_that_its_areas_rest_on(store, short):
    run_id, _ = carry_out(store, short(steps=2, batch_size=2))
    view = store.view(run_id)
    for stage in ("original", "unlearned"):
        kept = view.membership[stage]
        assert {"membership_loss", "membership_zlib", "membership_min_k"} <= set(kept)
        assert "membership_gradient" not in kept, "it would be computed twice"
        for name, texts in kept.items():
            score = view.scores[stage][name]["forget"]
            assert area(np.array(texts.forget), np.array(texts.holdout)) == pytest.approx(
                score.value, abs=1e-12
            )
            assert len(texts.forget) + len(texts.holdout) == score.n
    assert view.membership["original"] != view.membership["unlearned"]
    assert view.started.memory_total > view.memory > 0
    # Without unseen text there is nothing to tell the forget text from.
    alone = {role: texts for role, texts in TEXTS.items() if role != "holdout"}
    run_id, _ = carry_out(store, short(steps=1), alone)
    measured = [e for e in store.read(run_id)[0] if isinstance(e, Measured)]
    assert [event.membership for event in measured] == [{}, {}]
