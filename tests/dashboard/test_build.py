"""The page without a browser: what is built, who sees what, and what a tick sends."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from dashboard import Settings, api, build, launch_options
from dashboard.answer_panel import panel
from dashboard.compare_form import CompareForm
from dashboard.going_on import can_go_on
from dashboard.identity import is_key, new_key, secret_of
from dashboard.model_choice import model_card
from dashboard.page import IDLE_SECONDS, Page, Watched
from dashboard.run_details import about_run
from dashboard.run_rows import command, rows
from dashboard.side_by_side import Writing, frames
from dashboard.side_choices import side_choices
from dashboard.sidebar import stop_button
from dashboard.tabs import TABS
from tests.dashboard.player import Player, held
from tests.dashboard.pressing import Handler, handler_of
from tests.dashboard.recorded import record
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.models.locate import EMBEDDED_FOLDER
from unlearning.models.memory import describe
from unlearning.runs.prepare import gather_texts
from unlearning.runs.requests import Delta, GenerateRequest
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore

OWNER, STRANGER = new_key(), new_key()
TEXT = "The vault code is 7351 and it opens the blue door."
HOSTILE = "<img src=x onerror=alert(1)> {{x}} ${1+1}"


@pytest.fixture
def scheduler(tmp_path: Path) -> Scheduler:
    store = RunStore(tmp_path / "runs")
    return Scheduler(store, Player(store, pause=0.01))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page object of a built page."""
    made: list[Page] = []
    original = Page.__init__

    def remember(self: Page, *given: Any) -> None:
        original(self, *given)
        made.append(self)

    store = RunStore(tmp_path_factory.mktemp("built"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Page, "__init__", remember)
        build(Scheduler(store, Player(store)), settings=Settings(secret="s" * 24))
    return made[0]


@pytest.fixture
def page(built: Page, scheduler: Scheduler) -> Page:
    """The same page over runs of its own."""
    built.scheduler = scheduler
    return built


def tick(page: Page, run_id: str, key: str, seen: str = "", at: str = "") -> dict[str, Any]:
    """One tick; updates by the component's elem_id."""
    values = {page.run: run_id, page.key: key, page.seen: seen, page.at: at}
    values |= dict.fromkeys(page._figures)
    return {getattr(c, "elem_id", None) or "clock": v for c, v in page.look(values).items()}


def blocks(page: Page) -> gr.Blocks:
    """All that the page consists of."""
    root: Any = page.key
    while root.parent is not None:
        root = root.parent
    return root


def functions(page: Page) -> list[Any]:
    """All functions that events of the page call."""
    return list(blocks(page).fns.values())


def handler(page: Page, name: str) -> Handler:
    """A handler of the page by the name of its function."""
    return handler_of(blocks(page), name)


def filled(function: Any, **changes: Any) -> dict[Any, Any]:
    """All inputs of a handler with their first values, some changed by `elem_id`."""
    values = {component: component.value for component in function.inputs}
    for elem_id, value in changes.items():
        found = [c for c in values if (c.elem_id or "").replace("-", "_") == elem_id]
        assert len(found) == 1, f"{elem_id} is the id of {len(found)} inputs"
        values[found[0]] = value
    return values


class TestTick:
    def test_without_a_run_the_page_says_where_to_begin(self, page: Page) -> None:
        sent = tick(page, "", OWNER)
        assert "Set up" in sent["story"]
        assert "no run yet" in sent["status"]
        assert sent["clock"]["active"] is False

    def test_the_page_is_built_as_it_looks_without_a_run(self, page: Page) -> None:
        values = {page.run: "", page.key: OWNER, page.seen: page.seen.value, page.at: ""}
        values |= {figure: figure.value for figure in page._figures}
        sent = page.look(values)
        assert set(sent) == {page.clock, page.seen}
        found = {c.elem_id: c for c in page._shown}
        assert "no run yet" in found["status"].value and found["stop"].interactive is False
        assert found["pause"].visible is False and found["start"].value == "Start unlearning"

    def test_a_drawing_on_a_tab_that_nobody_opened_is_not_sent_again(self, page: Page) -> None:
        store = page.scheduler.store
        figures = list(page._figures)

        def sent(browser: dict[Any, Any]) -> dict[Any, Any]:
            values = {page.run: run_id, page.key: OWNER, page.seen: "", page.at: ""} | browser
            news = page.look(values)
            return {f: json.loads(json.dumps(news[f])) for f in figures if f in news}

        with held(store.path):
            config = RunConfig(steps=8)
            run_id = page.scheduler.submit(config, gather_texts(config)[0], OWNER)
            wait_for_step(page, run_id, 1)
            first = sent(dict.fromkeys(figures))
            assert set(first) == set(figures)
            wait_for_step(page, run_id, 5)
            assert not sent(first)
            # On the screen it gets what came meanwhile.
            on_screen = {"drawn": {"run": "", "tag": "", "traces": {}}}
            assert sent(dict.fromkeys(figures, on_screen))
        wait_for_end(page, run_id)
        # What stands still is complete, and once sent it is not sent again.
        last = sent(first)
        assert last
        assert not sent(first | last)

    def test_a_second_look_at_the_same_sends_nothing(self, page: Page) -> None:
        run_id = record(page.scheduler.store, outcome="forgotten", owner=OWNER)
        first = tick(page, run_id, OWNER)
        assert "finished" in first["status"]
        again = tick(page, run_id, OWNER, first["seen"])
        figures = {figure.elem_id for figure in page._figures}
        assert set(again) - figures <= {"seen"}

    def test_only_what_changed_is_sent(self, page: Page) -> None:
        store = page.scheduler.store
        run_id = record(store, outcome="collapsed", owner=OWNER)
        other = record(store, outcome="stopped", owner=OWNER)
        first = tick(page, run_id, OWNER)
        second = tick(page, other, OWNER, first["seen"])
        assert "collapsed" in first["trouble"] and second["trouble"] == ""
        third = tick(page, other, OWNER, second["seen"])
        assert "trouble" not in third and "status" not in third

    @pytest.mark.parametrize("seen", ["{", "[1]", "7", '{"3": "x"}', "\0"])
    def test_what_a_browser_claims_to_show_is_not_trusted(self, page: Page, seen: str) -> None:
        assert "story" in tick(page, "", OWNER, seen)

    @pytest.mark.parametrize("run_id", ["../../etc", "0" * 10, HOSTILE, None])
    def test_a_run_that_is_not_there_is_no_run(self, page: Page, run_id: Any) -> None:
        assert "no run yet" in tick(page, run_id, OWNER)["status"]

    def test_the_clock_runs_while_something_is_live(self, page: Page) -> None:
        page.scheduler.worker.pause = 0.05
        run_id = start(page, OWNER)
        assert tick(page, run_id, OWNER)["clock"]["active"] is True
        assert tick(page, "", OWNER)["clock"]["active"] is True, "my run is live, though not open"
        assert tick(page, "", STRANGER)["clock"]["active"] is False
        busy = tick(page, run_id, STRANGER)["clock"]
        assert busy == gr.update(active=True, value=page.settings.tick_seconds)
        wait_for_end(page, run_id)
        # Its owner may let it go on: who watches sees that, too.
        idle = tick(page, run_id, STRANGER)["clock"]
        assert idle == gr.update(active=True, value=IDLE_SECONDS)


def start(page: Page, key: str, **changes: Any) -> str:
    """Press Start on the form; returns the run's id."""
    begin = handler(page, "begin")
    pasted = {"forget_way": "paste", "forget_pasted": TEXT}
    values = filled(begin, **(pasted | changes))
    values[page.key] = key
    *_, last = begin.fn(values)
    return last[page.run]


def wait_for_end(page: Page, run_id: str, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while page.scheduler.view(run_id).live:
        assert time.monotonic() < end, "the run does not end"
        time.sleep(0.02)


def wait_for_step(page: Page, run_id: str, step: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while page.scheduler.view(run_id).step < step:
        assert time.monotonic() < end, f"the run does not come to step {step}"
        time.sleep(0.02)


class TestStart:
    def test_pasted_text_becomes_the_text_of_the_run(self, page: Page) -> None:
        run_id = start(page, OWNER, run_steps="7", prompts=" One \n\nTwo ", run_label="mine")
        config = page.scheduler.store.config(run_id)
        texts = page.scheduler.store.texts(run_id)
        assert config.forget == "pasted-forget.txt" and config.steps == 7
        assert config.prompts == ("One", "Two") and config.label == "mine"
        assert texts["forget"][0].text == TEXT
        assert "generic" in texts, "the embedded model brings general text along"
        assert page.scheduler.owned(run_id, OWNER)
        assert not page.scheduler.owned(run_id, STRANGER)

    def test_untouched_settings_are_the_defaults(self, page: Page) -> None:
        config = page.scheduler.store.config(start(page, OWNER))
        untouched = type(config)().model_dump() | {"forget": config.forget}
        assert config.model_dump() == untouched

    def test_start_leads_to_the_live_run_while_there_is_one(self, page: Page) -> None:
        page.scheduler.worker.pause = 0.1
        first = start(page, OWNER)
        assert start(page, OWNER) == first
        assert start(page, STRANGER) != first
        page.scheduler.stop(first, OWNER)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"forget_pasted": ""}, "no text"),
            ({"forget_way": "file"}, "No file"),
            ({"run_steps": "0"}, "steps = "),
            ({"run_learning_rate": "much"}, "learning_rate"),
            ({"prompts": "\n".join("abcdefghijklmnopqrst")}, "16 pinned prompts"),
        ],
    )
    def test_what_can_be_put_right_is_said_and_kept(
        self, page: Page, changes: dict[str, Any], words: str
    ) -> None:
        begin = handler(page, "begin")
        values = filled(begin, **({"forget_way": "paste", "forget_pasted": "Some text."} | changes))
        values[page.key] = OWNER
        pressed = begin.fn(values)
        card = next(iter(next(pressed).values()))
        assert words in card and 'role="alert"' in card
        with pytest.raises(gr.Error, match=words):
            next(pressed)
        assert page.scheduler.summaries() == []

    def test_messages_never_carry_markup(self, page: Page) -> None:
        begin = handler(page, "begin")
        values = filled(begin, model=HOSTILE, forget_way="paste", forget_pasted="Some text here.")
        values[page.key] = OWNER
        run = begin.fn(values)
        first = next(run)
        assert "<img" not in "".join(v for v in first.values() if isinstance(v, str))


