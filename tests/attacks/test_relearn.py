"""Relearning: the arithmetic on made-up curves, the cut, and small attacks."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import TEXTS
from unlearning.attacks.base import NO_CONTROL, NO_ORIGINAL, paired, share_back
from unlearning.attacks.relearn import Curve, Look, Relearn, excess, measured, verdict
from unlearning.data.base import Example
from unlearning.errors import UserError
from unlearning.metrics._bootstrap import mean_score
from unlearning.models.fingerprint import hash_weights
from unlearning.models.load import load
from unlearning.runs.events import ScoreValue
from unlearning.runs.stress.execute import Target, carry_out
from unlearning.runs.stress.relearn import cut


def looks(*values: float) -> tuple[Look, ...]:
    """A look every second step."""
    return tuple(
        Look(step=2 * i, unseen=ScoreValue(value=v), trained=ScoreValue(value=v))
        for i, v in enumerate(values)
    )


def test_recovery_and_the_step_of_half_of_it():
    assert measured(looks(0.2, 0.4, 0.62, 0.8), 1.0) == (pytest.approx(0.75), 4)
    assert measured(looks(0.2, 0.3, 0.35), 1.0) == (pytest.approx(0.1875), None)
    assert measured(looks(0.2, 0.1), 1.0)[0] == pytest.approx(-0.125)
    # It fell back later: half was back all the same.
    assert measured(looks(0.2, 0.7, 0.3), 1.0) == (pytest.approx(0.125), 2)


def test_nothing_to_recover_is_no_number():
    assert measured(looks(0.97, 0.99), 1.0) == (None, None)
    assert measured(looks(0.2, 0.9), None) == (None, None)
    assert share_back(0.5, 0.6, 0.4) is None
    assert excess(0.9, 0.98, 1.0) is None


def test_excess_counts_from_the_control():
    assert excess(0.8, 0.6, 1.0) == pytest.approx(0.5)
    assert excess(0.5, 0.6, 1.0) == pytest.approx(-0.25)


def judged(ours: float, before: float, after: float, low: float) -> str:
    curves = {
        "unlearned": Curve(looks=looks(0.5, ours)),
        "control": Curve(looks=looks(0.5, 0.55)),
        "original": Curve(looks=looks(1.0)),
    }
    return verdict(curves, before, after, ScoreValue(value=0.1, low=low, high=0.3))


def test_the_verdict_follows_the_rule():
    assert judged(0.9, 0.0, 0.25, 0.01).startswith("Suppressed, not removed: after 2 steps")
    assert judged(0.9, 0.22, 0.25, 0.01).startswith("Forgotten in part, and no more comes back")
    assert judged(0.9, 0.0, 0.25, -0.01).startswith("It relearns no faster")
    assert judged(0.57, 0.0, 0.05, 0.01).startswith("It relearns no faster")
    assert judged(0.6, 0.0, 0.15, 0.01).startswith("In between")
    assert judged(0.9, 0.5, 0.9, 0.01).startswith("Not forgotten in the first place")


def test_without_control_or_original_there_is_no_verdict():
    both = {"unlearned": Curve(looks=looks(0.1)), "control": Curve(looks=looks(0.1))}
    assert verdict({"unlearned": both["unlearned"]}, None, None, None) == NO_CONTROL
    assert verdict(both, None, None, None) == NO_ORIGINAL
    all_three = both | {"original": Curve(looks=looks(0.12))}
    assert verdict(all_three, None, None, None).startswith("No verdict: a model that never saw")


def test_differences_are_taken_text_by_text():
    found = paired(mean_score([0.9, 0.5, None]), mean_score([0.4, 0.1, 0.3]))
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(0.45), 2)
    assert 0.4 - 1e-9 <= found.low <= found.high <= 0.5 + 1e-9
    with pytest.raises(UserError, match="different tokens"):
        paired(mean_score([0.9]), mean_score([0.4, 0.1]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.01, 0.25, 0.9])
def test_the_cut_keeps_parts_whole(seed, share):
    trained, unseen = cut(TEXTS["forget"], share, seed)
    assert trained and unseen and len(trained) + len(unseen) == len(TEXTS["forget"])

    def heads(examples: list[Example]) -> set[str]:
        return {example.id.split("-qa-")[0] for example in examples}

    assert not heads(trained) & heads(unseen)
    assert (trained, unseen) == cut(TEXTS["forget"], share, seed)


def test_every_group_gives_its_share():
    examples = [Example(id=f"{g}{i}", group=g, text="words") for g in "ab" for i in range(8)]
    trained, _ = cut(examples, 0.25, 3)
    assert sorted(example.group for example in trained) == ["a", "a", "b", "b"]


def test_a_single_passage_cannot_be_cut():
    with pytest.raises(UserError, match="single passage"):
        cut(TEXTS["forget"][:3], 0.25, 0)


QUICK = Relearn(steps=3, look_every=2, texts=4, extracted=1, learning_rate=1e-2, lora_rank=2)


@pytest.fixture(scope="module")
def report(store, run, control):
    return carry_out(store, QUICK, Target(f"run:{run}", control=str(control)), device="cpu")


def test_curves_of_three_models(report, run):
    assert report.models["original"] == f"original:{run}"
    assert [look.step for look in report.curves["unlearned"].looks] == [0, 2, 3]
    assert [look.step for look in report.curves["control"].looks] == [0, 2, 3]
    assert [look.step for look in report.curves["original"].looks] == [0]
    assert report.curves["original"].recovery is None
    for curve in report.curves.values():
        assert set(curve.extraction) == {"unseen", "trained"}
        assert all(0 <= look.unseen.value <= 1 for look in curve.looks)
    assert report.difference.n == report.curves["control"].looks[-1].unseen.n
    assert report.verdict


def test_the_same_attack_gives_the_same_figures(report, store, run, control):
    kept = len(store.attacks(run))
    again = carry_out(store, QUICK, Target(f"run:{run}", control=str(control)), device="cpu")
    assert again.model_dump(exclude={"seconds"}) == report.model_dump(exclude={"seconds"})
    # It took the place of the first.
    assert len(store.attacks(run)) == kept
    assert store.attacks(run)[0]["curves"] == report.model_dump(mode="json")["curves"]


def test_training_moves_the_model_and_leaves_the_files_alone(store, run, tiny, control):
    def hashed() -> str:
        return hash_weights(load(str(tiny), device="cpu").model.named_parameters())

    before = hashed()
    longer = QUICK.model_copy(update={"steps": 30, "look_every": 30, "learning_rate": 3e-2})
    found = carry_out(store, longer, Target(f"run:{run}", control=str(control)), device="cpu")
    for side in ("unlearned", "control"):
        first, last = found.curves[side].looks
        assert last.trained.value > first.trained.value + 0.2
    assert hashed() == before


def test_a_model_that_is_no_run_needs_a_text(store, tiny):
    with pytest.raises(UserError, match="No text is named.*--forget"):
        carry_out(store, QUICK, Target(str(tiny)), device="cpu")


def test_all_parameters_and_no_control(store, tiny, tmp_path):
    path = tmp_path / "text.jsonl"
    path.write_text("".join(example.model_dump_json() + "\n" for example in TEXTS["forget"]))
    given = Target(str(tiny), forget=str(path), original=str(tiny), max_length=90)
    full = QUICK.model_copy(update={"lora_rank": 0, "train_original": True, "extracted": 0})
    found = carry_out(store, full, given, device="cpu")
    assert found.verdict == NO_CONTROL
    assert any("no control" in notice for notice in found.notices)
    # Both are the same model under equal settings.
    assert found.curves["unlearned"].looks == found.curves["original"].looks
    assert found.curves["unlearned"].recovery is None


def test_a_stopped_attack_keeps_nothing(store, run, control):
    kept = store.attacks(run)
    asked = Target(f"run:{run}", control=str(control))
    other = QUICK.model_copy(update={"seed": 9})
    polls = iter(range(10**6))
    assert carry_out(store, other, asked, device="cpu", stop=lambda: next(polls) > 20) is None
    assert store.attacks(run) == kept
