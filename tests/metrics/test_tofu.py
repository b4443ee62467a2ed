"""TOFU's metrics: published values, the authors' own logs, and toy values."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.evidences import continuation, of_losses, of_positions, positions
from unlearning.data.base import Example
from unlearning.metrics._harmonic import harmonic_mean
from unlearning.metrics._kolmogorov import distance, p_value
from unlearning.metrics.base import Evidence
from unlearning.metrics.forget_quality import ForgetQuality
from unlearning.metrics.model_utility import ModelUtility
from unlearning.metrics.multiple_choice import MultipleChoice
from unlearning.metrics.paraphrased_probability import ParaphrasedProbability
from unlearning.metrics.probability import Probability
from unlearning.metrics.probability_among_options import ProbabilityAmongOptions
from unlearning.metrics.rouge_l import RougeL
from unlearning.metrics.truth_ratio import TruthRatio

RELATIVE = 1e-4
SETS = {
    "forget": "eval_log_forget.json",
    "retain": "eval_log.json",
    "real_authors": "eval_real_author_wo_options.json",
    "world_facts": "eval_real_world_wo_options.json",
}
GOLDEN = {
    "full": (0.6227, 0.5859, 0.9909, 0.9854, 0.5160),
    "retain90": (0.6137, 0.5752, 0.1476, 0.4082, 0.6740),
    "retain95": (0.6006, 0.5613, 0.1547, 0.3980, 0.6741),
    "retain99": (0.6207, 0.5812, 0.1795, 0.3972, 0.6849),
}
"""Model utility, the same with arithmetic truth ratio; forget probability, ROUGE, truth ratio."""


@pytest.fixture(scope="module")
def aggregates(reference_dir: Path) -> dict[str, Any]:
    return json.loads((reference_dir / "metrics/values.json").read_text())["aggregates"]


@pytest.fixture(scope="module")
def tiny(reference_dir: Path) -> dict[str, Any]:
    return json.loads((reference_dir / "metrics/values.json").read_text())["tiny_model"]


def published(entry: dict[str, Any]) -> list[float]:
    return [one["score"] for one in entry["value_by_index"].values()]


@pytest.fixture(scope="module")
def logs(shared_dir: Path) -> dict[str, dict[str, Evidence]]:
    """The authors' evaluation of Llama-2-7b-chat, model by model and set by set."""
    folder = shared_dir / "data/tofu_eval_logs"
    if not folder.is_dir():
        pytest.skip("no evaluation logs of TOFU in the shared folder")
    found = {}
    for model in GOLDEN:
        log = json.loads((folder / f"llama2-7b-chat_{model}.json").read_text())
        found[model] = {role: read_log(log[key], role) for role, key in SETS.items()}
    return found


def read_log(log: dict[str, Any], role: str) -> Evidence:
    rows = [str(i) for i in sorted(map(int, log["avg_gt_loss"]))]
    texts = [log["generated_text"][row] for row in rows]
    return of_losses(
        [log["avg_gt_loss"][row] for row in rows],
        [log["average_perturb_loss"][row] for row in rows],
        # Without paraphrase the field holds the plain answer's loss, measured a second time.
        [log["avg_paraphrased_loss"][row] for row in rows],
        role=role,
        continuations=[continuation(text=text, reference=gold) for _, text, gold in texts],
    )


def utility(sets: dict[str, Evidence], average: str = "geometric") -> Any:
    others = {role: sets[role] for role in ("real_authors", "world_facts")}
    return ModelUtility(average=average).score(replace(sets["retain"], beside=others))


@pytest.mark.parametrize("model", GOLDEN)
def test_model_utility_of_the_authors_models(model: str, logs: Any) -> None:
    score = utility(logs[model])
    assert score.value == pytest.approx(GOLDEN[model][0], abs=5e-5)
    assert utility(logs[model], "arithmetic").value == pytest.approx(GOLDEN[model][1], abs=5e-5)
    assert score.low < score.value < score.high
    assert score.n == 300 + 100 + 117


def test_parts_of_model_utility(logs: Any) -> None:
    parts = [0.9895, 0.9857, 0.4747, 0.4555, 0.9330, 0.5962, 0.4186, 0.8825, 0.5390]
    assert utility(logs["full"]).samples == pytest.approx(parts, abs=5e-5)


@pytest.mark.parametrize("model", GOLDEN)
def test_forget_metrics_of_the_authors_models(model: str, logs: Any) -> None:
    forget = logs[model]["forget"]
    scores = [metric.score(forget).value for metric in (Probability(), RougeL(), TruthRatio())]
    assert scores == pytest.approx(GOLDEN[model][2:], abs=5e-5)