class TestOwners:
    def test_a_watcher_sees_and_cannot_stop(self, page: Page) -> None:
        page.scheduler.worker.pause = 0.1
        run_id = start(page, OWNER)
        mine, theirs = (page.watched(run_id, key) for key in (OWNER, STRANGER))
        assert mine.owned and stop_button(mine)["interactive"] is True
        assert not theirs.owned and stop_button(theirs)["interactive"] is False
        with pytest.raises(gr.Error, match="somebody else"):
            handler(page, "stop_run").fn(run_id, STRANGER)
        assert page.scheduler.view(run_id).live
        handler(page, "stop_run").fn(run_id, OWNER)
        wait_for_end(page, run_id)
        assert page.scheduler.status(run_id) == "stopped"

    def test_only_the_owner_deletes(self, page: Page) -> None:
        run_id = record(page.scheduler.store, owner=OWNER)
        with pytest.raises(gr.Error, match="somebody else"):
            handler(page, "erase").fn(run_id, STRANGER)
        assert page.scheduler.store.ids() == [run_id]
        handler(page, "erase").fn(run_id, OWNER)
        assert page.scheduler.store.ids() == []

    def test_a_question_answered_with_no_deletes_nothing(self, page: Page) -> None:
        record(page.scheduler.store, owner=OWNER)
        table, *_ = handler(page, "erase").fn("", OWNER)
        assert len(table) == 1

    def test_continue_is_offered_to_the_owner_of_a_run_cut_short(self, page: Page) -> None:
        store = page.scheduler.store
        offered = {
            outcome: can_go_on(page.watched(record(store, outcome=outcome, owner=OWNER), key))
            for outcome, key in [("failed", OWNER), ("open", OWNER), ("forgotten", OWNER)]
        }
        assert offered == {"failed": True, "open": True, "forgotten": False}
        assert not can_go_on(page.watched(record(store, outcome="failed", owner=OWNER), ""))

    def test_strangers_list_only_their_own_runs(self, page: Page) -> None:
        store = page.scheduler.store
        mine, theirs = record(store, owner=OWNER), record(store, owner=STRANGER)
        listed = lambda settings: set(  # noqa: E731
            rows(SimpleNamespace(scheduler=page.scheduler, settings=settings), OWNER)["Run"]
        )
        assert listed(Settings(secret="s")) == {mine, theirs}
        assert listed(Settings(secret="s", public=True)) == {mine}


