"""Check first: what the model knows, what the run costs, and the sentence about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.models.tiny import build_model, build_tokenizer, write_folder
from tests.runs.conftest import TEXTS
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.data.encode import encode
from unlearning.errors import UserError
from unlearning.runs import checking, pricing
from unlearning.runs.check import SAMPLED, UNSEEN, CheckReport, CheckRequest, verdict
from unlearning.runs.checking import check
from unlearning.runs.store import RunStore

Short = Callable[..., RunConfig]
MEASURED = {"step_seconds", "seconds", "teach_seconds", "free"}


def report_of(store: RunStore, request: CheckRequest) -> CheckReport:
    *told, last = check(store, request, device="cpu")
    assert [one.kind for one in told] == ["told"] * len(told) and last.kind == "checked"
    return last.report


def test_a_check_measures_what_a_run_would_measure(store: RunStore, short: Short) -> None:
    config = short()
    report = report_of(store, CheckRequest.of(config, TEXTS))
    tokenizer = build_tokenizer()
    encoded = encode(TEXTS["forget"], tokenizer, max_length=config.max_length)
    assert report.sequences == len(encoded)
    assert report.tokens == sum(len(one.ids) - one.labels_from for one in encoded)
    assert report.level_from == "holdout" and 0 <= report.level <= 1
    assert 0 <= report.recited <= 1 and 0 <= report.extracted <= 1
    assert len(report.passages) == len(encoded)
    assert [p.recited for p in report.passages] == sorted(
        (p.recited for p in report.passages), reverse=True
    )
    shares = [p.recited for p in report.passages]
    assert report.recited == pytest.approx(sum(shares) / len(shares))
    assert report.device == "cpu" and report.dtype == "float32" and report.steps == 6
    assert report.fits and 0 < report.needed < report.free
    assert 0 < report.step_seconds <= report.seconds


def test_nothing_is_trained_and_a_second_check_says_the_same(store: RunStore, short: Short) -> None:
    state = torch.random.get_rng_state()
    request = CheckRequest.of(short(), TEXTS)
    first, second = report_of(store, request), report_of(store, request)
    assert first.model_dump(exclude=MEASURED) == second.model_dump(exclude=MEASURED)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert store.ids() == []


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that was trained on the first forget passage until it knew it by heart."""
    folder = write_folder(tmp_path_factory.mktemp("learnt") / "tiny")
    ids = torch.tensor([build_tokenizer()(TEXTS["forget"][0].text)["input_ids"]])
    model = build_model().train().requires_grad_(True)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(120):
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    return folder


def test_text_that_was_learnt_is_known_and_other_text_is_not(
    store: RunStore, learnt: Path, short: Short
) -> None:
    config = short(model=str(learnt), max_length=96)
    known = report_of(store, CheckRequest.of(config, {**TEXTS, "forget": TEXTS["forget"][:1]}))
    other = report_of(store, CheckRequest.of(config, {**TEXTS, "forget": TEXTS["retain"]}))
    assert known.verdict == "known" and known.recited > 0.9 > known.level
    assert known.extracted > other.extracted
    assert other.verdict == "unknown" and "Teach it first" in verdict(other)


@pytest.mark.parametrize("method", ["gradient_ascent", "icu", "mean_teacher", "dpo", "whp", "rmu"])
def test_every_kind_of_method_has_its_price(store: RunStore, short: Short, method: str) -> None:
    config = short(method=method, teach_first=True)
    report = report_of(store, CheckRequest.of(config, {"forget": TEXTS["forget"]}))
    assert report.step_seconds > 0 and report.teach_seconds > 0
    assert report.level_from == "invented"


def test_all_parameters_can_be_checked(store: RunStore, short: Short) -> None:
    report = report_of(store, CheckRequest.of(short(lora_rank=0), TEXTS))
    assert report.recited is not None and report.fits


def test_a_dearer_method_takes_longer(store: RunStore, short: Short) -> None:
    alone = report_of(store, CheckRequest.of(short(method="gradient_ascent"), TEXTS))
    dear = report_of(store, CheckRequest.of(short(method="undial"), TEXTS))
    assert dear.step_seconds > 0.5 * alone.step_seconds
    assert dear.needed >= alone.needed


def test_what_does_not_fit_is_told_and_not_tried_out(
    store: RunStore, short: Short, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    class Watched(pricing.Loop):
        def __init__(self, *given: object, batch_size: int, **more: object) -> None:
            tried.append(batch_size)
            super().__init__(*given, batch_size=batch_size, **more)

    monkeypatch.setattr(pricing, "Loop", Watched)
    monkeypatch.setattr(checking, "free_memory", lambda device: 10**6)
    report = report_of(store, CheckRequest.of(short(), TEXTS))
    assert not report.fits and report.needed > report.free == 10**6
    assert tried == [1] and report.step_seconds > 0


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_stop_ends_it_without_a_report(store: RunStore, short: Short, after: int) -> None:
    told: list[str] = []
    for delta in check(
        store, CheckRequest.of(short(), TEXTS), device="cpu", stop=lambda: len(told) >= after
    ):
        told.append(delta.kind)
    assert "checked" not in told or after > 3


def test_a_model_that_is_not_there_is_one_sentence(store: RunStore, short: Short) -> None:
    request = CheckRequest.of(short(model="run:0123456789"), TEXTS)
    with pytest.raises(UserError, match="There is no run"):
        list(check(store, request, device="cpu"))


def test_a_request_outlives_the_mailbox_and_stays_small() -> None:
    many = [Example(id=str(i), text=f"text number {i} of many") for i in range(500)]
    request = CheckRequest.of(RunConfig(), {"forget": many, "retain": many, "generic": many})
    assert len(request.texts["forget"]) == 500
    assert len(request.texts["retain"]) == len(request.texts["generic"]) == SAMPLED
    assert request.unseen == "invented" and request.texts["holdout"]
    again = CheckRequest.model_validate(json.loads(request.model_dump_json()))
    assert again == request
    unseen = CheckRequest.of(RunConfig(forget=UNSEEN), {"forget": many})
    assert unseen.unseen == "assumed" and "holdout" not in unseen.texts


def example_report(**changes: object) -> CheckReport:
    values = {
        "tokens": 48, "sequences": 1, "recited": 0.81, "extracted": 0.5, "level": 0.3,
        "level_from": "holdout", "parameters": 10, "device": "cpu", "dtype": "float32",
        "steps": 40, "step_seconds": 0.5, "seconds": 25.0, "needed": 10, "free": 100, "fits": True,
    }  # fmt: skip
    return CheckReport(**{**values, **changes})


@pytest.mark.parametrize(
    ("recited", "level", "found", "words"),
    [
        (0.81, 0.3, "known", "recites 81% of this text"),
        (1.0, 1.0, "unknown", "Teach it first"),
        (0.5, 0.3, "partly", "knows parts"),
        (0.31, 0.3, "unknown", "does not know this text"),
        (0.1, 0.3, "unknown", "does not know this text"),
        (None, 0.3, "unmeasured", "too short"),
    ],
)
def test_the_verdict_is_measured_from_unseen_text(
    recited: float | None, level: float, found: str, words: str
) -> None:
    report = example_report(recited=recited, level=level)
    assert report.verdict == found
    assert words in verdict(report)
