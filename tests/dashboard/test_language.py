"""The catalogues: complete, with the same places and tags, nothing idle; and how they are used."""

from __future__ import annotations

import html
import json
import re
import symtable
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dashboard import Settings, build, language, launch_options, story
from dashboard.ballot import called, closed_name
from dashboard.language import SLOT, _, amid, available, catalogue, pattern_of, plural, spoken, use
from dashboard.page import Page, toast
from dashboard.several_values import configs
from dashboard.vote_table import tally_table
from tests.dashboard import sentences
from tests.dashboard.player import Player
from tests.dashboard.recorded import events, record
from tests.dashboard.test_app import app
from tests.runs.test_votes import vote
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.view import view_of
from unlearning.runs.votes import tallies

TAG = re.compile(r"</?[a-z][^>]*>")
OTHERS = [name for name in available() if name != "en"]


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> str:
    """Each language but English."""
    return request.param


@pytest.fixture
def german() -> Iterator[None]:
    """The page speaks German until the test ends."""
    use("de")
    yield
    use("en")


def pairs(name: str) -> list[tuple[str, str]]:
    """All entries of a language."""
    return [pair for part in catalogue(name).values() for pair in part.items()]


class TestCatalogues:
    def test_every_sentence_has_an_entry(self, other: str) -> None:
        assert sentences.missing(other) == {}

    def test_no_entry_is_idle(self, other: str) -> None:
        assert sentences.unused(other) == {}

    def test_values_keep_their_places_and_formats(self, other: str) -> None:
        places = {text: [sorted(m[0] for m in SLOT.finditer(t)) for t in (text, translation)]
                  for text, translation in pairs(other)}  # fmt: skip
        assert {text: found for text, found in places.items() if found[0] != found[1]} == {}

    def test_markup_is_that_of_the_english_sentence(self, other: str) -> None:
        odd = [
            text
            for text, translation in pairs(other)
            if sorted(TAG.findall(text)) != sorted(TAG.findall(translation))
            or re.sub(TAG, "", translation).count("<")
            or ('"' in translation and '"' not in text)
        ]
        assert odd == []

    def test_spaces_at_the_ends_stay(self, other: str) -> None:
        odd = [
            text
            for text, translation in pairs(other)
            if not translation.strip()
            or [text[0] == " ", text[-1] == " "] != [translation[0] == " ", translation[-1] == " "]
        ]
        assert odd == []

    def test_no_sentence_has_two_translations(self, other: str) -> None:
        seen: dict[str, set[str]] = {}
        for text, translation in pairs(other):
            seen.setdefault(text, set()).add(translation)
        assert {text: found for text, found in seen.items() if len(found) > 1} == {}

    def test_a_sentence_that_is_new_would_be_noticed(self) -> None:
        """The search finds what it says it finds."""
        assert "Start unlearning" in sentences.marked() and "passages" in sentences.marked()
        assert "step {step}" in sentences.scripted()
        assert "{} is not a step." in sentences.errors()
        assert "Learning rate" in sentences.declared()
        assert "Is it really gone?" in sentences.taught()


def test_no_function_hides_the_translation() -> None:
    """A loop over `_` in a function that says something in the page's language would end it."""
    hidden = []
    for path in sorted((sentences.ROOT / "dashboard").rglob("*.py")):
        tables = [symtable.symtable(path.read_text(encoding="utf-8"), path.name, "exec")]
        while tables:
            table = tables.pop()
            tables += table.get_children()
            if table.get_type() == "function" and "_" in table.get_identifiers():
                symbol = table.lookup("_")
                if symbol.is_local() and symbol.is_referenced():
                    hidden.append(f"{path.name}: {table.get_name()}")
    assert hidden == []


