"""ICU by hand: the loss, the list and how it changes, the end of the run, the published test."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from tests.methods.batches import LABELS_BT, MAKERS, MakePass, random_logits
from unlearning.methods import _similarity, icu
from unlearning.methods._similarity import bertscore_f1, bleu
from unlearning.methods.base import MethodState
from unlearning.methods.icu import ICU
from unlearning.models.passes import Batch, Pass


def log_softmax(row: list[float]) -> list[float]:
    total = math.log(sum(math.exp(x) for x in row))
    return [x - total for x in row]


def counted(logits_BTV: torch.Tensor) -> list[tuple[list[float], int]]:
    """Log-probabilities and label of every counted token, without the code under test."""
    return [
        (log_softmax(logits_BTV[b, t].tolist()), int(LABELS_BT[b, t + 1]))
        for b in range(len(LABELS_BT))
        for t in range(LABELS_BT.shape[1] - 1)
        if LABELS_BT[b, t + 1] != -100
    ]


def nll(logits_BTV: torch.Tensor) -> float:
    rows = counted(logits_BTV)
    return -sum(row[label] for row, label in rows) / len(rows)


def kl(original_BTV: torch.Tensor, student_BTV: torch.Tensor) -> float:
    pairs = list(zip(counted(original_BTV), counted(student_BTV), strict=True))
    return sum(
        math.exp(p) * (p - q)
        for (before, _), (now, _) in pairs
        for p, q in zip(before, now, strict=True)
    ) / len(pairs)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("alpha", "beta"), [(0.5, 1.0), (0.2, 3.0)])
def test_loss_by_hand(make: MakePass, alpha: float, beta: float) -> None:
    forget, alike, original = (random_logits(seed) for seed in (1, 2, 3))
    batch = Batch(
        forget=make(forget, LABELS_BT),
        analogous=make(alike, LABELS_BT),
        analogous_reference=make(original, LABELS_BT),
    )
    terms = ICU(alpha=alpha, beta=beta, retain_weight=0.0, generic_weight=0.0).loss(batch)
    by_hand = {
        "forget": -nll(forget),
        "look-alike": alpha * nll(alike),
        "divergence": beta * kl(original, alike),
    }
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(by_hand, rel=1e-10)


def test_gradients_are_exact() -> None:
    original = Pass(random_logits(5), LABELS_BT)

    def loss(forget: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        alike = Pass(kept, LABELS_BT)
        batch = Batch(
            forget=Pass(forget, LABELS_BT),
            analogous=alike,
            analogous_reference=original,
            retain=alike,
            generic=alike,
            generic_reference=original,
        )
        return sum(ICU(retain_weight=1.0, generic_weight=0.5).loss(batch).values())

    leaves = (random_logits(6).requires_grad_(), random_logits(7).requires_grad_())
    assert torch.autograd.gradcheck(loss, leaves)


class ByHand:
    """What the method may touch, with the accuracies of the forget texts written by hand."""

    def __init__(self, sizes: int, batch_size: int = 2, level: float | None = 0.5) -> None:
        self.step, self.forget_size, self.batch_size = 0, sizes, batch_size
        self.levels = {} if level is None else {"memorization_accuracy": level}
        self.now: list[float | None] = [1.0] * sizes
        self.written = [("", "")] * sizes
        self.asked = 0

    def recited(self, indices: Sequence[int]) -> list[float | None]:
        self.asked += 1
        return [self.now[i] for i in indices]

    def continued(self, indices: Sequence[int], tokens: int) -> list[tuple[str, str]]:
        return [self.written[i] for i in indices]

    def advance(self, method: ICU, state: MethodState, steps: int = 1) -> list[int]:
        """The engine's order: hooks see the number of steps done before this one."""
        for _ in range(steps):
            method.after_step(self, state, 1.0)
            self.step += 1
        return list(method.select(self, state))


def begun(setting: ByHand, **chosen: object) -> tuple[ICU, MethodState]:
    method = ICU(**{"refine_every": 0, **chosen})
    return method, method.prepare(setting)


def test_texts_leave_at_the_level_after_each_epoch_and_come_back() -> None:
    setting = ByHand(4, batch_size=2)
    method, state = begun(setting)
    setting.now = [0.9, 0.5, 0.51, 0.1]
    assert setting.advance(method, state) == [0, 1, 2, 3]  # the epoch is two steps long
    assert setting.advance(method, state) == [0, 2]  # at the level is no better than unseen
    assert method.report(setting, state) == {"samples_remaining": 2, "samples_returned": 0}
    setting.now = [0.4, 0.6, 0.8, 0.1]
    assert setting.advance(method, state) == [1, 2]  # with two texts an epoch is one step
    assert method.report(setting, state) == {"samples_remaining": 2, "samples_returned": 1}
    assert state.values["changes"] == [
        {"step": 2, "left": [1, 3], "back": []},
        {"step": 3, "left": [0], "back": [1]},
    ]


def test_a_text_with_nothing_to_recite_leaves() -> None:
    setting = ByHand(2, batch_size=2)
    method, state = begun(setting)
    setting.now = [None, 1.0]
    assert setting.advance(method, state) == [1]


