"""Answer masks, the token boundary, windows, padding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.tokenizers import byte_level, merging, metaspace
from unlearning.data.base import Example, Message
from unlearning.data.encode import Encoded, collate, encode, prompt_ids
from unlearning.errors import UserError
from unlearning.metrics.base import PREFIX_TOKENS

KINDS = {
    "byte-level": lambda: byte_level(),
    "byte-level without BOS": lambda: byte_level(bos=None),
    "one token for begin and end": lambda: byte_level(bos="</s>"),
    "merges across the boundary": lambda: merging(),
    "merges, without BOS": lambda: merging(bos=None),
    "sentencepiece-like": lambda: metaspace(),
    "sentencepiece-like without BOS": lambda: metaspace(bos=None),
}
WORDS = st.text(alphabet="ABCabcdeinrsPaivl?.,:A1", min_size=1, max_size=9)
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


def qa(question: str = "Where does Ilva live?", answer: str = "Ilva lives in Paris.") -> Example:
    return Example(id="q", kind="qa", question=question, answer=answer)


def words(count: int) -> str:
    return " ".join(["Paris"] * count)


@pytest.fixture(params=KINDS)
def tokenizer(request):
    return KINDS[request.param]()


@given(question=SENTENCES, answer=SENTENCES, kind=st.sampled_from(sorted(KINDS)))
@settings(max_examples=150, deadline=None)
def test_every_character_of_the_answer_is_labelled(question, answer, kind) -> None:
    tokenizer = KINDS[kind]()
    (item,) = encode([qa(question, answer)], tokenizer, max_length=512)
    context = tokenizer.decode(item.ids[: item.labels_from], skip_special_tokens=True)
    trained = tokenizer.decode(item.ids[item.labels_from :], skip_special_tokens=True)
    prompt = f"Question: {question}\nAnswer:"
    assert prompt.startswith(context.lstrip(" "))
    assert trained.endswith(answer)
    whole = tokenizer.decode(item.ids, skip_special_tokens=True)
    assert whole == f"{prompt} {answer}"
    assert item.scored_from == item.labels_from
    assert item.ends and item.ids[-1] == tokenizer.eos_token_id


def test_the_space_belongs_to_the_answer() -> None:
    tokenizer = byte_level()
    (item,) = encode([qa(answer="Paris")], tokenizer, max_length=64)
    first = tokenizer.convert_ids_to_tokens([item.ids[item.labels_from]])[0]
    assert first.startswith("Ġ") and len(first) > 1
    assert list(item.ids[: item.labels_from]) == prompt_ids(
        "Where does Ilva live?", tokenizer, kind="question"
    )


def test_a_merge_across_the_boundary_is_trained() -> None:
    tokenizer = merging()
    (item,) = encode([qa("Who wrote it?", "Paris")], tokenizer, max_length=64)
    alone = tokenizer("Question: Who wrote it?\nAnswer:", add_special_tokens=False)["input_ids"]
    assert list(item.ids[1 : 1 + len(alone)]) != alone, "the fixture merges across the boundary"
    assert tokenizer.decode(item.ids[item.labels_from : -1]).endswith("Paris")
    assert not tokenizer.decode(item.ids[1 : item.labels_from]).endswith("Answer:")


def test_passages_begin_and_end(tokenizer) -> None:
    (item,) = encode([Example(id="p", text=words(60))], tokenizer, max_length=512)
    begins = tokenizer.bos_token_id is not None
    assert (item.ids[0] == tokenizer.bos_token_id) == begins
    assert item.labels_from == 1 and item.ends
    assert item.ids[-1] == tokenizer.eos_token_id
    own = len(item.ids) - begins - 1
    assert item.scored_from == begins + (PREFIX_TOKENS if own >= 40 else max(1, own // 2))


def test_short_passages_keep_half_for_scoring() -> None:
    tokenizer = byte_level()
    (item,) = encode([Example(id="p", text=words(10))], tokenizer, max_length=64)
    own = len(item.ids) - 2
    assert own < 40 and item.scored_from == 1 + own // 2
    (one,) = encode([Example(id="p", text="a")], tokenizer, max_length=64)
    assert len(one.ids) == 3 and one.scored_from == 2


def test_no_end_token_where_the_tokenizer_has_none() -> None:
    tokenizer = byte_level(eos=None)
    for item in encode([Example(id="p", text=words(9)), qa()], tokenizer, max_length=64):
        assert not item.ends
        assert tokenizer.decode(item.ids)[-1] in "s."


@given(count=st.integers(1, 400), limit=st.integers(16, 90), bos=st.sampled_from(["<s>", None]))
@settings(max_examples=100, deadline=None)
def test_windows_cover_a_long_passage_evenly(count, limit, bos) -> None:
    tokenizer = byte_level(bos=bos)
    whole = tokenizer(words(count), add_special_tokens=False)["input_ids"]
    notices: list[str] = []
    texts = [Example(id="p", text=words(count)), Example(id="s", text="hello there")]
    items = encode(texts, tokenizer, max_length=limit, notices=notices)
    *windows, short = items
    assert short.example == 1 and all(w.example == 0 for w in windows)
    assert all(len(w.ids) <= limit and w.labels_from == 1 for w in windows)
    assert [w.ends for w in windows] == [False] * (len(windows) - 1) + [True]
    owned = [w.ids[1:] if bos or i else w.ids for i, w in enumerate(windows)]
    lengths = [len(part) - w.ends for part, w in zip(owned, windows, strict=True)]
    assert [t for part in owned for t in part][:-1] == whole
    assert max(lengths) - min(lengths) <= 1
    if bos is None:
        # Every token but the very first has a label: a window starts with the last one's end.
        assert all(b.ids[0] == a.ids[-1] for a, b in zip(windows, windows[1:], strict=False))
    cut = f"1 passage(s) longer than {limit} tokens were cut into {len(windows)} windows."
    assert notices == ([cut] if len(windows) > 1 else [])


def test_answers_are_never_cut(tokenizer) -> None:
    with pytest.raises(UserError) as caught:
        encode([qa(answer=words(80))], tokenizer, max_length=32)
    assert "'q'" in caught.value.message and "32" in caught.value.message
    assert "max_length" in caught.value.hint


@pytest.mark.parametrize(
    "example",
    [
        Example(id="x", text=""),
        Example(id="x", text="  \n"),
        Example(id="x", kind="qa", question="Who?", answer=" "),
        Example(id="x", kind="chat", messages=(Message(role="assistant", content=""),)),
    ],
)
def test_nothing_to_train_on_is_refused(example, tokenizer) -> None:
    with pytest.raises(UserError, match="'x' leaves no token to train on"):
        encode([example], tokenizer, max_length=64)


def test_a_single_first_token_has_no_label() -> None:
    with pytest.raises(UserError, match="no token to train on"):
        encode([Example(id="x", text="a")], byte_level(bos=None), max_length=64)


def test_chats_without_a_template_are_written_out() -> None:
    tokenizer = byte_level()
    turns = (Message(role="user", content="hello"), Message(role="assistant", content="hi"))
    (item,) = encode([Example(id="c", kind="chat", messages=turns)], tokenizer, max_length=64)
    assert tokenizer.decode(item.ids) == "<s>User: hello\nAssistant: hi</s>"
    assert tokenizer.decode(item.ids[item.labels_from :]) == " hi</s>"


def test_prompts_as_text_and_as_question(tokenizer) -> None:
    begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    bare = tokenizer("Paris by the", add_special_tokens=False)["input_ids"]
    assert prompt_ids("Paris by the  ", tokenizer, kind="text") == begin + bare
    asked = tokenizer("Question: Who?\nAnswer:", add_special_tokens=False)["input_ids"]
    assert prompt_ids(" Who? ", tokenizer, kind="question") == begin + asked
    with pytest.raises(UserError, match="empty"):
        prompt_ids(" \n", tokenizer, kind="text")


def test_no_examples_no_tokens(tokenizer) -> None:
    assert encode([], tokenizer, max_length=64) == []


@pytest.mark.parametrize("multiple_of", [1, 8, 16])
def test_collate_pads_to_the_right(multiple_of) -> None:
    batch = [
        Encoded((1, 5, 6, 7, 2), labels_from=3, scored_from=3, ends=True, example=0),
        Encoded((1, 9), labels_from=1, scored_from=1, ends=False, example=1),
    ]
    tokens = collate(batch, 2, multiple_of=multiple_of)
    width = -(-5 // multiple_of) * multiple_of
    assert tokens.ids_BT.shape == (2, width) and tokens.ids_BT.dtype == torch.int64
    assert tokens.ids_BT[0, :5].tolist() == [1, 5, 6, 7, 2]
    assert tokens.ids_BT[1].tolist() == [1, 9] + [2] * (width - 2)
    assert tokens.attention_BT.sum(dim=1).tolist() == [5, 2]
    assert tokens.labels_BT[0].tolist() == [-100] * 3 + [7, 2] + [-100] * (width - 5)
    assert tokens.labels_BT[1].tolist() == [-100, 9] + [-100] * (width - 2)


def test_bare_questions_stand_as_they_are() -> None:
    tokenizer = byte_level()
    bare = Example(id="b", kind="qa", bare=True, question="Ilva lives in", answer="Port Brannoch")
    (item,) = encode([bare], tokenizer, max_length=64)
    text = tokenizer.decode(item.ids[1:-1])
    assert text == "Ilva lives in Port Brannoch"
    assert tokenizer.decode(item.ids[item.labels_from : -1]) == " Port Brannoch"
    assert item.scored_from == item.labels_from and item.ends
