"""Compare without a browser: what can stand on a side, what is asked, who sees which texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from dashboard.compare_form import CompareForm
from dashboard.identity import new_key
from dashboard.page import Page, Settings, Watched
from dashboard.side_choices import all_choices, named, other_runs, side_choices, strength_slider
from dashboard.tabs.compare import neighbours_of
from tests.dashboard.player import Player
from tests.dashboard.recorded import TEXTS, record
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore

OWNER, STRANGER = new_key(), new_key()


@pytest.fixture
def page(tmp_path: Path) -> Page:
    store = RunStore(tmp_path / "runs")
    with gr.Blocks():
        return Page(Scheduler(store, Player(store)), Settings(secret="s" * 24))


@pytest.fixture(scope="module")
def form() -> CompareForm:
    with gr.Blocks():
        return CompareForm()


def filled(form: CompareForm, **changes: Any) -> dict[Any, Any]:
    values = {component: component.value for component in form.inputs}
    return values | {getattr(form, name): value for name, value in changes.items()}


class TestChoices:
    def test_my_other_runs_stand_behind_the_open_one(self, page: Page) -> None:
        store = page.scheduler.store
        other, theirs = record(store, owner=OWNER), record(store, owner=STRANGER)
        run_id = record(store, owner=OWNER)
        watched = page.watched(run_id, OWNER)
        sides = [side for _, side in all_choices(watched, store, OWNER)]
        assert sides[: len(side_choices(watched))] == [s for _, s in side_choices(watched)]
        assert f"run:{other}" in sides and f"run:{other}@5" in sides and "demo-retain" in sides
        assert not any(theirs in side for side in sides), "runs of others are not listed"
        assert len(set(sides)) == len(sides)
        for side in sides:
            GenerateRequest(sides=(side,), prompts=("x",))

    def test_a_damaged_run_hides_no_other(self, page: Page) -> None:
        store = page.scheduler.store
        damaged, whole = record(store, owner=OWNER), record(store, owner=OWNER)
        path = store.folder(damaged) / "config.json"
        path.write_text(path.read_text().replace('"undial"', '"no such method"'))
        assert {side.partition("@")[0] for _, side in other_runs(store, OWNER)} == {f"run:{whole}"}

    def test_two_sides_even_before_the_first_snapshot(self) -> None:
        fresh = Watched(run_id="a" * 10, status="queued")
        assert len(side_choices(fresh)) >= 2

    def test_a_typed_model_is_called_by_its_name(self) -> None:
        assert named("demo", side_choices(Watched())) == "Demo model"
        assert named("some/model", []) == "some/model"


class TestRequest:
    def test_samples_are_the_same_prompt_once_more(self, form: CompareForm) -> None:
        values = filled(form, prompt="A", samples=3, temperature=0.7, top_p=0.9, seed=5)
        request = form.request(values)
        assert request.prompts == ("A",) * 3 and request.judge
        assert (request.temperature, request.top_p, request.seed) == (0.7, 0.9, 5)

    @pytest.mark.parametrize(("given", "asked"), [(0, 0.0), (1.5, 1.5), (None, 1.0)])
    def test_only_a_run_has_a_strength(self, form: CompareForm, given: Any, asked: float) -> None:
        values = filled(form, prompt="A")
        values |= dict(zip(form.sides, ("original:0123456789", "run:0123456789"), strict=True))
        values |= dict.fromkeys(form.strengths, given)
        assert form.request(values).strengths == (1.0, asked)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"prompt": " "}, "The prompt is empty"),
            ({"samples": 2}, "At temperature 0 every sample is the same"),
            ({"samples": 99, "temperature": 1}, "99 samples cannot be asked for"),
            ({"samples": None}, "None samples"),
            ({"top_p": 0}, "top_p = 0"),
        ],
    )
    def test_what_cannot_be_asked_is_said(
        self, form: CompareForm, changes: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(UserError, match=words):
            form.request(filled(form, **({"prompt": "A"} | changes)))


class TestStrength:
    def test_it_is_offered_where_there_is_an_adapter(self, page: Page) -> None:
        store = page.scheduler.store
        lora, full = record(store), record(store)
        store.change_config(full, lora_rank=0)
        shown = {
            side: strength_slider(store, side)
            for side in (f"run:{lora}@5", f"run:{full}", f"original:{lora}", "demo", None, "run:x")
        }
        assert [update["visible"] for update in shown.values()] == [True, True, *[False] * 4]
        assert "value" not in shown[f"run:{lora}@5"], "another step keeps the strength"
        assert not shown[f"run:{full}"]["interactive"]
        assert all(
            update["value"] == 1 for side, update in shown.items() if lora + "@" not in str(side)
        )


class TestNeighbours:
    def test_the_owner_gets_the_kept_text_and_a_watcher_the_pinned_prompts(
        self, page: Page
    ) -> None:
        run_id = record(page.scheduler.store, owner=OWNER)
        mine, questions = neighbours_of(page, page.watched(run_id, OWNER), "Tobin", False)
        assert TEXTS["retain"][0].text.startswith(mine[0].prompt) and not questions
        theirs, _ = neighbours_of(page, page.watched(run_id, STRANGER), "Tobin", False)
        pinned = page.scheduler.view(run_id).answers[0]
        assert {one.prompt for one in theirs} <= {a.prompt for a in pinned if a.role != "forget"}

    def test_without_a_run_it_says_where_to_get_one(self, page: Page) -> None:
        with pytest.raises(UserError, match="No run is open"):
            neighbours_of(page, Watched(), "x", False)