def test_tests_come_as_often_as_chosen_or_once_an_epoch() -> None:
    for every, tests in [(3, 3), (1, 9), (10, 0), (0, 4)]:
        setting = ByHand(4)
        setting.advance(*begun(setting, refine_every=every), 9)
        assert setting.asked == tests


def test_a_skipped_step_delays_the_test_but_does_not_lose_it() -> None:
    setting = ByHand(4)
    method, state = begun(setting, refine_every=3)
    setting.now = [0.0] * 4
    setting.step = 3  # the third step was not finite: no hook was called
    assert setting.advance(method, state) == []


def test_levels_are_those_chosen_then_measured_then_published() -> None:
    setting = ByHand(3, batch_size=3, level=0.5)
    setting.now = [0.45, 0.55, 0.65]
    assert setting.advance(*begun(setting)) == [1, 2]
    assert setting.advance(*begun(setting, accuracy_level=0.6)) == [2]
    setting.levels = {}
    assert setting.advance(*begun(setting, accuracy_level=None)) == [2]
    _, state = begun(setting)
    assert state.values["levels"] == icu.PUBLISHED


def test_the_run_ends_with_an_empty_list_or_at_both_levels() -> None:
    setting = ByHand(2)
    method, state = begun(setting, extraction_level=0.1)
    accuracy = {"memorization_accuracy": {"forget": 0.5, "retain": 0.9}}
    assert method.stop(state, {}) is None
    assert method.stop(state, accuracy) is None
    assert method.stop(state, {**accuracy, "extraction_likelihood": {"forget": 0.2}}) is None
    both = {**accuracy, "extraction_likelihood": {"forget": 0.1}}
    assert "at the level" in method.stop(state, both)
    setting.now = [0.2, 0.2]
    assert setting.advance(method, state) == []
    assert "No text is left" in method.stop(state, {})


def test_state_goes_through_json() -> None:
    setting = ByHand(4)
    method, state = begun(setting)
    setting.now = [0.9, 0.1, 0.9, 0.9]
    setting.advance(method, state, 2)
    saved = json.loads(json.dumps(state.state_dict()["values"]))
    setting.advance(method, state, 4)
    fresh = method.prepare(setting)
    fresh.load_state_dict({"values": saved, "tensors": {}})
    assert fresh.values["listed"] == [0, 2, 3]
    assert fresh.values["next_test"] == 4
    assert len(fresh.values["changes"]) == 1


TRUE = "the heron stood by the slow river at dawn"


def test_bleu_is_that_of_whole_four_word_runs() -> None:
    assert bleu(TRUE, TRUE) == pytest.approx(1.0)
    # Precisions 5/8, 4/7, 3/6, 2/5; written is 8 words against 9: brevity exp(1 - 9/8).
    written = "the heron stood by the fast motor car"
    product = 5 / 8 * 4 / 7 * 3 / 6 * 2 / 5
    assert bleu(written, TRUE) == pytest.approx(product**0.25 * math.exp(1 - 9 / 8))
    assert bleu("the heron stood near the slow dawn", TRUE) < 1e-50
    assert bleu("", TRUE) == 0.0
    assert bleu("THE HERON stood, by the slow river at dawn", TRUE) > 0.5


def test_the_published_test_drops_what_is_no_longer_written(monkeypatch) -> None:
    monkeypatch.setattr(icu, "bert_is_here", lambda: False)
    setting = ByHand(3, batch_size=3)
    setting.written = [(TRUE, TRUE), ("a kite rose over the harbour", TRUE), ("", TRUE)]
    method, state = begun(setting, test="written")
    assert "BLEU alone" in method.notices()[0]
    assert setting.advance(method, state) == [0]
    assert setting.asked == 0
    assert ICU().notices() == []


def test_either_score_drops_a_text(monkeypatch) -> None:
    monkeypatch.setattr(icu, "bert_is_here", lambda: True)
    monkeypatch.setattr(icu, "bertscore_f1", lambda written, reference: 0.29)
    setting = ByHand(1, batch_size=1)
    setting.written = [(TRUE, TRUE)]
    method, state = begun(setting, test="written", a=0.2)
    assert method.notices() == []
    assert setting.advance(method, state) == [0]
    assert setting.advance(*begun(setting, test="written", a=0.3)) == []


def test_bertscore_matches_each_token_with_its_nearest(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(TRUE.split())), "kite"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    bert = BertModel(BertConfig(vocab_size=len(words), intermediate_size=16, **shape)).eval()
    bert.save_pretrained(tmp_path)
    folder = str(tmp_path)
    assert bertscore_f1(TRUE, TRUE, folder) == pytest.approx(1.0, abs=1e-5)
    assert bertscore_f1("", TRUE, folder) == 0.0
    ours, theirs = (_similarity._states(text, folder) for text in ("kite kite", TRUE))
    assert len(ours) == 2
    assert len(theirs) == len(TRUE.split())
    cosines = [[float(a @ b) for b in theirs] for a in ours]
    precision = sum(max(row) for row in cosines) / len(ours)
    recall = sum(max(row[j] for row in cosines) for j in range(len(theirs))) / len(theirs)
    expected = 2 * precision * recall / (precision + recall)
    assert bertscore_f1("kite kite", TRUE, folder) == pytest.approx(expected, abs=1e-5)
