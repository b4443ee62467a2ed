"""The line to reach is measured as the runs are."""

from __future__ import annotations

import pytest

from unlearning.sweeps.base import changed
from unlearning.sweeps.execute import carry_out
from unlearning.sweeps.line import line_to_reach
from unlearning.sweeps.presets import methods


def test_a_retrained_model_that_is_the_original_has_its_figures(store, ground) -> None:
    ground = changed(ground, retrained=ground.model)
    sweep = methods(ground, ["undial"], [0], store.path)
    (done,) = carry_out(store, sweep, device="cpu", tell=lambda _: None)
    original = store.view(done.run_id).scores["original"]
    line = line_to_reach(store, ground, original, "cpu")
    assert line.pop("perplexity") == pytest.approx(1.0)
    assert line == pytest.approx(
        {
            "extraction": original["extraction_likelihood"]["forget"].value,
            "recited": original["memorization_accuracy"]["forget"].value,
            "kept": original["memorization_accuracy"]["retain"].value,
        }
    )


def test_without_a_retrained_model_there_is_no_line(store, ground) -> None:
    assert line_to_reach(store, changed(ground, retrained="none"), {}) is None
