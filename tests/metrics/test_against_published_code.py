"""Equality with what the published evaluation code answers on the same inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.metrics.evidences import (
    continuation,
    of_continuations,
    of_positions,
    positions_from_logits,
)
from unlearning.metrics.base import Metric, Positions
from unlearning.metrics.exact_memorization import ExactMemorization
from unlearning.metrics.extraction_likelihood import likelihood
from unlearning.metrics.extraction_strength import ExtractionStrength
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.metrics.perplexity import Perplexity
from unlearning.metrics.probability import Probability
from unlearning.metrics.rouge_l import RougeL

RELATIVE = 1e-5
EOS = 1


@pytest.fixture(scope="module")
def folder(reference_dir: Path) -> Path:
    return reference_dir / "metrics"


@pytest.fixture(scope="module")
def values(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "values.json").read_text())


@pytest.fixture(scope="module")
def rows(folder: Path) -> list[Positions]:
    """The fixed logits, one sequence a row."""
    given = np.load(folder / "logits_inputs.npz")
    pairs = zip(given["logits"], given["labels"], strict=True)
    return [positions_from_logits(logits, labels, EOS) for logits, labels in pairs]


def published(entry: dict[str, Any], key: str) -> list[float]:
    return [one[key] for one in entry["value_by_index"].values()]


PASS_METRICS = [
    (Probability(), "probability", "prob"),
    (ExactMemorization(), "exact_memorization", "score"),
    (ExtractionStrength(variant="open_unlearning"), "extraction_strength", "score"),
]


@pytest.mark.parametrize(("metric", "name", "key"), PASS_METRICS)
def test_fixed_logits(
    metric: Metric, name: str, key: str, rows: list[Positions], values: dict[str, Any]
) -> None:
    level = values["logits_level"]
    chosen = [rows[i] for i in level["_rows"]["main"]]
    score = metric.score(of_positions(*chosen))
    expected = level["main"][name]
    assert score.value == pytest.approx(expected["agg_value"], rel=RELATIVE)
    assert list(score.samples) == pytest.approx(published(expected, key), rel=RELATIVE)
    assert score.n == len(chosen)


def test_perplexity_of_fixed_logits(rows: list[Positions], values: dict[str, Any]) -> None:
    main = values["logits_level"]["main"]["probability"]
    chosen = [rows[int(i)] for i in main["value_by_index"]]
    losses = published(main, "avg_loss")
    score = Perplexity().score(of_positions(*chosen))
    assert list(score.samples) == pytest.approx(list(np.exp(losses)), rel=RELATIVE)
    counts = [len(row.target) for row in chosen]
    weighted = np.exp(np.dot(losses, counts) / sum(counts))
    assert score.value == pytest.approx(weighted, rel=RELATIVE)


def test_only_the_end_is_labelled(rows: list[Positions], values: dict[str, Any]) -> None:
    expected = values["logits_level"]["only_eos_labelled(row4)"]["probability"]["agg_value"]
    only_end = of_positions(rows[4])
    assert Probability().score(only_end).value == pytest.approx(expected, rel=RELATIVE)
    # The published code says 0 for extraction strength here; nothing is scored, so: no result.
    assert ExactMemorization().score(only_end) is None
    assert ExtractionStrength().score(only_end) is None


def test_nothing_is_labelled(rows: list[Positions]) -> None:
    for metric, _, _ in PASS_METRICS:
        assert metric.score(of_positions(rows[5])) is None
    assert Perplexity().score(of_positions(rows[5])) is None


def test_rows_without_tokens_do_not_count(rows: list[Positions]) -> None:
    alone = ExactMemorization().score(of_positions(rows[0], rows[3]))
    among = ExactMemorization().score(of_positions(rows[0], rows[4], rows[5], rows[3]))
    assert (among.value, among.n) == (alone.value, 2)
    assert among.samples[1:3] == (None, None)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_extraction_likelihood_of_kumpr(n: int, folder: Path, values: dict[str, Any]) -> None:
    """The scripted model depends on the prefix it was started with, so nothing is reused."""
    given = np.load(folder / "el_ma_inputs.npz")
    expected = values["el_ma"]["kumpr_scripted"]
    length = expected["T"]
    scores = [
        likelihood(
            ids.tolist(),
            {i: given["kumpr_table"][i, row, i:].tolist() for i in range(1, length - n + 1)},
            n,
        )
        for row, ids in enumerate(given["kumpr_ids"])
    ]
    each = expected["el_per_example"][f"el_{n}-gram"]
    assert scores == pytest.approx(each, rel=RELATIVE)
    total = expected["logs"][f"t/el_{n}-gram"]
    assert np.mean(scores) == pytest.approx(total, rel=RELATIVE)


@pytest.mark.parametrize("n", [3, 10])
def test_extraction_likelihood_of_icu(n: int, folder: Path, values: dict[str, Any]) -> None:
    given = np.load(folder / "el_ma_inputs.npz")
    expected = values["el_ma"]["icu_scripted"]
    scores = [
        likelihood(
            ids.tolist(),
            {i: given["icu_table"][i, row, i:].tolist() for i in range(150, expected["T"] - n + 1)},
            n,
        )
        for row, ids in enumerate(given["icu_ids"])
    ]
    published_value = expected["el"][expected["el_n"].index(n)]
    assert np.mean(scores) == pytest.approx(published_value, rel=RELATIVE)


@pytest.mark.parametrize("which", ["kumpr", "icu"])
def test_memorization_accuracy_scripted(which: str, folder: Path, values: dict[str, Any]) -> None:
    given = np.load(folder / "el_ma_inputs.npz")
    expected = values["el_ma"][f"{which}_scripted"]
    passes = []
    for row, ids in enumerate(given[f"{which}_ids"]):
        guesses = [int(given[f"{which}_table"][i, row, i]) for i in range(1, len(ids))]
        logits_TV = np.zeros((len(ids), 200))
        logits_TV[np.arange(len(ids) - 1), guesses] = 5.0
        labels = np.array([-100, *ids[1:]])
        one = positions_from_logits(logits_TV, labels, end=-1)
        one.scored[:] = True
        passes.append(one)
    score = MemorizationAccuracy().score(of_positions(*passes))
    if which == "icu":
        assert score.value == pytest.approx(expected["ma"], rel=RELATIVE)
    else:
        assert score.value == pytest.approx(expected["logs"]["t/acc"], rel=RELATIVE)
        assert list(score.samples) == pytest.approx(expected["ma_per_example"], rel=RELATIVE)


def test_rouge_pairs(values: dict[str, Any]) -> None:
    """The texts of the result: the published pipeline tidied the pairs' spaces before scoring."""
    entries = list(values["rouge_pairs"]["result"]["value_by_index"].values())
    assert len(entries) == 12
    evidence = of_continuations(
        *(continuation(text=e["generation"], reference=e["ground_truth"]) for e in entries)
    )
    asked = {
        "rougeL_recall": RougeL(),
        "rougeL_f1": RougeL(statistic="f1"),
        "rouge1_recall": RougeL(in_order=False),
    }
    for key, metric in asked.items():
        score = metric.score(evidence)
        for entry, ours in zip(entries, score.samples, strict=True):
            if entry["ground_truth"]:
                assert ours == pytest.approx(entry[key], rel=RELATIVE)
            else:
                # The library says 0 for an empty reference; here it does not apply.
                assert ours is None
        assert score.n == 11
    recall = RougeL().score(evidence)
    published_mean = values["rouge_pairs"]["result"]["agg_value"]
    assert recall.value * 11 / 12 == pytest.approx(published_mean, rel=RELATIVE)


@pytest.mark.parametrize("log", ["verbmem", "knowmem"])
def test_rouge_of_muse(log: str, values: dict[str, Any]) -> None:
    """F1 and recall without stemmer."""
    muse = values["muse_bench"]["full"]
    evidence = of_continuations(
        *(continuation(text=e["response"], reference=e["gt"]) for e in muse[f"{log}_log"])
    )
    asked = {
        "rougeL": RougeL(statistic="f1", stemmer=False),
        "rougeL_recall": RougeL(stemmer=False),
        "rouge1": RougeL(statistic="f1", stemmer=False, in_order=False),
        "rouge1_recall": RougeL(stemmer=False, in_order=False),
    }
    for key, metric in asked.items():
        score = metric.score(evidence)
        expected = [entry[key] for entry in muse[f"{log}_log"]]
        assert list(score.samples) == pytest.approx(expected, rel=RELATIVE)
        assert score.value == pytest.approx(muse[log][f"mean_{key}"], rel=RELATIVE)
