"""The small trained question-answering model of the reference material, run here in float32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from tests.metrics.evidences import (
    continuation,
    of_continuations,
    of_model,
    of_positions,
    positions_from_logits,
)
from tests.metrics.test_extraction_likelihood import naive_score
from unlearning.metrics.base import Metric, Positions
from unlearning.metrics.exact_memorization import ExactMemorization
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.extraction_strength import ExtractionStrength
from unlearning.metrics.probability import Probability
from unlearning.metrics.rouge_l import RougeL

EOS = 1
NEW_TOKENS = 200


@pytest.fixture(scope="module")
def folder(reference_dir: Path) -> Path:
    return reference_dir / "metrics"


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "values.json").read_text())["tiny_model"]["full"]


@pytest.fixture(scope="module")
def model(folder: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder / "model_full", dtype=torch.float32).eval()


def run(model: PreTrainedModel, folder: Path, name: str) -> list[Positions]:
    """One pass over a stored set of tokens."""
    stored = np.load(folder / "model_tokens.npz")
    with torch.no_grad():
        logits_BTV = model(
            input_ids=torch.from_numpy(stored[f"{name}_input_ids"]),
            attention_mask=torch.from_numpy(stored[f"{name}_attention_mask"]).long(),
        ).logits.numpy()
    labels_BT = stored[f"{name}_labels"]
    pairs = zip(logits_BTV, labels_BT, strict=True)
    return [positions_from_logits(logits, labels, EOS) for logits, labels in pairs]


@pytest.mark.parametrize(
    ("metric", "name", "key"),
    [
        (Probability(), "probability", "prob"),
        (ExactMemorization(), "exact_memorization", "score"),
        (ExtractionStrength(variant="open_unlearning"), "extraction_strength", "score"),
    ],
)
def test_forget_answers(
    metric: Metric, name: str, key: str, model: PreTrainedModel, folder: Path, expected: Any
) -> None:
    score = metric.score(of_positions(*run(model, folder, "forget")))
    each = [one[key] for one in expected[name]["value_by_index"].values()]
    assert list(score.samples) == pytest.approx(each, rel=1e-5)
    assert score.value == pytest.approx(expected[name]["agg_value"], rel=1e-5)


def test_paraphrased_answers(model: PreTrainedModel, folder: Path, expected: Any) -> None:
    score = Probability().score(of_positions(*run(model, folder, "paraphrased")))
    entry = expected["paraphrased_probability"]
    each = [one["prob"] for one in entry["value_by_index"].values()]
    assert list(score.samples) == pytest.approx(each, rel=1e-5)


def test_perturbed_answers(model: PreTrainedModel, folder: Path, expected: Any) -> None:
    entry = expected["perturbed_probability"]["value_by_index"]
    for which in range(5):
        passes = run(model, folder, f"perturbed{which}")
        score = Probability().score(of_positions(*passes))
        each = [one["prob"][which] for one in entry.values()]
        assert list(score.samples) == pytest.approx(each, rel=1e-5)


def test_greedy_answers(model: PreTrainedModel, folder: Path, expected: Any) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder / "model_full")
    entries = list(expected["rouge"]["value_by_index"].values())
    answers = []
    for entry in entries:
        ids = tokenizer(entry["input"], return_tensors="pt")["input_ids"]
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False
        )
        text = tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True).strip()
        assert text == entry["generation"]
        answers.append(continuation(text=text, reference=entry["ground_truth"]))
    score = RougeL().score(of_continuations(*answers))
    each = [entry["rougeL_recall"] for entry in entries]
    assert list(score.samples) == pytest.approx(each, rel=1e-5)
    assert score.value == pytest.approx(np.mean(each), rel=1e-5)


def test_fast_extraction_likelihood(model: PreTrainedModel, folder: Path) -> None:
    """Holdout answers: part of their wording is known to the model, part is not."""
    stored = np.load(folder / "model_tokens.npz")
    texts = [
        ids[mask].tolist()
        for ids, mask in zip(
            stored["holdout_input_ids"][:3], stored["holdout_attention_mask"][:3], strict=True
        )
    ]

    def choose(prefix: Any) -> int:
        with torch.no_grad():
            return int(model(torch.tensor([list(prefix)])).logits[0, -1].argmax())

    evidence = of_model(choose, texts, scored_from=20, end=EOS)
    for n in (2, 5):
        score = ExtractionLikelihood(n=n).score(evidence)
        by_hand = [naive_score(choose, ids[:-1], 20, n, EOS) for ids in texts]
        assert list(score.samples) == pytest.approx(by_hand, rel=1e-12)
        assert 0 < score.value < 1
