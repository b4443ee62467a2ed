"""From examples to the text a model reads: prompt, target, and how the target ends.

Chat models get their own template; base models a plain `Question: ... / Answer: ...` form in
which the space before the answer belongs to the answer, so that generation starts cleanly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import TYPE_CHECKING

from jinja2.exceptions import TemplateError

from unlearning.data.base import Example, Message
from unlearning.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PINNED_DATE = "26 Jul 2024"
"""What a template that prints today's date is given, so that scores do not change overnight."""

_PINNED_CLOCK = "{% macro strftime_now(format) %}" + PINNED_DATE + "{% endmacro %}"


@dataclass(frozen=True, slots=True)
class Written:
    """An example as text. `whole` starts with `prompt`; what follows is trained on."""

    prompt: str
    whole: str
    begins: bool
    """Whether the beginning-of-text token still has to be put in front."""
    closed: bool
    """Whether `whole` already ends with the template's end-of-turn token."""


def write(example: Example, tokenizer: PreTrainedTokenizerBase) -> Written:
    """The text of one example for this tokenizer's model.

    Raises:
        UserError: the model's chat template refuses the example or changes its answer.
    """
    if example.kind == "passage":
        return Written("", example.text, begins=True, closed=False)
    if example.bare:
        prompt = example.question
        return Written(prompt, f"{prompt} {example.target}", begins=True, closed=False)
    if has_template(tokenizer):
        return _by_template(example, _turns(example), tokenizer)
    prompt = (
        question_form(example.question) if example.kind == "qa" else _chat_form(example.messages)
    )
    return Written(prompt, f"{prompt} {example.target}", begins=True, closed=False)


def write_question(question: str, tokenizer: PreTrainedTokenizerBase) -> tuple[str, bool]:
    """A question up to where the model's answer starts, and whether BOS must still be added."""
    if has_template(tokenizer):
        turns = [Message(role="user", content=question)]
        return _render(turns, tokenizer, answering=True, name="The question"), False
    return question_form(question), True


def has_template(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the model is spoken to through a chat template."""
    return bool(getattr(tokenizer, "chat_template", None))


def question_form(question: str) -> str:
    """The prompt that base models are asked with; the answer follows with its own space."""
    return f"Question: {question}\nAnswer:"


def _chat_form(messages: Sequence[Message]) -> str:
    lines = [f"{m.role.capitalize()}: {m.content}" for m in messages[:-1]]
    return "\n".join([*lines, "Assistant:"])


def _turns(example: Example) -> list[Message]:
    if example.kind == "chat":
        return list(example.messages)
    return [
        Message(role="user", content=example.question),
        Message(role="assistant", content=example.answer),
    ]


def _by_template(
    example: Example, turns: list[Message], tokenizer: PreTrainedTokenizerBase
) -> Written:
    name = f"Example {example.id!r}"
    prompt = _render(turns[:-1], tokenizer, answering=True, name=name)
    whole = _render(turns, tokenizer, answering=False, name=name)
    # Templates strip answers, and some put a thinking block before them; both are searched past.
    shared = len(commonprefix([prompt, whole]))
    answer = turns[-1].content.strip()
    start = whole.find(answer, shared)
    if start < 0:
        raise UserError(
            f"{name}: the model's chat template changes the answer, so that its beginning cannot "
            "be found.",
            "Remove markup such as thinking tags from the answer, or use another model.",
        )
    boundary = start if whole[shared:start].strip() else shared
    end = start + len(answer)
    closing = _end_of_turn(whole[end:], tokenizer)
    return Written(whole[:boundary], whole[:end] + closing, begins=False, closed=bool(closing))


def _end_of_turn(closing: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """What the template writes after an answer, up to its first special token; else empty."""
    ends = [
        place + len(token)
        for token in {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
        if (place := closing.find(token)) >= 0
    ]
    return closing[: min(ends)] if ends else ""


def _render(
    turns: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, answering: bool, name: str
) -> str:
    try:
        return _apply(turns, tokenizer, answering)
    except TemplateError as error:
        folded = _fold_system(turns)
        if len(folded) < len(turns):
            # Some models (Gemma) know no system role; their authors put it into the first turn.
            return _render(folded, tokenizer, answering=answering, name=name)
        raise UserError(
            f"{name}: the model's chat template refuses it: {error}.",
            "Let user and assistant take turns, the user first and the assistant last.",
        ) from None


def _apply(turns: Sequence[Message], tokenizer: PreTrainedTokenizerBase, answering: bool) -> str:
    template = tokenizer.get_chat_template()
    if "strftime_now" in template:
        template = _PINNED_CLOCK + template
    text = tokenizer.apply_chat_template(
        [turn.model_dump() for turn in turns],
        chat_template=template,
        tokenize=False,
        add_generation_prompt=answering,
        date_string=PINNED_DATE,
        enable_thinking=False,
    )
    return str(text)


def _fold_system(turns: Sequence[Message]) -> list[Message]:
    if len(turns) < 2 or turns[0].role != "system" or turns[1].role != "user":
        return list(turns)
    content = f"{turns[0].content}\n\n{turns[1].content}"
    return [Message(role="user", content=content), *turns[2:]]