class TestAttach:
    def visit(self, page: Page, key: Any, query: dict[str, str]) -> dict[str, Any]:
        found = page.attach(key, SimpleNamespace(query_params=query))
        return {getattr(c, "elem_id", None) or type(c).__name__: v for c, v in found.items()}

    def test_a_first_visit_gives_a_key(self, page: Page) -> None:
        given = [self.visit(page, value, {})["BrowserState"] for value in ("", None, 7, "short")]
        assert all(is_key(key) for key in given) and len(set(given)) == 4

    def test_the_link_opens_its_run(self, page: Page) -> None:
        run_id = record(page.scheduler.store, owner=OWNER)
        found = self.visit(page, STRANGER, {"run": run_id})
        assert found["run-id"] == run_id and found["BrowserState"] == STRANGER

    def test_coming_back_leads_to_the_live_run(self, page: Page) -> None:
        page.scheduler.worker.pause = 0.1
        run_id = start(page, OWNER)
        assert self.visit(page, OWNER, {})["run-id"] == run_id
        assert self.visit(page, OWNER, {"run": "gone000000"})["run-id"] == run_id
        assert self.visit(page, STRANGER, {})["run-id"] == ""
        page.scheduler.stop(run_id, OWNER)


class TestCompare:
    def test_sides_begin_with_original_and_unlearned(self, page: Page) -> None:
        run_id = record(page.scheduler.store, outcome="forgotten", owner=OWNER)
        choices = [side for _, side in side_choices(page.watched(run_id, OWNER))]
        assert choices[:2] == [f"original:{run_id}", f"run:{run_id}"]
        assert f"run:{run_id}@5" in choices and "demo-retain" in choices
        for side in choices:
            GenerateRequest(sides=(side,), prompts=("x",))

    def test_without_a_run_the_embedded_models_answer(self) -> None:
        choices = side_choices(Watched())
        assert [side for _, side in choices] == ["demo", "demo-retain"]

    def test_there_are_two_sides_from_the_first_moment(self) -> None:
        fresh = Watched(run_id="a" * 10, status="queued")
        assert len(side_choices(fresh)) >= 2

    @pytest.mark.parametrize(
        ("setting", "value", "words"),
        [
            ("tokens", 513, "max_new_tokens = 513 is not allowed.*1 to 512"),
            ("tokens", None, "max_new_tokens = None"),
            ("temperature", 9, "temperature = 9 .*0 to 5"),
            ("seed", -1, "seed = -1 .*0 to 2"),
        ],
    )
    def test_a_setting_out_of_range_is_named(self, setting: str, value: Any, words: str) -> None:
        with gr.Blocks():
            widgets = CompareForm()
        values = {component: component.value for component in widgets.inputs}
        values |= {widgets.prompt: "A", getattr(widgets, setting): value}
        with pytest.raises(UserError, match=words):
            widgets.request(values)

    def test_text_of_a_model_is_never_markup(self) -> None:
        said = Writing(text=HOSTILE, state="looped")
        drawn = panel(HOSTILE, [said], [said], 0)
        assert "<img" not in drawn and "repeats itself" in drawn

    def test_frames_add_up_to_the_answers(self, scheduler: Scheduler) -> None:
        run_id = record(scheduler.store)
        request = GenerateRequest(sides=(f"original:{run_id}", f"run:{run_id}"), prompts=("A",))
        *_, last = frames(scheduler, request, "", threading.Event())
        whole = ["".join(Player(scheduler.store).said(side)) for side in (0, 1)]
        assert [(a.text, a.state) for a in last] == [(text, "done") for text in whole]

    def test_stop_ends_a_stream_that_says_nothing(self, scheduler: Scheduler) -> None:
        closed = threading.Event()

        def silent(request: GenerateRequest) -> Iterator[Delta]:
            try:
                while True:
                    time.sleep(0.05)
                    yield Delta()
            finally:
                closed.set()

        scheduler.worker.generate = silent
        stopped = threading.Event()
        shown = frames(scheduler, GenerateRequest(sides=("demo",), prompts=("A",)), "", stopped)
        next(shown)
        stopped.set()
        *_, last = shown
        assert last[0].state == "stopped"
        assert closed.wait(5), "the request was not withdrawn"

    @pytest.mark.parametrize("error", [UserError("too busy"), RuntimeError("a defect")])
    def test_what_the_stream_raises_is_raised_here(
        self, scheduler: Scheduler, error: Exception
    ) -> None:
        def broken(request: GenerateRequest) -> Iterator[Delta]:
            yield Delta(text="a")
            raise error

        scheduler.worker.generate = broken
        request = GenerateRequest(sides=("demo",), prompts=("A",))
        with pytest.raises(type(error), match=str(error)):
            list(frames(scheduler, request, "", threading.Event()))

    def test_an_error_told_by_the_worker_is_an_error(self, scheduler: Scheduler) -> None:
        scheduler.worker.generate = lambda request: iter([Delta(kind="error", text="no such step")])
        request = GenerateRequest(sides=("demo",), prompts=("A",))
        with pytest.raises(UserError, match="no such step"):
            list(frames(scheduler, request, "", threading.Event()))


