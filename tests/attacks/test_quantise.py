"""Quantisation: the rule on made-up figures, and small attacks."""

from __future__ import annotations

import pytest

from unlearning.attacks.base import NO_ORIGINAL
from unlearning.attacks.quantise import Copy, Quantise, verdict
from unlearning.runs.events import ScoreValue
from unlearning.runs.stress.execute import Target, carry_out


def copy(before: float, after: float, low: float | None = None) -> Copy:
    change = ScoreValue(value=after - before, low=low, high=after - before + 0.1)

    def scores(value: float) -> dict:
        return {"memorization_accuracy": {"forget": ScoreValue(value=value)}}

    return Copy(before=scores(before), after=scores(after), change=change)


def test_the_verdict_follows_the_rule():
    original = copy(1.0, 0.98, -0.05)

    def judged(after: float, low: float, recovery: float | None) -> str:
        both = {"unlearned": copy(0.2, after, low), "original": original}
        return verdict(both, recovery, "int4")

    assert judged(0.6, 0.1, 0.5).startswith("Comes back: it knows 20% of the text before and 60%")
    assert judged(0.3, 0.01, 0.125).startswith("Comes back in part")
    assert judged(0.3, -0.01, 0.125).startswith("Nothing comes back")
    assert judged(0.22, 0.01, 0.025).startswith("Nothing comes back")
    assert judged(0.6, 0.1, None).startswith("No verdict")
    assert verdict({"unlearned": copy(0.2, 0.3, 0.0)}, None, "int4") == NO_ORIGINAL


def test_what_the_original_loses_is_told():
    both = {"unlearned": copy(0.2, 0.2, -0.1), "original": copy(1.0, 0.6, -0.5)}
    assert "(the original loses 40% itself)" in verdict(both, 0.0, "int4")


@pytest.fixture(scope="module")
def report(store, run, control):
    asked = Target(f"run:{run}", control=str(control))
    return carry_out(store, Quantise(texts=8, extracted=1), asked, device="cpu")


def test_three_models_before_and_after(report, store, run):
    assert set(report.copies) == {"unlearned", "original", "control"}
    for one in report.copies.values():
        assert set(one.before) == set(one.after)
        assert set(one.before["memorization_accuracy"]) == {"forget", "retain", "generic"}
        assert one.before["perplexity"] != one.after["perplexity"]
        forget = [s["memorization_accuracy"]["forget"].value for s in (one.before, one.after)]
        assert one.change.value == pytest.approx(forget[1] - forget[0])
    assert 0 < report.same_code < 1
    # Two layers: four attention maps and three of the feed-forward part.
    attention = 32 * 32 * 2 + 32 * 16 * 2
    assert report.weights == 2 * (attention + 3 * 32 * 48)
    assert store.attacks(run)[0]["copies"]


def test_finer_codes_change_less_and_differ_more(report, store, run, control):
    asked = Target(f"run:{run}", control=str(control))
    fine = carry_out(store, Quantise(texts=8, extracted=0, format="int8"), asked, device="cpu")
    assert fine.same_code < report.same_code

    def moved(found) -> float:
        one = found.copies["original"]
        values = [s["perplexity"]["generic"].value for s in (one.before, one.after)]
        return abs(values[1] / values[0] - 1)

    assert moved(fine) < moved(report)


def test_a_model_against_itself_has_every_code(store, tiny, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("The heron stands by the slow river at dawn. " * 3 + "\n")
    asked = Target(str(tiny), forget=str(path), original=str(tiny))
    found = carry_out(store, Quantise(extracted=0), asked, device="cpu")
    assert found.same_code == 1.0
    assert found.recovery is None and found.verdict.startswith("No verdict")