def test_forget_quality_of_the_authors_models(logs: Any) -> None:
    full, without = logs["full"]["forget"], logs["retain90"]["forget"]
    score = ForgetQuality().score(replace(full, retrained=without))
    assert score.value == pytest.approx(1.834066e-21, rel=1e-6)
    assert (score.n, score.low, score.high) == (300, None, None)
    same = ForgetQuality().score(replace(without, retrained=without))
    assert same.value == 1.0


def test_published_truth_ratios(aggregates: dict[str, Any]) -> None:
    given_ = aggregates["inputs"]
    correct, wrong = given_["correct_avg_loss"], given_["wrong_avg_loss"]
    evidence = of_losses([0.3] * len(correct), wrong, correct)
    forget = TruthRatio().score(evidence)
    entry = aggregates["truth_ratio_closer_to_1_better"]
    assert forget.value == pytest.approx(entry["agg_value"], rel=RELATIVE)
    ratios = np.array(published(entry))
    assert forget.samples == pytest.approx(np.minimum(ratios, 1 / ratios), rel=RELATIVE)
    kept = TruthRatio().score(replace(evidence, role="retain"))
    entry = aggregates["truth_ratio_true_better"]
    assert kept.value == pytest.approx(entry["agg_value"], rel=RELATIVE)
    knowledge = TruthRatio(form="knowledge").score(evidence)
    entry = aggregates["truth_ratio_prob_mean"]
    assert knowledge.value == pytest.approx(entry["agg_value"], rel=RELATIVE)
    assert knowledge.samples == pytest.approx(published(entry), rel=RELATIVE)


def test_published_forget_quality(aggregates: dict[str, Any]) -> None:
    given_ = aggregates["inputs"]
    own, theirs = (
        of_losses([0.3] * len(given_[f"{which}correct_avg_loss"]),
                  given_[f"{which}wrong_avg_loss"], given_[f"{which}correct_avg_loss"])
        for which in ("", "retain_")
    )  # fmt: skip
    score = ForgetQuality().score(replace(own, retrained=theirs))
    expected = aggregates["forget_quality_ks"]["agg_value"]
    assert score.value == pytest.approx(expected, rel=RELATIVE)
    assert ForgetQuality().score(own) is None


def test_published_probability_among_options(aggregates: dict[str, Any]) -> None:
    given_ = aggregates["inputs"]
    score = ProbabilityAmongOptions().score(
        of_losses(given_["correct_avg_loss"], given_["wrong_avg_loss"])
    )
    entry = aggregates["probability_w_options"]
    assert score.value == pytest.approx(entry["agg_value"], rel=RELATIVE)
    each = [one["prob"] for one in entry["value_by_index"].values()]
    assert score.samples == pytest.approx(each, rel=RELATIVE)


@pytest.mark.parametrize("name", ["model_utility_hm", "model_utility_hm_with_zero"])
def test_published_harmonic_means(name: str, aggregates: dict[str, Any]) -> None:
    values = np.array(list(aggregates[name]["inputs"].values()))
    assert harmonic_mean(values) == pytest.approx(aggregates[name]["agg_value"], rel=1e-12)


def test_utility_of_a_published_model() -> None:
    parts = [0.8545, 0.7724, 0.5117, 0.4297, 0.8195, 0.5522, 0.4310, 0.8308, 0.5963]
    assert harmonic_mean(np.array(parts)) == pytest.approx(0.6009, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("truth_ratio_closer_to_1_better", "forget"),
        ("truth_ratio_true_better", "utility"),
        ("truth_ratio_prob_mean", "knowledge"),
    ],
)
def test_truth_ratios_of_a_trained_model(name: str, form: str, tiny: dict[str, Any]) -> None:
    """From the stored losses; the losses themselves are tested beside the model."""
    full = tiny["full"]
    paraphrased, perturbed = (
        [one["avg_loss"] for one in full[f"{which}_probability"]["value_by_index"].values()]
        for which in ("paraphrased", "perturbed")
    )
    evidence = of_losses([0.1] * len(paraphrased), perturbed, paraphrased)
    score = TruthRatio(form=form).score(evidence)
    assert score.value == pytest.approx(full[name]["agg_value"], rel=RELATIVE)
    probability = ParaphrasedProbability().score(evidence)
    expected = full["paraphrased_probability"]["agg_value"]
    assert probability.value == pytest.approx(expected, rel=RELATIVE)


def test_truth_ratio_toy() -> None:
    evidence = of_losses([9.0], [[1.0, 2.0, 3.0]], [0.5])

    def value(**settings_: str) -> float:
        return TruthRatio(**settings_).score(evidence).value

    assert value() == pytest.approx(0.2231, abs=5e-5)
    assert value(average="arithmetic") == pytest.approx(0.3039, abs=5e-5)
    assert value(form="knowledge") == pytest.approx(0.8176, abs=5e-5)
    assert value(form="utility") == pytest.approx(1 - 0.2231, abs=5e-5)
    assert TruthRatio().score(evidence).variant == "forget form, geometric"