class TestRuns:
    def test_the_download_is_json_even_after_a_divergence(self, page: Page) -> None:
        run_id = record(page.scheduler.store, outcome="diverged")
        file = json.loads(handler(page, "write_run").fn(run_id, OWNER))
        found = json.loads(file["text"])
        assert (file["name"], found["run"]["run_id"]) == (f"run-{run_id}-settings.json", run_id)
        assert found["series"]["forget_nll"]["values"][-1] == "nan"
        assert "python -m unlearning run" in found["command"]
        assert "clockmaker" not in json.dumps(found), "the text to forget leaves with the download"

    def test_a_label_is_text(self, scheduler: Scheduler) -> None:
        run_id = record(scheduler.store, label=HOSTILE)
        settings = Settings(secret="s")
        table = rows(SimpleNamespace(scheduler=scheduler, settings=settings), "")
        assert table["Name"][0] == HOSTILE, "escaping is the table's part: its cells are text"
        view = scheduler.view(run_id)
        assert "<img" not in about_run(HOSTILE, view, HOSTILE)

    @pytest.mark.parametrize(
        ("file", "content", "words"),
        [
            ("events.jsonl", "nonsense\n", "log of run"),
            ("config.json", '{"run_id": "ID", "created": 1.0, "config": {}, "texts', None),
            ("config.json", '{"run_id": "ID", "created": 1.0, "config": {"method": "x"}}', "'x'"),
            ("config.json", '{"run_id": "ID", "created": 1.0, "config": {"old": 1}}', "'old'"),
        ],
    )
    def test_a_damaged_run_hides_no_other_and_can_be_erased(
        self, page: Page, file: str, content: str, words: str | None
    ) -> None:
        store = page.scheduler.store
        damaged, whole = record(store, owner=OWNER), record(store, owner=OWNER)
        (store.folder(damaged) / file).write_text(content.replace("ID", damaged))
        listed = set(rows(page, OWNER)["Run"])
        assert listed == ({whole, damaged} if words else {whole})
        picked = SimpleNamespace(row_value=[damaged])
        run_id, panel, about, delete, *_ = handler(page, "pick").fn(OWNER, picked)
        assert run_id == damaged and panel["visible"] and delete["interactive"]
        assert (words or "cannot be read") in about.replace("&#x27;", "'") and "alert" in about
        handler(page, "erase").fn(damaged, OWNER)
        assert list(rows(page, OWNER)["Run"]) == [whole]

    def test_strangers_are_not_told_where_runs_are_kept(
        self, page: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = start(page, OWNER)
        wait_for_end(page, run_id)
        picked = SimpleNamespace(row_value=[run_id])
        assert f"{page.scheduler.store.path}/{run_id}/inputs" in command(page, run_id)
        monkeypatch.setattr(page, "settings", Settings(secret="s", public=True))
        shown = handler(page, "pick").fn(OWNER, picked)[2]
        assert f"--forget RUNS/{run_id}/inputs/forget.jsonl" in shown
        assert str(page.scheduler.store.path) not in shown


class TestModelCard:
    def folder(self, tmp_path: Path, **changes: Any) -> str:
        demo = describe("demo")["config"]
        target = tmp_path / "model"
        shutil.copytree(EMBEDDED_FOLDER / "demo", target)
        (target / "config.json").write_text(json.dumps(demo | changes))
        return str(target)

    def test_a_plain_folder_fits(self, tmp_path: Path) -> None:
        assert "✓ fits" in model_card(RunConfig(model=self.folder(tmp_path)))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"auto_map": {"AutoConfig": "x.Y"}, "model_type": "own"}, "code of its own"),
            ({"model_type": "bert", "architectures": []}, "no architecture"),
            ({"architectures": 7}, "no architecture"),
            ({"hidden_size": "x"}, "lacks its sizes"),
            ({"hidden_size": float("inf")}, "lacks its sizes"),
            ({"num_attention_heads": 0}, "lacks its sizes"),
            ({"num_hidden_layers": 0}, "lacks its sizes"),
        ],
    )
    def test_what_may_not_load_is_not_said_to_fit(
        self, tmp_path: Path, changes: dict[str, Any], words: str
    ) -> None:
        card = model_card(RunConfig(model=self.folder(tmp_path, **changes)))
        assert "fits" not in card and words in card