class TestUse:
    def test_english_says_what_stands_in_the_code(self) -> None:
        assert _("Start unlearning") == "Start unlearning"
        assert spoken("No run is chosen.") == "No run is chosen."
        assert language.head() == ""

    def test_a_template_is_translated_before_its_values_come(self, german: None) -> None:
        assert _("Step {step}").format(step=3) == "Schritt 3"
        assert plural(1, "passage", "passages") == "Abschnitt"
        assert plural(2, "passage", "passages") == "Abschnitte"

    def test_what_has_no_entry_stays_english(self, german: None) -> None:
        assert _("A sentence of tomorrow.") == "A sentence of tomorrow."

    def test_there_is_no_such_language(self) -> None:
        with pytest.raises(UserError, match="xx") as raised:
            use("xx")
        assert "de" in raised.value.hint
        with pytest.raises(UserError):
            use("../page")

    def test_a_run_is_told_in_german(self, german: None) -> None:
        told = story.tell(view_of(events("collapsed")))
        assert "der zu vergessenden Wörter" in told and "verlor es seine Sprache" in told
        assert "general perplexity" not in told and "times the original" not in told

    def test_an_error_is_shown_in_german(self, german: None) -> None:
        shown = toast(UserError("No run is chosen.", "Choose one in the list of runs."))
        assert shown.message == "Es ist kein Lauf gewählt. Wähle einen in der Liste der Läufe."
        assert shown.title == "Das geht noch nicht"

    def test_a_vote_is_asked_and_counted_in_german(self, german: None) -> None:
        assert closed_name(0) == '<h3 class="blind-name closed">Antwort A</h3>'
        assert called("run:0123456789@20", 0.5, "0123456789") == (
            "Nach Unlearning, Schritt 20, Stärke 0.5"
        )
        table = tally_table(tallies([vote()]), "")
        assert "kennt den Text" in table and "<b>1 von 1</b>" in table and "to 100" not in table

    def test_labels_are_small_amid_an_english_sentence_alone(self) -> None:
        assert amid("Learning rate") == "learning rate"
        use("de")
        try:
            assert amid("Learning rate") == "Lernrate" and amid("Seed") == "Seed"
        finally:
            use("en")

    def test_a_list_of_values_is_refused_in_german(self, german: None) -> None:
        for text, told in (
            ("40", "Es braucht mindestens zwei verschiedene Werte: Schritte."),
            ("40, 0", "Schritte 0 liegt außerhalb des Bereichs. Wähle mindestens 1."),
            ("40, x", "'x' in der Liste der Werte ist keine Zahl."),
        ):
            with pytest.raises(UserError) as raised:
                configs(RunConfig(), "steps", text)
            assert toast(raised.value).message.startswith(html.escape(told))

    def test_a_race_that_is_too_large_is_refused_in_german(self, german: None) -> None:
        with pytest.raises(UserError) as raised:
            Limits(raced=2).check_race(3, _("values"))
        assert toast(raised.value).message == (
            "3 Werte sollen rennen; 2 sind erlaubt. Wähle höchstens 2."
        )


class TestMessages:
    def test_each_is_known_by_its_template(self, german: None) -> None:
        odd = {}
        for text, translation in catalogue("de")["messages"].items():
            names = dict.fromkeys(slot[1] for slot in SLOT.finditer(text))
            values = {name: f"v{i}x" for i, name in enumerate(names)}
            found = spoken(text.format(**values))
            if found != translation.format(**values):
                odd[text] = found
        assert odd == {}

    def test_sentences_that_stand_together(self, german: None) -> None:
        found = spoken("The prompt is empty. A sentence of tomorrow. The queue is full: 3 runs are "
                       "waiting. Try again later.")  # fmt: skip
        assert found == (
            "Der Prompt ist leer. A sentence of tomorrow. Die Warteschlange ist voll: 3 Läufe "
            "warten. Versuche es später noch einmal."
        )

    def test_a_part_of_a_sentence_is_translated_with_it(self, german: None) -> None:
        told = "it knew 90% of the words to forget, and knows 4% now"
        level = "the original on text it never saw knows 5%"
        assert spoken(f"Forgotten: {told}, and {level}.") == (
            "Vergessen: es kannte 90% der zu vergessenden Wörter und kennt jetzt 4%; "
            "das Original auf nie gesehenem Text kennt 5%."
        )

    def test_a_name_that_is_a_sentence_of_ours_stays(self, german: None) -> None:
        assert spoken("Original has no column Text.") == "Original hat keine Spalte Text."

    def test_a_very_long_message_is_not_searched(self, german: None) -> None:
        long = "Run {} has no snapshot yet.".format("x " * 3000)
        assert spoken(long) == long

    def test_a_message_that_nests_in_itself_is_read_in_time(self, german: None) -> None:
        begun = time.process_time()
        spoken("Not forgotten: " * 20 + "a b, while c d" * 30 + ".")
        spoken("a: b = " * 100 + "c, not text. " * 20)
        assert time.process_time() - begun < 2.0

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(max_size=300))
    @example(text="Run \x00{run_id} has no snapshot yet.")
    @example(text="Run <script>alert(1)</script> has no snapshot yet.")
    @example(text="\\1 {0} {name} (?P<x>.*) has no column {1}.")
    def test_any_text_comes_through(self, german: None, text: str) -> None:
        assert isinstance(spoken(text), str)
        said = spoken(f"There is no run {text!r}.")
        assert said == f"Es gibt keinen Lauf {text!r}."

    def test_a_value_that_comes_twice_must_be_the_same(self) -> None:
        pattern = pattern_of("{a} and {a}, {b}")
        assert pattern.fullmatch("x and x, y") and not pattern.fullmatch("x and y, y")


