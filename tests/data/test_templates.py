"""Chat templates: where the answer starts, and how a turn ends."""

from __future__ import annotations

import pytest

from tests.data.tokenizers import DATED, QWEN, STRIPPING, THINKING, byte_level
from unlearning.data.base import Example, Message
from unlearning.data.encode import encode, prompt_ids
from unlearning.data.templates import PINNED_DATE
from unlearning.errors import UserError

QA = Example(id="q", kind="qa", question="Who wrote it?", answer="Ilva did")


def chat(*turns: tuple[str, str]) -> Example:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Example(id="c", kind="chat", messages=messages)


def parts(example: Example, tokenizer) -> tuple[str, str]:
    """The context and the trained text of an encoded example."""
    (item,) = encode([example], tokenizer, max_length=256)
    assert item.ends and item.scored_from == item.labels_from
    return tokenizer.decode(item.ids[: item.labels_from]), tokenizer.decode(
        item.ids[item.labels_from :]
    )


def test_qwen_style_ends_with_its_turn_token() -> None:
    tokenizer = byte_level(bos=None, template=QWEN)
    context, trained = parts(QA, tokenizer)
    assert context == "<|im_start|>user\nWho wrote it?<|im_end|>\n<|im_start|>assistant\n"
    assert trained == "Ilva did<|im_end|>"
    asked = prompt_ids("Who wrote it?", tokenizer, kind="question")
    assert tokenizer.decode(asked) == context


def test_only_the_last_message_is_trained() -> None:
    tokenizer = byte_level(template=QWEN)
    turns = (("system", "be kind"), ("user", "hi"), ("assistant", "hello"), ("user", "and?"))
    context, trained = parts(chat(*turns, ("assistant", "hello again")), tokenizer)
    assert "hello<|im_end|>" in context and context.endswith("<|im_start|>assistant\n")
    assert trained == "hello again<|im_end|>"


@pytest.mark.parametrize("answer", ["s", "end", "im_end", "</s", "  Ilva did \n"])
def test_stripping_and_answers_that_look_like_the_turn_token(answer) -> None:
    tokenizer = byte_level(template=STRIPPING)
    context, trained = parts(QA.model_copy(update={"answer": answer}), tokenizer)
    assert context == "<s>[INST] Who wrote it? [/INST]"
    assert trained == f" {answer.strip()} </s>"
    assert context.count("<s>") == 1, "the template writes the beginning itself"


def test_a_refused_system_message_moves_into_the_first_turn() -> None:
    tokenizer = byte_level(template=STRIPPING)
    turns = (("system", "be kind"), ("user", "hi"), ("assistant", "hello"))
    context, trained = parts(chat(*turns), tokenizer)
    assert context == "<s>[INST] be kind\n\nhi [/INST]" and trained == " hello </s>"


def test_a_refusing_template_is_said_so() -> None:
    template = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(UserError, match="'q'.*refuses it: roles must alternate"):
        encode([QA], byte_level(template=template), max_length=64)
    with pytest.raises(UserError, match="The question.*refuses it"):
        prompt_ids("hi", byte_level(template=template), kind="question")


def test_an_answer_that_the_template_changes_is_refused() -> None:
    template = "{% for m in messages %}{{ m.role }} {{ m.content | upper }}</s>{% endfor %}"
    with pytest.raises(UserError, match="changes the answer"):
        encode([QA], byte_level(template=template), max_length=64)


def test_an_inserted_thinking_block_is_context() -> None:
    context, trained = parts(QA, byte_level(template=THINKING))
    assert context.endswith("</think>\n\n") and trained == "Ilva did<|im_end|>"


def test_an_end_without_special_token_gets_the_end_of_text() -> None:
    template = "{% for m in messages %}### {{ m.role }}\n{{ m.content }}\n\n{% endfor %}"
    template += "{% if add_generation_prompt %}### assistant\n{% endif %}"
    context, trained = parts(QA, byte_level(template=template))
    assert context.endswith("### assistant\n") and trained == "Ilva did</s>"


def test_dates_are_pinned() -> None:
    context, _ = parts(QA, byte_level(template=DATED))
    assert context.startswith(f"{PINNED_DATE} {PINNED_DATE}\n<|im_start|>user")


def test_passages_take_no_template() -> None:
    tokenizer = byte_level(template=QWEN)
    (item,) = encode([Example(id="p", text="hello there")], tokenizer, max_length=64)
    assert tokenizer.decode(item.ids) == "<s>hello there</s>"
