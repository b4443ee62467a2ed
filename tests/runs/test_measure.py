"""The panel: sets beside each other, what is read for which metric, the retrained model."""

from __future__ import annotations

import pytest

from tests.models import tiny
from tests.models.batches import disturb
from tests.runs.conftest import TEXTS
from unlearning.data.base import Example
from unlearning.data.encode import encode
from unlearning.metrics import METRICS, STANDARD
from unlearning.models.base import REFERENCE, STUDENT
from unlearning.models.versions import Versions, open_versions
from unlearning.runs.measure import Extent, TextSet, evidences, panel, scores, with_others

QUESTION = Example(
    id="w",
    kind="qa",
    question="Where does the heron stand?",
    answer="By the river.",
    paraphrased_answer="At the river.",
    perturbed_answers=("In the wind.", "By a kite."),
)
BESIDE = {"membership_loss", "membership_min_k", "membership_zlib", "privacy_leakage"}
REWRITTEN = {"paraphrased_probability", "truth_ratio", "multiple_choice"}
RETRAINED = {"forget_quality", "membership_reference"}


@pytest.fixture(scope="module")
def versions() -> Versions:
    opened = open_versions(tiny.build_loaded("llama"), lora_rank=4, keep_base=True)
    disturb(opened)
    return opened


def text_set(versions: Versions, role: str, *more: Example) -> TextSet:
    examples = [*TEXTS[role], *more]
    return TextSet(role, examples, encode(examples, versions.tokenizer, max_length=64))


def measured(versions: Versions, *sets: TextSet, names: set[str] | None = None) -> dict:
    metrics = {name: METRICS[name]() for name in names} if names else None
    return panel(versions, STUDENT, sets, versions.tokenizer, lambda: False, metrics)


def test_unseen_text_makes_the_attacks_possible(versions: Versions) -> None:
    forget, holdout = text_set(versions, "forget"), text_set(versions, "holdout")
    alone, both = measured(versions, forget), measured(versions, forget, holdout)
    assert not BESIDE & alone.keys() and both.keys() >= BESIDE
    assert set(both["membership_loss"]) == {"forget"}
    assert both["membership_loss"]["forget"].n == len(forget.encoded) + len(holdout.encoded)
    assert {name: both[name] for name in alone} == alone, "the rest is as without"


def test_what_has_no_score_says_why(versions: Versions) -> None:
    missing: dict[str, str] = {}
    sets = [text_set(versions, role) for role in ("forget", "retain")]
    found = panel(
        versions,
        STUDENT,
        sets,
        versions.tokenizer,
        lambda: False,
        extent=Extent.of(4),
        missing=missing,
    )
    assert found.keys() | missing.keys() == set(STANDARD) and not found.keys() & missing.keys()
    assert {"gradient_conflict", "weight_change", "kl_drift"} <= found.keys()
    assert "never saw" in missing["membership_gradient"]
    assert found["weight_change"]["forget"].value > 0 < found["kl_drift"]["retain"].value
    before = panel(
        versions, REFERENCE, sets, versions.tokenizer, lambda: False, extent=Extent.of(4)
    )
    assert before["weight_change"]["forget"].value == 0 == before["kl_drift"]["retain"].value


def test_without_the_original_there_is_no_change() -> None:
    versions = open_versions(tiny.build_loaded("llama"), lora_rank=None)
    sets = [text_set(versions, role) for role in ("forget", "retain")]
    names = {"weight_change", "kl_drift"}
    assert names == measured(versions, *sets, names=names).keys()
    disturb(versions)
    assert not measured(versions, *sets, names=names), "nothing is left to compare with"


def test_rewritten_answers_where_there_are_some(versions: Versions) -> None:
    without = measured(versions, text_set(versions, "forget"))
    found = measured(versions, text_set(versions, "forget", QUESTION))
    assert not REWRITTEN & without.keys() and found.keys() >= REWRITTEN
    assert found["truth_ratio"]["forget"].n == 1


def test_only_what_is_needed_is_read(versions: Versions) -> None:
    sets = [text_set(versions, "forget", QUESTION), text_set(versions, "holdout", QUESTION)]

    def read(*names: str) -> dict:
        metrics = {name: METRICS[name]() for name in names}
        return evidences(versions, STUDENT, sets, versions.tokenizer, lambda: False, metrics)

    plain = read("perplexity")
    assert set(plain) == {"forget"} and not any(plain["forget"].perturbed)
    found = read("truth_ratio", "privacy_leakage")
    assert sum(map(bool, found["forget"].perturbed)) == 1
    assert not found["holdout"].continuations and not any(found["holdout"].perturbed)
    holdout = with_others(found)["forget"].beside["holdout"]
    assert holdout.positions and not holdout.beside


def test_beside_a_retrained_model(versions: Versions) -> None:
    sets = [text_set(versions, "forget", QUESTION), text_set(versions, "holdout")]
    metrics = {name: METRICS[name]() for name in RETRAINED | {"privacy_leakage"}}

    def read(version: str) -> dict:
        return evidences(versions, version, sets, versions.tokenizer, lambda: False, metrics)

    own, theirs = read(STUDENT), read(REFERENCE)
    assert not RETRAINED & scores(own, metrics).keys()
    found = scores(with_others(own, theirs), metrics)
    assert found.keys() >= RETRAINED
    assert found["privacy_leakage"]["forget"].variant.endswith("(measured)")
    same = scores(with_others(theirs, theirs), metrics)
    assert same["forget_quality"]["forget"].value == 1.0
    assert same["privacy_leakage"]["forget"].value == 0.0
    assert same["membership_reference"]["forget"].value == 0.5
