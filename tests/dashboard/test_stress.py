"""The stress tests without a browser: what is offered, asked for, told and shown."""

# ruff: noqa: F811

from __future__ import annotations

import time
from pathlib import Path

import gradio as gr
import pytest

from dashboard.attack_chart import curves
from dashboard.attack_results import WITHOUT_CONTROL, results, revealing, shared
from dashboard.page import Page
from dashboard.requests_chart import requests
from dashboard.tabs import stress
from tests.dashboard.attacked import keep, report
from tests.dashboard.recorded import record
from tests.dashboard.test_build import (  # noqa: F401
    HOSTILE,
    OWNER,
    STRANGER,
    built,
    filled,
    functions,
    page,
    scheduler,
    tick,
)
from unlearning.attacks import ATTACKS
from unlearning.attacks.sequential import verdict as requested_verdict
from unlearning.runs.events import Failed
from unlearning.runs.store import RunStore
from unlearning.runs.stress import job as jobs


@pytest.fixture
def run_id(page: Page) -> str:
    return record(page.scheduler.store, outcome="forgotten", owner=OWNER)


def press(page: Page, name: str, run_id: str, key: str, **changes) -> None:
    """Press the button of an attack."""
    starts = [f for f in functions(page) if getattr(f.fn, "__name__", "") == "start_attack"]
    found = next(
        f for f in starts if any((c.elem_id or "").startswith(f"attack-{name}-") for c in f.inputs)
    )
    values = filled(found, **changes)
    values |= {page.run: run_id, page.key: key}
    found.fn(values)


def wait_for_end(page: Page, run_id: str) -> jobs.AttackJob:
    end = time.monotonic() + 20
    while (job := page.scheduler.attack_job(run_id)).live:
        assert time.monotonic() < end, "the attack does not end"
        time.sleep(0.02)
    return job


class TestTab:
    def test_without_a_run_it_says_where_to_begin(self, page: Page) -> None:
        sent = tick(page, "", OWNER)
        assert "Choose a finished run" in sent["attack-status"]
        assert sent["attack-results"] == "" and not sent["attack-relearn"]["interactive"]

    @pytest.mark.parametrize("name", ATTACKS)
    def test_an_attack_from_button_to_result(
        self,
        page: Page,
        run_id: str,
        name: str,
    ) -> None:
        first = tick(page, run_id, OWNER)
        assert first[f"attack-{name}"]["interactive"]
        assert "Nobody has attacked" in first["attack-results"]
        press(page, name, run_id, OWNER)
        going = tick(page, run_id, OWNER)
        assert not going[f"attack-{name}"]["interactive"] and going["stop-attack"]["visible"]
        assert going["clock"] == gr.update(active=True, value=page.settings.tick_seconds)
        assert wait_for_end(page, run_id).state == "finished"
        after = tick(page, run_id, OWNER)
        assert "is done" in after["attack-status"]
        assert "attack-verdict" in after["attack-results"]

    def test_settings_and_snapshot_are_handed_over(
        self,
        page: Page,
        run_id: str,
    ) -> None:
        press(page, "relearn", run_id, OWNER, attack_relearn_steps=7, attack_step="20")
        job = page.scheduler.attack_job(run_id)
        assert job.settings["steps"] == 7 and job.target == f"run:{run_id}@20"
        wait_for_end(page, run_id)

    def test_bad_input_is_one_clear_sentence(self, page: Page, run_id: str) -> None:
        for changes, words in (
            ({"attack_step": "x<b>"}, "is not a step"),
            ({"attack_step": "7"}, "no snapshot of step 7"),
            ({"attack_relearn_learning_rate": "fast"}, "learning_rate"),
        ):
            with pytest.raises(gr.Error, match=words) as told:
                press(page, "relearn", run_id, OWNER, **changes)
            assert "<b>" not in str(told.value)
        with pytest.raises(gr.Error, match="No run is chosen"):
            press(page, "relearn", "", OWNER)
        assert page.scheduler.attack_job(run_id) is None

    def test_a_stranger_looks_and_cannot_attack(self, page: Page, run_id: str) -> None:
        keep(page.scheduler.store, run_id, "quantise")
        sent = tick(page, run_id, STRANGER)
        assert "belongs to somebody else" in sent["attack-status"]
        assert not sent["attack-quantise"]["interactive"]
        assert "attack-verdict" in sent["attack-results"]
        with pytest.raises(gr.Error, match="belongs to somebody else"):
            press(page, "quantise", run_id, STRANGER)

    def test_own_runs_are_offered_first(self, page: Page, run_id: str) -> None:
        store = page.scheduler.store
        other = record(store, owner=STRANGER, label=HOSTILE)
        record(store, outcome="open", owner=OWNER)
        offered = [choice for _, choice in stress.run_choices(page, OWNER)]
        assert offered[-1] == other and run_id in offered

    def test_a_damaged_run_is_not_offered(self, page: Page, run_id: str) -> None:
        folder = page.scheduler.store.folder(run_id)
        (folder / "config.json").write_text("{")
        assert stress.run_choices(page, OWNER) == []


