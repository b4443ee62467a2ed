"""Which words are focused on, and the way of a mark from a character to a target token."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.tokenizers import QWEN, byte_level, merging, metaspace
from unlearning.data.base import Example, Message
from unlearning.data.encode import collate, encode
from unlearning.data.marks import touching
from unlearning.errors import UserError
from unlearning.methods._focus import marks, names
from unlearning.models.passes import Pass

TOKENIZERS = {"byte-level": byte_level, "merging": merging, "sentencepiece-like": metaspace}
SENTENCES = st.lists(
    st.text(alphabet="ABCabcdeinrsé .,1", min_size=1, max_size=9), min_size=1, max_size=30
).map(" ".join)


def found(*texts: str) -> list[list[str]]:
    spans = names(texts)
    return [[text[a:b] for a, b in marked] for text, marked in zip(texts, spans, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The keeper met Ilva Brandt in Port Brannoch.", ["Ilva", "Brandt", "Port", "Brannoch"]),
        ("She left. Then Ilva spoke. Ilva was calm.", ["Ilva", "Ilva"]),
        ("It rained. I think I'm late, said Jo.", ["Jo"]),
        (
            "Born 12 May 1990 at 12:30, he owned 3,000.5 acres.",
            ["12", "May", "1990", "12:30", "3,000.5"],
        ),
        ("On 2024-07-26 the 19th came.", ["2024-07-26", "19th"]),
        ("we saw Dr. Grey and Mr. J. Reed. They waved.", ["Dr", "Grey", "Mr", "J", "Reed"]),
        ("Author: Ilva\nTown: Brannoch", ["Ilva", "Brannoch"]),
        ('he said, "The end." and "Well"', []),
        ("O'Neill met Jean-Luc. By then O'Neill knew.", ["O'Neill", "Jean-Luc", "O'Neill"]),
        ("nothing here", []),
        ("Он видел Москву.", ["Москву"]),
        ("東京は大きい 12", ["12"]),
    ],
)
def test_names_and_numbers(text: str, expected: list[str]) -> None:
    assert found(text) == [expected]


def test_a_first_word_counts_if_it_is_a_name_anywhere_and_lower_case_nowhere() -> None:
    assert found("Ilva sang.", "We heard Ilva.") == [["Ilva"], ["Ilva"]]
    assert found("Will came.", "We saw Will.", "It will do.") == [[], ["Will"], []]


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=200, deadline=None)
def test_marks_are_stretches_in_order(texts: list[str]) -> None:
    for text, marked in zip(texts, names(texts), strict=True):
        edges = [edge for mark in marked for edge in mark]
        assert edges == sorted(edges)
        assert all(0 <= a < b <= len(text) for a, b in marked)
        assert all(text[a].isupper() or any(map(str.isdigit, text[a:b])) for a, b in marked)


def test_nothing_to_focus_on_is_said() -> None:
    with pytest.raises(UserError, match="finds no such word"):
        marks(["all lower case"], "names")


def test_spacy_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)  # as if it were not installed
    with pytest.raises(UserError, match="needs spaCy") as error:
        marks(["Ilva sang."], "entities")
    assert "pip install spacy" in error.value.hint and "focus=names" in error.value.hint


def test_entities_and_nouns_are_spacys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with spaCy's interface: entities are capitalised, chunks are first words."""

    def read(text: str) -> SimpleNamespace:
        span = SimpleNamespace(start_char=0, end_char=text.index(" "))
        entity = SimpleNamespace(start_char=text.index("Ilva"), end_char=text.index("Ilva") + 4)
        return SimpleNamespace(ents=[entity], noun_chunks=iter([span]))

    module = ModuleType("spacy")
    module.load = lambda name: SimpleNamespace(pipe=lambda texts: map(read, texts))
    monkeypatch.setitem(sys.modules, "spacy", module)
    assert marks(["keepers saw Ilva"], "entities") == [[(12, 16)]]
    assert marks(["keepers saw Ilva"], "nouns") == [[(0, 7)]]


