"""Source strings: files, presets, standard input; live prompts; companions of a forget text."""

from __future__ import annotations

import io

import pytest

from unlearning.data import world
from unlearning.data.base import Example, Message
from unlearning.data.columns import Columns
from unlearning.data.roles import companions, without
from unlearning.data.sources import PRESETS, load, pinned_prompts
from unlearning.errors import UserError


def texts(*words: str) -> list[Example]:
    return [Example(id=str(i), text=word) for i, word in enumerate(words)]


@pytest.fixture
def small_world(tmp_path, monkeypatch):
    """A folder in the place of the embedded texts."""
    for split in ("forget", "retain"):
        (tmp_path / f"{split}.jsonl").write_text(
            f'{{"id": "{split}", "kind": "passage", "group": "record", "text": "{split} text"}}\n'
        )
    monkeypatch.setattr(world, "FOLDER", tmp_path)


def test_files(tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("a,b\nWho?,Ilva\n,Bo\n")
    notices: list[str] = []
    chosen = Columns(question="a", answer="b")
    (found,) = load(str(path), columns=chosen, notices=notices)
    assert (found.question, found.answer) == ("Who?", "Ilva")
    assert notices == ["mine.csv: 1 row(s) with an empty cell were left out."]
    with pytest.raises(UserError, match="There is no file"):
        load(str(tmp_path / "none.csv"))
    with pytest.raises(UserError, match="No text is named"):
        load(" ")


def test_columns_in_a_source(tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("who,said,x:y\nBo Ash,The ice melts.,one two\n")
    assert load(f"{path}:said")[0].text == "The ice melts."
    (found,) = load(f"{path}:who+said")
    assert (found.question, found.answer) == ("Bo Ash", "The ice melts.")
    assert load(f"{path}:x:y")[0].text == "one two", "a column may have a colon in its name"
    with pytest.raises(UserError, match="no column 'body'") as caught:
        load(f"{path}:body")
    assert caught.value.hint == "It has: who, said, x:y."
    for wrong in ("", "+said", "who+said+x:y"):
        with pytest.raises(UserError, match="does not say what to read") as caught:
            load(f"{path}:{wrong}")
        assert "QUESTION+ANSWER" in caught.value.hint
    with pytest.raises(UserError) as caught:
        load(str(path))
    assert "FILE:COLUMN" in caught.value.hint
    with pytest.raises(UserError, match="There is no file"):
        load(f"{tmp_path / 'none.csv'}:said")
    plain = tmp_path / "mine.txt"
    plain.write_text("Some words.")
    with pytest.raises(UserError, match="plain text and has no columns"):
        load(f"{plain}:said")


def test_a_file_whose_name_holds_a_colon_wins(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("b.csv\nthe column\n")
    assert load("a.csv:b.csv")[0].text == "the column"
    (tmp_path / "a.csv:b.csv").write_text("c\nthe file\n")
    assert load("a.csv:b.csv")[0].text == "the file"
    (tmp_path / r"C:\mine.csv").write_text("c,d\nthe drive,letter\n")
    assert load(r"C:\mine.csv:c")[0].text == "the drive"


def test_a_column_of_chats_in_a_source(tmp_path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"id": 1, "turns": null}\n{"id": 2, "turns": [{"role": "user", "content": "hi"}, '
        '{"role": "assistant", "content": "hello"}]}\n'
    )
    assert [example.kind for example in load(f"{path}:turns")] == ["chat"]


def test_presets(small_world) -> None:
    assert load("preset:world/retain")[0].text == "retain text"
    assert load("preset:world")[0].id == "forget", "the first split is the default"
    with pytest.raises(UserError, match="no preset named 'tofa'") as caught:
        load("preset:tofa/forget10")
    assert "world" in caught.value.hint
    with pytest.raises(UserError, match="no split 'past'") as caught:
        load("preset:world/past")
    assert "general_validation" in caught.value.hint
    assert len(load("preset:world/forget/record")) == 1
    with pytest.raises(UserError, match="no group 'author'") as caught:
        load("preset:world/forget/author")
    assert caught.value.hint == "It has: record."
    with pytest.raises(UserError, match=r"general\.jsonl is missing"):
        load("preset:world/general")


def test_presets_are_described() -> None:
    for name, preset in PRESETS.items():
        assert preset.name == name and preset.title and preset.description.endswith(".")
        assert all(sentence.endswith(".") for sentence in preset.splits.values())
        assert set(preset.roles.values()) <= set(preset.splits)
        for split, roles in preset.companions.items():
            assert {split, *roles.values()} <= set(preset.splits)


@pytest.mark.parametrize("split", world.WORLD.splits)
def test_shipped_splits_have_text_and_ids_of_their_own(split) -> None:
    if not (world.FOLDER / f"{split}.jsonl").is_file():
        pytest.skip("the embedded texts are not in this checkout")
    examples = load(f"preset:world/{split}")
    assert len({e.id for e in examples}) == len(examples) > 10
    assert all(e.target.strip() and e.group for e in examples)


def test_standard_input() -> None:
    (passage,) = load("-", stdin=io.StringIO("The harbour was closed for nine days."))
    assert passage.text.startswith("The harbour")
    lines = io.StringIO('{"question": "Who?", "answer": "Ilva"}\n')
    assert load("-", stdin=lines)[0].answer == "Ilva"
    listed = io.StringIO('[\n {"text": "one two"}, {"text": "three four"}]')
    assert [example.text for example in load("-", stdin=listed)] == ["one two", "three four"]
    (note,) = load("-", stdin=io.StringIO("[A note] and what follows it."))
    assert note.text.startswith("[A note]"), "a bracket alone does not make a list"
    with pytest.raises(UserError, match="There is no text"):
        load("-", stdin=io.StringIO(""))


@pytest.mark.parametrize(
    ("encoding", "errors"), [("ascii", "surrogateescape"), ("utf-8", "strict")]
)
def test_standard_input_is_read_like_a_file(encoding, errors) -> None:
    def piped(data: bytes) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(data), encoding=encoding, errors=errors)

    for codec in ("utf-8", "utf-8-sig", "utf-16"):
        (found,) = load("-", stdin=piped("Café noir\r\net plus".encode(codec)))
        assert found.text == "Café noir\net plus"
    with pytest.raises(UserError, match="standard input is not UTF-8 text: 0xe9 at byte offset 3"):
        load("-", stdin=piped("Café noir".encode("latin-1")))


def test_pinned_prompts_go_round_the_groups() -> None:
    article = "one two three four five six seven eight nine ten eleven twelve thirteen " * 3
    examples = [
        Example(id="1", group="article", text=article),
        Example(id="2", group="article", text="next " * 30),
        Example(id="3", group="record", text="a short record here"),
        Example(id="4", group="author", kind="qa", question="Who?", answer="Ilva"),
        Example(id="5", group="author", kind="qa", question="Who?", answer="Bo"),
    ]
    first = "one two three four five six seven eight nine ten eleven twelve"
    every = [first, "a short", "Who?", " ".join(["next"] * 12)]
    assert pinned_prompts(examples, 9) == every
    assert pinned_prompts(examples, 3) == every[:3]
    turns = (Message(role="user", content="hi"), Message(role="assistant", content="hello"))
    assert pinned_prompts([Example(id="6", kind="chat", messages=turns)], 1) == ["hi"]
    assert pinned_prompts([], 4) == []


def test_companions() -> None:
    assert companions("preset:world/forget", "demo") == {
        "retain": "preset:world/retain",
        "generic": "preset:world/general",
        "holdout": "preset:world/holdout",
    }
    assert companions("preset:world", "demo")["retain"] == "preset:world/retain"
    assert companions("preset:world/forget/record", "demo") == {
        "retain": "preset:world/retain/record",
        "generic": "preset:world/general",
        "holdout": "preset:world/holdout/record",
    }
    assert "retain" not in companions("preset:world/retain", "demo")
    assert companions("mine.txt", "demo-retain") == {"generic": "preset:world/general"}
    assert companions("mine.txt", "owner/other-model") == {}
    assert companions("hub:owner/name:text", "owner/other-model") == {}


def test_without_drops_what_is_also_forgotten() -> None:
    retain = texts("kept", "the  same\ntext", "same text")
    kept, dropped = without(retain, texts("the same text"))
    assert [e.text for e in kept] == ["kept", "same text"] and dropped == 1
    asked = Example(id="q", kind="qa", question="Who?", answer="Ilva")
    other = asked.model_copy(update={"answer": "Bo"})
    assert without([asked, other], [asked]) == ([other], 1)