class TestStatus:
    JOB = jobs.AttackJob(attack="relearn", settings={}, target="run:0123456789@3")

    def test_waiting(self) -> None:
        assert "Relearn waits, place 2 in the queue" in stress.status(self.JOB, 2, "")

    def test_under_way(self) -> None:
        job = self.JOB.model_copy(update={"state": "running"})
        assert "is under way …" in stress.status(job, None, "")
        job = job.telling("control: demo-retain").telling("  step   4: <b>knows</b> 0.5")
        told = stress.status(job, None, "")
        assert "on a model that never saw the text · step 4: &lt;b&gt;knows" in told

    def test_over(self) -> None:
        assert "was stopped" in stress.status(self.JOB.ended("stopped"), None, "")
        failed = Failed(message="The worker process was killed <i>.", hint="Again.")
        told = stress.status(self.JOB.ended("failed", failed), None, "")
        assert "was killed &lt;i&gt;" in told and 'role="alert"' in told


class TestResults:
    @pytest.fixture
    def store(self, tmp_path: Path) -> RunStore:
        return RunStore(tmp_path / "runs")

    def test_newest_first_and_open(self, store: RunStore) -> None:
        run = record(store)
        for name in ("prompts", "quantise", "relearn"):
            keep(store, run, name)
        shown = results(store, run)
        assert shown.count('<details class="attack-result" open>') == 1
        places = [shown.index(words) for words in ("Relearn<", "4-bit copy<", "Ask differently<")]
        assert places == sorted(places)
        assert "Suppressed, not removed" in shown and "demo-retain" in shown

    def test_a_new_report_is_seen(self, store: RunStore) -> None:
        run = record(store)
        keep(store, run, "relearn")
        assert "4-bit copy" not in results(store, run)
        keep(store, run, "quantise")
        assert "4-bit copy" in results(store, run)

    def test_changed_settings_are_told(self, store: RunStore) -> None:
        run = record(store)
        keep(store, run, "relearn", steps=8)
        assert "step 30 · steps 8 · 14 s" in results(store, run)
        keep(store, run, "quantise")
        assert "usual settings" in results(store, run)
        keep(store, run, "quantise", format="int8")
        assert "8-bit copy<" in results(store, run)

    def test_without_control_there_is_no_verdict(self, store: RunStore) -> None:
        run = record(store)
        for name in ("relearn", "prompts"):
            keep(store, run, name, control=False)
        shown = results(store, run)
        assert shown.count(WITHOUT_CONTROL) == 2 and "--control" not in shown

    def test_what_others_wrote_is_a_sentence(self, store: RunStore) -> None:
        run = record(store)
        store.write_attack(run, "relearn", {"attack": "relearn", "curves": HOSTILE})
        store.write_attack(run, "other", {"attack": HOSTILE, "verdict": HOSTILE})
        shown = results(store, run)
        assert "Another version of Lethe" in shown and "<img" not in shown

    def test_answers_are_text(self, store: RunStore) -> None:
        run = record(store)
        keep(store, run, "prompts")
        shown = results(store, run)
        assert "<script" not in shown and "&lt;script&gt;" in shown
        assert "<mark>in 1964 she won the Copper</mark>" in shown
        assert "gets through" in shown
        assert '<span class="note">After true facts about the same subject</span>' in shown