@given(text=SENTENCES, kind=st.sampled_from(sorted(TOKENIZERS)), data=st.data())
@settings(max_examples=150, deadline=None)
def test_tokens_that_touch_a_mark_are_those_that_hold_its_characters(text, kind, data) -> None:
    tokenizer = TOKENIZERS[kind]()
    begin = len(text) - len(text.lstrip())
    if not text.strip():
        return
    start = data.draw(st.integers(begin, len(text.rstrip()) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    touched = touching(text, text, 0, [(start, end)], tokenizer)
    told = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    for i, (a, b) in enumerate(told["offset_mapping"]):
        assert (i in touched) == bool(set(range(a, b)) & set(range(start, end)))
    covered = {c for i in touched for c in range(*told["offset_mapping"][i])}
    # Some tokenizers give a space to no token.
    assert set(range(start, end)) - covered <= {i for i, c in enumerate(text) if c.isspace()}


@given(count=st.integers(1, 120), limit=st.integers(16, 60), bos=st.sampled_from(["<s>", None]))
@settings(max_examples=60, deadline=None)
def test_windows_keep_the_focus_of_the_whole_passage(count, limit, bos) -> None:
    tokenizer = byte_level(bos=bos)
    words = ["Ilva" if i % 7 == 3 else "there" for i in range(count)]
    text = " ".join(words)
    marked = [_span(words, i) for i in range(count) if i % 7 == 3]
    example = Example(id="p", text=text)
    (whole,) = encode([example], tokenizer, max_length=5000, marks=[marked])
    windows = encode([example], tokenizer, max_length=limit, marks=[marked])
    ids, flags = [], []
    for place, window in enumerate(windows):
        lead = 1 if bos or place else 0
        ids += window.ids[lead:]
        flags += [i in window.focused for i in range(lead, len(window.ids))]
        assert list(window.focused) == sorted(window.focused)
        assert all(i >= lead for i in window.focused)
    own = 1 if bos else 0
    assert ids == list(whole.ids[own:])
    assert flags == [i in whole.focused for i in range(own, len(whole.ids))]
    for window in windows:
        text_of = tokenizer.decode([window.ids[i] for i in window.focused])
        assert set(text_of.replace(" ", "")) <= set("Ilva")


def _span(words: list[str], index: int) -> tuple[int, int]:
    start = sum(len(word) + 1 for word in words[:index])
    return start, start + len(words[index])


ANSWERS = [
    Example(id="q", kind="qa", question="Where does Ilva live?", answer="In Paris by Ilva."),
    Example(
        id="c",
        kind="chat",
        messages=(
            Message(role="user", content="In Paris?"),
            Message(role="assistant", content=" In Paris by Ilva. "),
        ),
    ),
]


@pytest.mark.parametrize("template", ["", QWEN], ids=["plain", "template"])
@pytest.mark.parametrize("example", ANSWERS, ids=["qa", "chat"])
def test_answers_are_marked_behind_their_prompt(example: Example, template: str) -> None:
    tokenizer = byte_level(template=template)
    at = example.target.index("Paris")
    (item,) = encode([example], tokenizer, max_length=200, marks=[[(at, at + 5)]])
    assert tokenizer.decode([item.ids[i] for i in item.focused]).strip() == "Paris"
    assert all(i >= item.labels_from for i in item.focused)
    tokens = collate([item], 0)
    logits_BTV = torch.zeros(*tokens.ids_BT.shape, 400)
    one = Pass(logits_BTV, tokens.labels_BT, focus_BT=tokens.focus_BT)
    predicted = one.target_BS[one.focus_BS.bool()]
    assert tokenizer.decode(predicted.tolist()).strip() == "Paris"


def test_a_tokenizer_without_places_is_refused() -> None:
    with pytest.raises(UserError, match="does not tell where"):
        touching("a b", "a b", 0, [], SimpleNamespace(is_fast=False))


def test_without_marks_nothing_is_focused() -> None:
    (item,) = encode([Example(id="p", text="Paris there")], byte_level(), max_length=50)
    assert item.focused == ()
    tokens = collate([item], 0)
    assert not tokens.focus_BT.any()
