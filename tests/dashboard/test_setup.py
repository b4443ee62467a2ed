"""Set up without a browser: the check, settings that fill the form, and cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from dashboard import settings_bar
from dashboard.check_card import check_card
from dashboard.check_panel import CheckPanel
from dashboard.hub_choice import HubChoice, look_into
from dashboard.identity import new_key
from dashboard.model_choice import retrained_card
from dashboard.page import Page, Settings
from dashboard.settings_file import Saved, from_file, to_file, to_link
from dashboard.setup_form import SetupForm
from dashboard.text_choice import TextChoice
from tests.dashboard.player import Player
from tests.dashboard.pressing import handler_of
from tests.data.hub_layout import write_rows
from tests.runs.test_check import example_report
from unlearning.config import RunConfig
from unlearning.data.base import Example
from unlearning.data.hub import MIRROR
from unlearning.errors import UserError
from unlearning.runs.check import Passage
from unlearning.runs.limits import Limits
from unlearning.runs.requests import Delta
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore

OWNER = new_key()
TEXT = "The vault code is 7351 and it opens the blue door."
HOSTILE = "<img src=x onerror=alert(1)> {{x}} ${1+1}"


class Bench:
    """The form with its buttons, around a worker that plays."""

    def __init__(self, folder: Path, public: bool = False) -> None:
        store = RunStore(folder)
        self.scheduler = Scheduler(store, Player(store, pause=0.0))
        with gr.Blocks() as self.blocks:
            self.page = Page(self.scheduler, Settings(secret="s" * 24, public=public))
            self.bar = settings_bar.SettingsBar()
            self.form = SetupForm(self.page)
            self.panel = CheckPanel()
            self.panel.build_buttons()
            settings_bar.wire(self.page, self.bar, self.form)
            self.panel.wire(self.page, self.form)

    def handler(self, name: str) -> Any:
        return handler_of(self.blocks, name).fn

    def values(self, **changes: Any) -> dict[Any, Any]:
        found = {c: c.value for c in self.form.inputs} | {self.page.key: OWNER}
        by_id = {(c.elem_id or "").replace("-", "_"): c for c in found}
        return found | {by_id[name]: value for name, value in changes.items()}

    def check(self, **changes: Any) -> list[dict[Any, Any]]:
        visitor = SimpleNamespace(session_hash="one")
        return list(self.handler("check")(self.values(**changes), visitor))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("setup") / "runs")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("public") / "runs", public=True)


def test_gradio_checks_every_choice_and_file_of_the_form(public: Bench) -> None:
    checked = {c for c in public.form.inputs if isinstance(c, gr.Dropdown | gr.File)}
    assert checked
    for name in ("check", "save", "share", "show_code"):
        (function,) = (f for f in public.blocks.fns.values() if f.name == name)
        assert checked <= set(function.inputs)
    for name in ("_size", "_turn", "_read_off"):
        for function in (f for f in public.blocks.fns.values() if f.name == name):
            assert public.form.models.model in function.inputs
            assert public.form.forget.pasted not in function.inputs, "long, and not needed"


class TestCheck:
    def test_a_known_text_has_something_to_forget(self, bench: Bench) -> None:
        first, *_, last = bench.check()
        assert first[bench.panel.stop]["visible"] and not first[bench.panel.go]["interactive"]
        assert "There is something to forget" in last[bench.panel.card]
        assert last[bench.panel.go]["interactive"] and not last[bench.panel.stop]["visible"]
        assert not last[bench.panel.teach]["visible"]

    def test_an_unknown_text_offers_to_be_taught(self, bench: Bench) -> None:
        last = bench.check(forget_way="paste", forget_pasted=TEXT)[-1]
        assert "does not know this text" in last[bench.panel.card]
        assert last[bench.panel.teach]["visible"]
        taught = bench.check(forget_way="paste", forget_pasted=TEXT, teach_teach_first=True)[-1]
        assert "It will be taught first" in taught[bench.panel.card]
        assert not taught[bench.panel.teach]["visible"]

    def test_a_problem_is_told_and_the_buttons_come_back(self, bench: Bench) -> None:
        visitor = SimpleNamespace(session_hash="one")
        told = bench.handler("check")(bench.values(forget_way="paste"), visitor)
        assert next(told)
        last = next(told)
        assert 'role="alert"' in last[bench.panel.card] and last[bench.panel.go]["interactive"]
        with pytest.raises(gr.Error, match="no text"):
            next(told)

    def test_a_trouble_of_the_worker_is_told(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trouble(request: Any) -> Iterator[Delta]:
            yield Delta(kind="error", text=HOSTILE)

        monkeypatch.setattr(bench.scheduler.worker, "generate", trouble)
        with pytest.raises(gr.Error):
            bench.check()

    def test_stop_withdraws_the_request(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = []

        def endless(request: Any) -> Iterator[Delta]:
            try:
                while True:
                    yield Delta()
            finally:
                closed.append(True)

        monkeypatch.setattr(bench.scheduler.worker, "generate", endless)
        visitor = SimpleNamespace(session_hash="one")
        told = bench.handler("check")(bench.values(), visitor)
        next(told)
        next(told)
        bench.handler("stop")(SimpleNamespace(session_hash="another"))
        next(told)
        bench.handler("stop")(visitor)
        assert "was stopped" in next(told)[bench.panel.card]
        assert closed == [True] and list(told) == []

    def test_limits_hold_for_checks(self, tmp_path: Path) -> None:
        store = RunStore(tmp_path / "runs")
        limits = Limits(max_characters=10, requests_per_owner=1)
        scheduler = Scheduler(store, Player(store, pause=0.0), limits)
        config, texts = RunConfig(), {"forget": [Example(id="1", text=TEXT)]}
        with pytest.raises(UserError, match="10 are allowed"):
            scheduler.check(RunConfig(forget="pasted-forget.txt"), texts, OWNER)
        first = scheduler.check(config, texts, OWNER)
        next(first)
        with pytest.raises(UserError, match="already waiting"):
            next(scheduler.check(config, texts, OWNER))
        first.close()
        assert next(scheduler.check(config, texts, OWNER))


class TestCheckCard:
    def test_nothing_of_the_text_is_markup(self) -> None:
        report = example_report(
            passages=(Passage(begins=HOSTILE, recited=0.5),), notices=(HOSTILE,)
        )
        card = check_card(report, taught=False)
        assert "<img" not in card and card.count("&lt;img") == 2

    def test_what_does_not_fit_is_said(self) -> None:
        card = check_card(example_report(fits=False, teach_seconds=90.0), taught=True)
        assert "✕ may not fit" in card and "teaching before them at most 1 min 30 s" in card

    def test_a_text_too_short_has_no_bar(self) -> None:
        assert "check-bar" not in check_card(example_report(recited=None), taught=False)


class TestSettings:
    def filled(self, bench: Bench, saved: Saved) -> tuple[dict[Any, Any], list[str]]:
        changes, notices = bench.form.fill(saved)
        return bench.values() | changes, notices

    @pytest.mark.parametrize(
        "config",
        [
            RunConfig(),
            RunConfig(
                forget="preset:tofu/forget10",
                retain="preset:tofu/retain90",
                retrained="demo-retain",
                method="mean_teacher",
                hyperparameters={"stop_value": 0.2, "teacher_curve": False, "handed": "teacher"},
                steps=9,
                learning_rate=1e-5,
                teach_first=True,
                teach_steps=33,
                stop_when_forgotten=False,
                prompts=("One?", "Two <b>"),
                label="again",
                dtype="bfloat16",
            ),
        ],
        ids=["defaults", "much"],
    )
    def test_the_form_takes_settings_and_gives_them_back(
        self, bench: Bench, config: RunConfig
    ) -> None:
        values, notices = self.filled(bench, Saved(config))
        assert bench.form.saved(values) == Saved(config) and notices == []
        assert (
            json.loads(to_file(Saved(config)))["config"]
            == json.loads(bench.handler("save")(values))["config"]
        )

    def test_pasted_text_goes_into_the_file_and_not_into_the_link(self, bench: Bench) -> None:
        values = bench.values(forget_way="paste", forget_pasted=TEXT)
        saved = from_file(bench.handler("save")(values))
        assert saved.pasted == {"forget": TEXT}
        again, notices = self.filled(bench, saved)
        assert again[bench.form.forget.pasted] == TEXT and notices == []
        token, shown = bench.handler("share")(values)
        assert shown["visible"] and token == to_link(RunConfig())

    def test_a_file_of_this_machine_is_never_opened(self, bench: Bench) -> None:
        config = RunConfig(forget="/etc/passwd", retain="hub:/etc:x", holdout="/etc/hosts")
        with pytest.raises(UserError, match="not the name of a data set"):
            bench.form.fill(Saved(config))
        values, notices = self.filled(bench, Saved(RunConfig(forget="/etc/passwd", holdout="x")))
        assert values[bench.form.forget.way] == "example"
        assert "Choose the text again" in notices[0] and "holdout" in notices[1]

    def test_strangers_are_not_offered_the_hub_nor_any_model(self, public: Bench) -> None:
        _, notices = self.filled(public, Saved(RunConfig(retain="hub:owner/name:text")))
        assert "is not offered here" in notices[0]
        assert "hub" not in dict(map(reversed, public.form.forget.way.choices))
        public.scheduler.limits = Limits(models=frozenset({"demo"}))
        with pytest.raises(UserError, match="not offered"):
            public.form.fill(Saved(RunConfig(model="somebody/else")))

    def test_a_link_fills_the_form_when_the_page_opens(self, bench: Bench) -> None:
        arrive = next(e["fn"] for e in bench.page._opens)
        found = arrive(SimpleNamespace(query_params={"settings": to_link(RunConfig(steps=9))}))
        assert found[bench.form.how.by_name["steps"]] == "9"
        assert "filled" in found[bench.bar.told]
        bad = arrive(SimpleNamespace(query_params={"settings": HOSTILE}))
        assert set(bad) == {bench.bar.told} and "<img" not in bad[bench.bar.told]
        assert arrive(SimpleNamespace(query_params={})) == {bench.bar.told: ""}

    def test_a_wrong_file_is_a_toast(self, bench: Bench) -> None:
        for content in (b"{}", None, b"\x00" * 20):
            with pytest.raises(gr.Error):
                bench.handler("load")(content)

    def test_code_names_a_file_with_its_columns(self, bench: Bench, tmp_path: Path) -> None:
        path = tmp_path / "notes.csv"
        path.write_text("a,b\nfirst text here,other\n")
        choice = bench.form.forget
        values = bench.values(forget_way="file", forget_file=str(path))
        values |= {choice.columns["text"]: "b"}
        assert choice.named(values) == "notes.csv:b"
        values |= {choice.columns["question"]: "a", choice.columns["answer"]: "b"}
        assert choice.named(values) == "notes.csv:a+b"
        assert "--forget notes.csv:a+b" in bench.handler("show_code")(values)


class TestTexts:
    @pytest.fixture
    def mirror(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A data set of the hub in a folder."""
        rows = [{"q": f"Who is {i}? {HOSTILE}", "a": f"Nobody {i}."} for i in range(7)]
        write_rows(tmp_path / "mirror" / "owner" / "facts" / "train.jsonl", rows)
        monkeypatch.setenv(MIRROR, str(tmp_path / "mirror"))
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def test_a_data_set_is_looked_into_and_read(self, mirror: Path) -> None:
        with gr.Blocks():
            choice = TextChoice("forget", ("hub",), "")
        split, _, question, _, told, table = look_into("owner/facts", "train")
        assert split["choices"] == ["train"] and "7 rows in train." in told
        assert ("q", "q") in question["choices"] and len(table["value"]) == 5
        values = {component: component.value for component in choice.inputs}
        hub = choice.hub
        values |= {hub.name: "owner/facts", hub.question: "q", hub.answer: "a"}
        source, texts = choice.read(values, [])
        assert source == "hub:owner/facts:q+a:train" and texts is None
        changes = choice.fill(source, None, [])
        assert changes[choice.way] == "hub" and changes[hub.split] == "train"
        assert (changes[hub.question], changes[hub.answer]) == ("q", "a")

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("", "No data set"),
            ("/etc", "not the name"),
            ("../..", "not the name"),
            ("mirror/owner", "is a folder here"),
            (HOSTILE, "not the name"),
            ("a/b/c/d", "not the name"),
        ],
    )
    def test_only_names_of_data_sets_are_taken(self, mirror: Path, name: str, words: str) -> None:
        *_, told, table = look_into(name, "train")
        assert words in told and "<img" not in told and table["visible"] is False

    def test_columns_have_to_be_chosen(self, mirror: Path) -> None:
        with gr.Blocks():
            hub = HubChoice("forget")
        values = {component: component.value for component in hub.inputs} | {hub.name: "o/n"}
        with pytest.raises(UserError, match="which column"):
            hub.read(values)
        with pytest.raises(UserError, match="whose name holds"):
            hub.read(values | {hub.text: "a:b"})


def test_a_retrained_model_is_described() -> None:
    assert retrained_card("auto") == retrained_card("none") == retrained_card("") == ""
    assert "million parameters" in retrained_card("demo-retain")
    assert "<img" not in retrained_card(HOSTILE) and "alert" in retrained_card(HOSTILE)