class TestServing:
    def test_nothing_is_open_that_need_not_be(self, scheduler: Scheduler) -> None:
        options = launch_options(scheduler)
        assert options["run_history"] is False and options["ssr_mode"] is False
        assert options["allowed_paths"] == [] and options["share"] is False
        assert options["blocked_paths"] == [str(scheduler.store.path)]

    def test_every_event_is_private_and_quiet(self, page: Page) -> None:
        loud = [
            getattr(f.fn, "__name__", f)
            for f in functions(page)
            if f.api_visibility != "private" or f.show_progress != "hidden"
        ]
        assert loud == list(api.NAMES)

    def test_tabs_stand_in_reading_order(self, page: Page) -> None:
        assert [tab.NAME for tab in TABS] == ["setup", "live", "compare", "stress", "runs", "learn"]
        assert [child.id for child in page.tabs.children] == [tab.NAME for tab in TABS]


class TestIdentity:
    def test_the_secret_outlives_a_restart_and_is_private(self, tmp_path: Path) -> None:
        first = secret_of(tmp_path)
        assert secret_of(tmp_path) == first and len(first) >= 24
        assert (tmp_path / ".secret").stat().st_mode & 0o077 == 0

    def test_another_folder_has_another_secret(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        assert secret_of(tmp_path / "a") != secret_of(tmp_path / "b")

    def test_a_folder_that_cannot_be_written_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="cannot be written"):
            secret_of(tmp_path / "absent")
