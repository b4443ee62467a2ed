"""Choosing a text: cards about examples, pasted text and uploads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from dashboard.text_cards import MOST_CHARACTERS, count_card, example_card
from dashboard.text_choice import TextChoice
from unlearning.errors import UserError

HOSTILE = "<script>alert(1)</script> and some more words"


@pytest.fixture(scope="module")
def choice() -> TextChoice:
    with gr.Blocks():
        return TextChoice("forget", ("example", "paste", "file", "benchmark", "hub", "none"), "")


def values(choice: TextChoice, **changes: Any) -> dict[Any, Any]:
    found = {component: component.value for component in choice.inputs}
    for name, value in changes.items():
        target = choice.columns.get(name) or getattr(choice, name)
        found[target] = value
    return found


def test_an_example_is_named_and_read_later(choice: TextChoice) -> None:
    source, given = choice.read(values(choice), [])
    assert source.startswith("preset:") and given is None


@pytest.mark.parametrize("way", ["example", "benchmark"])
@pytest.mark.parametrize(
    "source",
    ["/etc/hosts.txt", "runs/1/inputs/forget.jsonl", "-", "hub:o/n:text:train", "", None, 7],
)
def test_no_file_of_the_server_is_an_example(choice: TextChoice, way: str, source: Any) -> None:
    with pytest.raises(UserError, match="not offered here"):
        choice.read(values(choice, way=way, **{way: source}), [])


def test_nothing_is_a_source_of_its_own(choice: TextChoice) -> None:
    assert choice.read(values(choice, way="none"), []) == ("none", None)


def test_pasted_text_is_given_with_the_run(choice: TextChoice) -> None:
    source, given = choice.read(
        values(choice, way="paste", pasted="One two three.\n\nQ: A? A: B."), []
    )
    assert source == "pasted-forget.txt"
    assert [example.kind for example in given or ()] == ["passage", "qa"]


@pytest.mark.parametrize("text", ["", None, "  ", "word"])
def test_too_little_text_is_refused(choice: TextChoice, text: str | None) -> None:
    with pytest.raises(UserError):
        choice.read(values(choice, way="paste", pasted=text), [])


def test_more_than_may_be_pasted_is_refused_and_never_cut(choice: TextChoice) -> None:
    assert choice.pasted.max_length is None, "a browser would cut it silently"
    most = "a word ".ljust(MOST_CHARACTERS, "x")
    assert choice.read(values(choice, way="paste", pasted=most), [])[1]
    assert "3 words" in count_card(most)
    with pytest.raises(UserError, match="200,001 characters; at most 200,000") as caught:
        choice.read(values(choice, way="paste", pasted=most + "x"), [])
    card = count_card(most + "x")
    assert caught.value.message in card and 'role="alert"' in card


def test_a_file_is_read_with_the_chosen_columns(choice: TextChoice, tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\nfirst text here,other\nsecond text here,more\n")
    chosen = values(choice, way="file", file=str(path), text="b", question="", answer="")
    source, given = choice.read(chosen, [])
    assert source == "notes.csv"
    assert [example.text for example in given or ()] == ["other", "more"]


def test_an_upload_shows_its_columns_and_rows(choice: TextChoice, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"question": "Who?", "answer": "<b>Nobody</b>"}\n')
    columns, text, question, answer, note, table = choice._look_into(str(path))
    assert columns["visible"] is True
    assert (text["value"], question["value"], answer["value"]) == ("", "question", "answer")
    assert (
        "1 question with its answer, 2 words." in note
        and table["value"]["answer"][0] == "<b>Nobody</b>"
    )


def test_a_bad_upload_is_said_at_once(choice: TextChoice, tmp_path: Path) -> None:
    path = tmp_path / "<b>.csv"
    path.write_bytes(b"\x00\x01\x02")
    *_, note, table = choice._look_into(str(path))
    assert 'role="alert"' in note and "<b>.csv" not in note
    assert table["visible"] is False


def test_cards_never_carry_markup() -> None:
    assert "<script" not in count_card(HOSTILE)
    assert "5 words" in count_card("five words are in this") and "1 passage," in count_card(HOSTILE)
    assert "2 passages and 1 question" in count_card(
        "The first passage has at least eight words in it.\n\n"
        "And so has the second one, which stands below it.\n\nQ: Who? A: Nobody."
    )
    assert count_card("") == ""


def test_an_example_says_what_it_holds() -> None:
    card = example_card("preset:world/forget")
    assert "30 passages and 48 questions with answers" in card and card.count("<li>") == 3


def test_a_preset_without_its_files_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearning.data.world.FOLDER", Path("/nowhere"))
    assert 'role="alert"' in example_card("preset:world/forget")


def test_benchmarks_are_offered_and_looked_at_without_reading_them(
    choice: TextChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str) -> None:
        raise AssertionError(f"{source} was read")

    assert choice.example.choices[0][1] == "preset:world/forget"
    offered = {value for _, value in choice.benchmark.choices}
    assert {"preset:tofu/forget10", "preset:muse-news/scal_4", "preset:wmdp/bio"} <= offered
    monkeypatch.setattr("dashboard.text_cards.load", refuse)
    card = example_card("preset:tofu/forget10")
    assert "locuslab/TOFU" in card and "forgotten" in card