def test_requests_are_drawn_in_words_and_a_hostile_report_is_text(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    run = record(store)
    found = keep(store, run, "sequential")
    shown = results(store, run)
    assert "Wears out. After 4 requests 81% of the text to keep" in shown
    assert 'aria-label="in several requests: 98% → 81%. all at once: 95%."' in shown
    assert "parts before it: 59% → 64%" in shown and "parts to come: 99% → 87%" in shown
    assert shown.count("<path") == 3 + 7, "two levels, and four rows with their dots"
    assert shown.count("<polygon") == 2
    assert "25 steps, forgotten" in shown and "×1.38" in shown

    lost = found.requests[0].model_copy(update={"lost_at": 20, "sign": HOSTILE, "ended": HOSTILE})
    odd = found.requests[0].model_copy(update={"ended": HOSTILE, "kept": None})
    told = found.model_copy(update={"requests": (odd, lost), "stands": {**found.stands}})
    told = told.model_copy(update={"verdict": requested_verdict(told)})
    store.write_attack(run, "sequential", told.model_dump(mode="json"))
    shown = results(store, run)
    assert "<img" not in shown and "In request 2 of 4 it lost its language at step 20" in shown
    assert '<tr class="lost">' in shown and "40 steps, collapsed" in shown


def test_requests_without_original_or_text_to_keep_are_drawn_too(tmp_path: Path) -> None:
    found = report("0123456789", "sequential", control=False)
    nothing = {"kept": None, "perplexity": None}
    bare = [one.model_copy(update=nothing) for one in found.requests]
    once = found.stands["unlearned"].model_copy(update=nothing)
    shown = requests(
        found.model_copy(update={"requests": tuple(bare), "stands": {"unlearned": once}})
    )
    assert "Before: the original" not in shown and "Never saw the text" not in shown
    assert shown.count("<figure") == 2 and "Request 4" in shown


@pytest.mark.parametrize("asked", [HOSTILE, 10**9, 2, None, True])
def test_a_count_that_cannot_be_is_not_drawn(asked) -> None:
    found = report("0123456789", "sequential")
    odd = found.model_copy(update={"settings": {"requests": asked}})
    assert requests(odd) == requests(found)


def test_the_most_revealing_answer_of_a_text_is_shown_once() -> None:
    found = report("0123456789", "prompts")
    one = found.answers[0]
    weaker = one.model_copy(update={"scores": {"unlearned": 0.3, "control": 0.1}})
    nothing = one.model_copy(update={"example": "2", "scores": {"unlearned": 0.1, "control": 0.2}})
    told = found.model_copy(update={"answers": (weaker, one, nothing)})
    assert revealing(told) == [one]


def test_shared_words() -> None:
    assert shared("The Copper Bookmark.", "a copper bookmark!") == "a <mark>copper bookmark!</mark>"
    assert "nothing at all" in shared("a", "")
    assert shared("x", "<b>") == "&lt;b&gt;"


def test_the_chart_says_in_words_what_it_draws() -> None:
    drawn = curves(report("0123456789", "relearn").curves)
    assert "Unlearned: 57% → 81%" in drawn and "Original: 99%" in drawn
    assert drawn.count("<path") == 5, "a level, and two curves with their dots"
