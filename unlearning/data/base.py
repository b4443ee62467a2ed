"""What a text is, before any tokenizer has seen it.

Example: one passage, question with answer, or chat; Role: what a run uses it for.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["forget", "retain", "generic", "holdout", "analogous", "real_authors", "world_facts"]
"""forget: must go. retain: same kind, must stay. generic: ordinary text that guards general
ability. holdout: same kind, never seen in training. analogous: neighbours of the forget text.
real_authors, world_facts: what TOFU measures utility with; nothing trains on them."""

Kind = Literal["passage", "qa", "chat"]


class Message(BaseModel):
    """One turn of a chat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class Example(BaseModel):
    """One text with what is scored in it.

    passage: `text`; every token is trained on, tokens after a 20-token prefix are scored.
    qa: `question` and `answer`; only the answer is trained on and scored.
    chat: `messages`, the last one by the assistant; only that one is trained on and scored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Kind = "passage"
    group: str = ""
    text: str = ""
    question: str = ""
    answer: str = ""
    messages: tuple[Message, ...] = ()
    bare: bool = False
    """qa alone: the model reads the question as it stands, without form or template, then one
    space and the answer. For beginnings of texts, and for prompts that a benchmark prescribes."""
    paraphrased_answer: str | None = None
    """The answer in other words, for the truth ratio."""
    perturbed_answers: tuple[str, ...] = ()
    """Wrong answers of the same form, for the truth ratio."""

    @property
    def target(self) -> str:
        """The text that is trained on."""
        match self.kind:
            case "passage":
                return self.text
            case "qa":
                return self.answer
            case "chat":
                return self.messages[-1].content

    @property
    def prompt(self) -> str:
        """What stands before the target, in words; empty for passages."""
        match self.kind:
            case "passage":
                return ""
            case "qa":
                return self.question
            case "chat":
                return "\n".join(m.content for m in self.messages[:-1])


def digest(examples: Iterable[Example]) -> str:
    """SHA-256 over the examples in order, as hexadecimal."""
    hasher = sha256()
    for example in examples:
        hasher.update(example.model_dump_json().encode())
        hasher.update(b"\n")
    return hasher.hexdigest()