def test_without_a_paraphrase_the_answer_itself_is_the_truth() -> None:
    assert TruthRatio().score(of_losses([0.5], [[1.5]])).value == pytest.approx(np.exp(-1))


def test_losses_beyond_the_range_of_a_float() -> None:
    evidence = of_losses([1e4], [[1e4, 1e4, 1e4]], [1e4])
    assert ProbabilityAmongOptions().score(evidence).value == pytest.approx(0.25)
    assert TruthRatio(average="arithmetic").score(evidence).value == pytest.approx(1.0)
    far = of_losses([0.0], [[0.0]], [1e4])
    for form, expected in (("forget", 0.0), ("utility", 0.0), ("knowledge", 0.0)):
        assert TruthRatio(form=form).score(far).value == expected


def test_examples_without_wrong_answers_do_not_count() -> None:
    evidence = of_losses([0.5, 0.1], [[1.5], []])
    for metric in (TruthRatio(), ProbabilityAmongOptions()):
        score = metric.score(evidence)
        assert score.n == 1 and score.samples[1] is None


def test_model_utility_needs_all_its_sets() -> None:
    spoken = [continuation(text="a b", reference="a b")] * 2
    sets = {
        role: of_losses([0.1, 0.2], [[1.0], [2.0]], role=role, continuations=spoken)
        for role in ("retain", "real_authors", "world_facts")
    }
    assert utility(sets).value > 0.5
    assert ModelUtility().score(sets["retain"]) is None
    silent = replace(sets["world_facts"], continuations=())
    assert utility(sets | {"world_facts": silent}) is None
    lost = of_losses([9.0, 9.0], [[1.0], [2.0]], role="world_facts", continuations=spoken)
    assert utility(sets | {"world_facts": lost}).value == 0.0


def brute_force(first: list[float], second: list[float]) -> float:
    """p-value over all ways to deal the pooled places into two sets, no ties assumed."""
    n, m = len(first), len(second)
    observed = distance(np.array(first), np.array(second))
    places = np.arange(float(n + m))
    found = []
    for chosen in combinations(range(n + m), n):
        rest = [i for i in range(n + m) if i not in chosen]
        found.append(distance(places[list(chosen)], places[rest]) >= observed)
    return float(np.mean(found))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 20).map(float), min_size=1, max_size=5),
    st.lists(st.integers(0, 20).map(float), min_size=1, max_size=4),
)
def test_p_value_is_what_trying_all_orders_gives(first: list[float], second: list[float]) -> None:
    p = p_value(np.array(first), np.array(second))
    assert p == pytest.approx(brute_force(first, second), rel=1e-12)
    assert p == p_value(-np.array(second), -np.array(first))


def test_p_values_far_below_a_float_stay_exact() -> None:
    """Two sets that do not overlap: two of all orders are as extreme."""
    apart = p_value(np.zeros(400), np.ones(400))
    assert apart == pytest.approx(1.06e-239, rel=0.01)
    assert p_value(np.zeros(200), np.ones(200)) == pytest.approx(1.94e-119, rel=0.01)


def choice(*sums: float, answers: tuple[str, ...] = ()) -> Evidence:
    """The true answer first; every answer ends with an end-of-text token of another weight."""

    def one(total: float) -> Any:
        return positions([5, 6, 1], logp=[total, 0.0, -total], end=[False, False, True])

    true, *wrong = answers or ("aa",) * len(sums)
    example = Example(id="0", kind="qa", question="?", answer=true, perturbed_answers=tuple(wrong))
    first, *others = [one(total) for total in sums]
    return replace(of_positions(first), examples=[example], paraphrased=[None], perturbed=[others])


def test_multiple_choice_by_whole_answers() -> None:
    assert MultipleChoice().score(choice(-1.0, -2.0, -3.0)).value == 1.0
    assert MultipleChoice().score(choice(-2.5, -2.0, -3.0)).value == 0.0
    assert MultipleChoice().score(choice(-2.0, -2.0, -3.0)).value == 0.5
    assert MultipleChoice().score(choice(np.nan, -2.0)) is None
    assert MultipleChoice().score(choice(-1.0)) is None


def test_multiple_choice_by_character() -> None:
    evidence = choice(-3.0, -2.0, answers=("a long answer", "short"))
    assert MultipleChoice().score(evidence).value == 0.0
    assert MultipleChoice(variant="acc_norm").score(evidence).value == 1.0
