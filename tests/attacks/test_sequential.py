"""Requests in a row: the verdict on made-up figures, and small rows on a tiny model."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import TEXTS, make, settings
from unlearning.attacks.base import NO_ORIGINAL
from unlearning.attacks.sequential import (
    NOT_AT_ONCE,
    NOTHING_KEPT,
    Request,
    Requested,
    Sequential,
    Stand,
    verdict,
)
from unlearning.errors import UserError
from unlearning.models.fingerprint import hash_weights
from unlearning.runs.collapse import Detector
from unlearning.runs.engine import Engine
from unlearning.runs.events import Health, ScoreValue
from unlearning.runs.limits import Limits
from unlearning.runs.store import RunStore
from unlearning.runs.stress.apart import apart
from unlearning.runs.stress.execute import Target, carry_out
from unlearning.runs.stress.ground import Ground
from unlearning.runs.stress.job import APART, end, steps_of, sweep_apart
from unlearning.workers.presence import CLAIM, own_mark


def value(number: float, low: float | None = None) -> ScoreValue:
    return ScoreValue(value=number, low=low, high=None if low is None else 1.0)


def found(kept: float = 0.95, perplexity: float = 11.0, **changes) -> Requested:
    """Two requests after which so much is known; at once 0.96 and 10.5, the original 0.98, 10."""
    request = Request(
        texts=2,
        steps=5,
        asked=value(0.5),
        earlier=None,
        to_come=None,
        kept=value(kept),
        perplexity=value(perplexity),
    )
    stand = {"kept": value(0.96), "perplexity": value(10.5)}
    settled = {
        "attack": "sequential",
        "settings": {"requests": 2},
        "models": {"unlearned": "run:0123456789"},
        "texts": {},
        "verdict": "",
        "requests": (request, request),
        "stands": {
            "original": Stand(forget=value(0.99), kept=value(0.98), perplexity=value(10.0)),
            "unlearned": Stand(forget=value(0.55), **stand),
        },
    }
    return Requested(**{**settled, **changes})


TOLD = (
    "After 2 requests {} of the text to keep is known, and general text is {} times as surprising "
    "as to the original (when forgotten at once 96% and 1.05)."
)


def test_it_lasts_where_nothing_goes_wrong() -> None:
    assert verdict(found()) == f"Lasts. {TOLD.format('95%', '1.10')}"
    # Less of what is kept, but not surely; surely, but too little.
    for worn in (value(0.2, -0.01), value(0.04, 0.01)):
        assert verdict(found(worn=worn)).startswith("Lasts.")


def test_the_verdict_follows_the_rule() -> None:
    assert verdict(found(0.8, worn=value(0.16, 0.02))).startswith("Wears out. After 2 requests")
    assert verdict(found(perplexity=14.6)).startswith("Lasts.")
    assert verdict(found(perplexity=14.7)) == f"Wears out. {TOLD.format('95%', '1.47')}"
    assert verdict(found(perplexity=20.0)) == f"Destroyed. {TOLD.format('95%', '2.00')}"
    assert verdict(found(0.98 * 0.55 - 0.001)).startswith("Destroyed.")
    back = {"recovery": 0.25, "returned": value(0.1, 0.01)}
    assert verdict(found(**back)).startswith(
        "Does not stay gone: of what the earlier requests took away 25% is known again in the end."
    )
    assert verdict(found(recovery=0.24, returned=value(0.1, 0.01))).startswith("Lasts.")
    assert verdict(found(recovery=0.9, returned=value(0.1, -0.01))).startswith("Lasts.")
    less = {"shortfall": value(0.05, 0.01)}
    assert verdict(found(**less)).startswith("Forgets less: right after its request")
    both = verdict(found(0.8, worn=value(0.16, 0.02), **back, **less))
    places = [both.index(word) for word in ("Wears out.", "Does not", "Forgets less", "After 2")]
    assert places == sorted(places)


def test_a_collapse_ends_it_and_is_told() -> None:
    base = found()
    lost = base.requests[0].model_copy(update={"lost_at": 4, "sign": "54% repeat themselves"})
    told = "Destroyed. In request 1 of 2 it lost its language at step 4 (54% repeat themselves). "
    ended = found(requests=(lost,))
    assert verdict(ended) == f"{told}Forgotten at once, 96% of the text to keep is known."
    assert verdict(found(requests=(lost,), lost_at_once=True)).endswith("forgotten at once.")


def test_what_tells_nothing_has_no_verdict() -> None:
    stands = found().stands
    assert verdict(found(stands={"unlearned": stands["unlearned"]})) == NO_ORIGINAL
    bare = found().requests[0].model_copy(update={"kept": None})
    assert verdict(found(requests=(bare,))) == NOTHING_KEPT
    same = stands["unlearned"].model_copy(update={"forget": value(0.95)})
    assert verdict(found(stands={**stands, "unlearned": same})) == NOT_AT_ONCE


QUICK = Sequential(requests=2, texts=4)


@pytest.fixture
def rows(monkeypatch):
    """Every engine that an attack makes, with the hash of its weights before the first step."""
    seen = []

    class Watched(Engine):
        def events(self, **how):
            seen.append(self)
            for event in super().events(**how):
                if event.kind == "probed" and event.step == 0:
                    self.before = hash_weights(self.versions.state("student").items())
                    self.copied = self.store.folder(self.run_id)
                if event.kind == "ended" and self.versions is not None:
                    self.left = hash_weights(self.versions.state("student").items())
                yield event

    monkeypatch.setattr("unlearning.runs.stress.apart.Engine", Watched)
    return seen


def test_every_request_starts_from_the_weights_before(store, run, control, rows) -> None:
    target = Target(f"run:{run}", control=str(control))
    ids = store.ids()
    report = carry_out(store, QUICK, target, device="cpu")
    first, second = rows
    assert first.config.model == f"run:{run}@0" and first.before != first.left
    assert second.config.model == f"run:{first.run_id}" and second.before == first.left
    parts = [engine.ground.sets["forget"].examples for engine in rows]
    assert sorted(e.id for part in parts for e in part) == sorted(e.id for e in TEXTS["forget"])
    assert [one.steps for one in report.requests] == [2, 2]
    assert report.requests[0].earlier is None and report.requests[1].to_come is None
    assert report.requests[1].earlier.n == 4 and report.worn.n == 4
    assert set(report.stands) == {"original", "control", "unlearned"}
    assert report.times(report.stands["original"]) == 1.0
    assert report.verdict == verdict(report)
    # Its own runs are nobody's, and gone.
    assert store.ids() == ids and not first.copied.exists()
    assert list((store.folder(run) / "attacks").glob(f"{APART}*")) == []

    again = carry_out(store, QUICK, target, device="cpu")
    assert again.model_copy(update={"seconds": report.seconds}) == report
    other = carry_out(store, Sequential(requests=2, texts=4, seed=5), target, device="cpu")
    assert other.requests != report.requests


def test_a_run_of_all_parameters_that_was_taught_first(store, tiny, rows) -> None:
    taught = settings(
        tiny, lora_rank=0, learning_rate=1e-3, teach_first=True, teach_steps=6, steps=1
    )
    run_id = make(store, taught)
    report = carry_out(store, QUICK, Target(f"run:{run_id}"), device="cpu")
    assert report.models["control"] == str(tiny)
    assert rows[1].before == rows[0].left
    assert all(engine.config.retrained == str(tiny) for engine in rows)
    assert not any(engine.config.teach_first for engine in rows)


def test_a_collapse_ends_the_row(store, run, monkeypatch) -> None:
    judge, looks = Detector.judge, []

    def ill(self, look, finite=True):
        judge(self, look, finite)
        looks.append(look)
        return Health(meter=1.0, signs=("<i>all of it</i> repeats itself",)), len(looks) == 2

    monkeypatch.setattr(Detector, "judge", ill)
    three = Sequential(requests=3, texts=4)
    report = carry_out(store, three, Target(f"run:{run}"), device="cpu")
    assert [one.lost_at for one in report.requests] == [None, 2]
    assert "In request 2 of 3 it lost its language at step 2" in report.verdict
    assert report.requests[1].to_come is not None


@pytest.mark.parametrize(
    ("heard", "begun"), [("request 2 of 2, step 0", 2), ("the same text, part by part", 1)]
)
def test_a_stop_amid_a_request_leaves_nothing(store, run, rows, heard, begun) -> None:
    told: list[str] = []
    kept = store.attacks(run)
    report = carry_out(
        store,
        QUICK,
        Target(f"run:{run}"),
        device="cpu",
        tell=told.append,
        stop=lambda: any(heard in line for line in told),
    )
    assert report is None and store.attacks(run) == kept and len(rows) == begun
    assert heard in told[-1]
    assert list((store.folder(run) / "attacks").glob(f"{APART}*")) == []


def test_what_a_killed_worker_left_is_erased_and_what_is_in_use_is_not(store, run) -> None:
    left = store.folder(run) / "attacks" / f"{APART}dead"
    for clean in (lambda: sweep_apart(store), lambda: end(store, run, "failed")):
        left.mkdir(parents=True)
        dead = own_mark().model_copy(update={"born": 1.0})
        (left / CLAIM).write_text(dead.model_dump_json())
        with apart(store, run) as own:
            assert not left.exists()
            left.mkdir()
            clean()
            assert own.path.is_dir() and not left.exists()
            assert own.config(run) == store.config(run) and own.ids() == []
        assert not own.path.exists()


def test_how_many_steps_a_request_takes(store, tiny) -> None:
    run_id = make(store, settings(tiny, steps=4))
    assert steps_of(store, f"run:{run_id}") == steps_of(store, f"run:{run_id}@4") == 4
    assert steps_of(store, f"run:{run_id}@2") == 2
    Limits(max_steps=8).check_training(QUICK, 4)
    with pytest.raises(UserError, match="12 training steps are asked for in all; 8 are allowed"):
        Limits(max_steps=8).check_training(Sequential(requests=3), 4)


@pytest.mark.parametrize(
    ("changes", "requests", "words"),
    [
        ({"step": "@0"}, 2, "Nothing was forgotten at step 0"),
        ({"forget": "preset:world/forget"}, 2, "another text is named"),
        ({}, 8, "too few passages for 8 parts"),
    ],
)
def test_what_cannot_be_repeated(store, run, changes, requests, words) -> None:
    target = Target(f"run:{run}{changes.get('step', '')}", forget=changes.get("forget", ""))
    with pytest.raises(UserError, match=words):
        carry_out(store, Sequential(requests=requests), target, device="cpu")


def test_a_model_that_is_no_run(store: RunStore, tiny) -> None:
    from unlearning.runs.stress import sequential  # noqa: PLC0415 (loads torch)

    with pytest.raises(UserError, match="not one of a run"):
        sequential.carry_out(QUICK, Ground(store, {"unlearned": str(tiny)}, TEXTS))