class TestPage:
    def test_what_scripts_get_cannot_end_their_script(self, german: None) -> None:
        held = language.for_script({"a": "</script><script>"})
        assert "<" not in held and json.loads(held) == {"a": "</script><script>"}
        assert 'lang = "de"' in language.head()

    def test_nothing_is_left_in_english(
        self, german: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pages: list[Page] = []
        original = Page.__init__
        monkeypatch.setattr(
            Page, "__init__", lambda self, *given: (original(self, *given), pages.append(self))[0]
        )
        store = RunStore(tmp_path / "runs")
        scheduler = Scheduler(store, Player(store))
        demo = build(scheduler, settings=Settings(secret="s" * 24))
        assert language.head() in launch_options(scheduler)["head"]
        words = dict(pairs("de"))
        assert {text for text in told_by(demo) if words.get(text, text) != text} == set()
        assert {"1 Einrichten", "Unlearning starten", "Lernrate"} <= told_by(demo)
        # Texts of models are English: only sentences of ours are looked for.
        ours = {text for text in sentences.marked() if text.count(" ") > 3 and "{" not in text}
        for outcome in ("forgotten", "collapsed", "diverged", "failed", "stopped", "open"):
            run_id = record(store, outcome=outcome)
            shown = str(look(pages[0], run_id))
            assert [text for text in ours if text in shown and words[text] != text] == []
            assert "Kollapsanzeige" in shown and "Schritt" in shown


def look(page: Page, run_id: str) -> dict[Any, Any]:
    """All that the first tick shows of a run."""
    values = {page.run: run_id, page.key: "k" * 24, page.seen: "", page.at: ""}
    return page.look(values | dict.fromkeys(page._figures))


def told_by(demo: gr.Blocks) -> set[str]:
    """Labels, explanations, placeholders, choices and buttons of a page."""
    found: set[str] = set()
    for block in demo.blocks.values():
        for name in ("label", "info", "placeholder"):
            found.add(_text(getattr(block, name, None)))
        if isinstance(block, gr.Button):
            found.add(_text(block.value))
        found |= {_text(words) for words, value in getattr(block, "choices", None) or []
                  if words != value}  # fmt: skip
    return found - {""}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def test_the_flag_goes_before_the_environment(tmp_path: Path) -> None:
    done = app(
        "import app, json\n"
        "chosen = [app.flags([]), app.flags(['--language', 'en'])]\n"
        "labels = [getattr(block, 'label', '') for block in app.demo.blocks.values()]\n"
        "print(json.dumps([*(one.language for one in chosen), '1 Einrichten' in labels]))",
        tmp_path,
        LETHE_LANGUAGE="de",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["de", "en", True]


def test_an_unknown_language_ends_with_one_line(tmp_path: Path) -> None:
    done = app("import app", tmp_path, LETHE_LANGUAGE="xx")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: The page does not speak 'xx'. Choose: en, de")
