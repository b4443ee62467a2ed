"""The small trained question-answering model of the reference material, run here in float32."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
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
from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics.base import Evidence, Metric, Positions
from unlearning.metrics.exact_memorization import ExactMemorization
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.extraction_strength import ExtractionStrength
from unlearning.metrics.membership_gradient import MembershipGradient
from unlearning.metrics.membership_loss import MembershipLoss
from unlearning.metrics.membership_min_k import MembershipMinK
from unlearning.metrics.membership_min_k_plus_plus import MembershipMinKPlusPlus
from unlearning.metrics.membership_zlib import MembershipZlib
from unlearning.metrics.probability import Probability
from unlearning.metrics.rouge_l import RougeL
from unlearning.models.base import REFERENCE
from unlearning.models.gradients import gradient_norms
from unlearning.models.load import Loaded
from unlearning.models.versions import open_versions

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


def published_rounding(model: PreTrainedModel, folder: Path, name: str) -> list[Positions]:
    """The same with log-probabilities of torch's cross entropy over dimension 1, as published.

    That kernel sums the vocabulary less exactly: losses of 0.03 are 2e-4 too large.
    """
    stored = np.load(folder / "model_tokens.npz")
    labels_BT = torch.from_numpy(stored[f"{name}_labels"])
    with torch.no_grad():
        logits_BTV = model(
            input_ids=torch.from_numpy(stored[f"{name}_input_ids"]),
            attention_mask=torch.from_numpy(stored[f"{name}_attention_mask"]).long(),
        ).logits
    loss_BS = torch.nn.functional.cross_entropy(
        logits_BTV[:, :-1].transpose(1, 2), labels_BT[:, 1:], reduction="none"
    )
    counted_BS = labels_BT[:, 1:] != -100
    return [
        replace(row, logp=-loss_S[counted_S].double().numpy())
        for row, loss_S, counted_S in zip(
            run(model, folder, name), loss_BS, counted_BS, strict=True
        )
    ]


def decoded(folder: Path, rows: list[Positions]) -> list[str]:
    tokenizer = AutoTokenizer.from_pretrained(folder / "model_full")
    return [tokenizer.decode(row.target, skip_special_tokens=True) for row in rows]


@pytest.mark.parametrize(
    ("attack", "name", "read"),
    [
        (MembershipLoss(), "mia_loss", published_rounding),
        (MembershipZlib(), "mia_zlib", published_rounding),
        (MembershipMinK(k=0.2), "mia_min_k", run),
        (MembershipMinK(), "mia_min_k_0.4", run),
        (MembershipMinKPlusPlus(k=0.2), "mia_min_k_plus_plus", run),
    ],
)
def test_membership_attacks(
    attack: MembershipAttack,
    name: str,
    read: Callable[[PreTrainedModel, Path, str], list[Positions]],
    model: PreTrainedModel,
    folder: Path,
    expected: Any,
) -> None:
    sets = {}
    for role in ("forget", "holdout"):
        rows = read(model, folder, role)
        sets[role] = replace(of_positions(*rows, role=role), texts=decoded(folder, rows))
        entry = expected[name][role]["value_by_index"]
        each = [one["score"] for one in entry.values()]
        assert attack.suspicion(sets[role]) == pytest.approx(each, rel=1e-4)
    score = attack.score(replace(sets["forget"], beside=sets))
    assert score.value == pytest.approx(expected[name]["auc"], rel=1e-12)


def test_membership_by_gradient(model: PreTrainedModel, folder: Path, expected: Any) -> None:
    versions = open_versions(loaded_as(model, folder), lora_rank=1)
    stored = np.load(folder / "model_tokens.npz")
    sets = {}
    for role in ("forget", "holdout"):
        rows = run(model, folder, role)
        ids = [
            row[mask.astype(bool)].tolist()
            for row, mask in zip(
                stored[f"{role}_input_ids"], stored[f"{role}_attention_mask"], strict=True
            )
        ]
        sets[role] = Evidence(
            role=role,
            examples=(),
            positions=rows,
            ids=ids,
            gradient_norms=gradient_norms(versions, REFERENCE),
        )
        entry = expected["mia_gradnorm"][role]["value_by_index"]
        each = [one["score"] for one in entry.values()]
        attack = MembershipGradient(texts=len(ids))
        assert attack.suspicion(sets[role]) == pytest.approx(each, rel=1e-4)
    score = attack.score(replace(sets["forget"], beside=sets))
    assert score.value == pytest.approx(expected["mia_gradnorm"]["auc"], rel=1e-12)


def loaded_as(model: PreTrainedModel, folder: Path) -> Loaded:
    return Loaded(
        model=copy.deepcopy(model),
        tokenizer=AutoTokenizer.from_pretrained(folder / "model_full"),
        name="trained",
        device=torch.device("cpu"),
        dtype=torch.float32,
        context_length=512,
        parameters=0,
        sha256="",
        chat=False,
    )


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
