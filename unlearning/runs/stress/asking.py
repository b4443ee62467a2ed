"""Put prompts to one model, and score its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unlearning.attacks._probes import Asked
from unlearning.attacks.base import Side
from unlearning.data.base import Role
from unlearning.data.encode import Encoded, prompt_ids
from unlearning.data.templates import has_template
from unlearning.metrics.rouge_l import rouge_l
from unlearning.models.base import STUDENT, Versions
from unlearning.models.figures import read_all
from unlearning.models.generate import generate
from unlearning.runs.stress.ground import Ground, as_it_is

BATCH = 32
"""Prompts continued together."""
BATCH_TOKENS = 4096


@dataclass(frozen=True)
class Item:
    """One example asked for in one way."""

    probe: str
    title: str
    role: Role
    scored: str
    """'recall' or 'choice'."""
    example: str
    asked: Asked
    samples: int = 0
    """Draws at temperature 1, the best of which counts; 0 is one greedy answer."""


@dataclass(frozen=True)
class Outcome:
    """What one model made of an item."""

    text: str
    score: float | None
    """ROUGE-L recall, or 1 for the right choice; None where the words have no score."""
    contained: float | None = None
    """1 where all of the expected words stand there; None for choices."""


def ask(
    ground: Ground, side: Side, items: Sequence[Item], new_tokens: int, seed: int
) -> list[Outcome]:
    """That side's answers, in the order of the items."""
    versions = as_it_is(ground.open(side))
    found: dict[int, list[Outcome]] = {}
    free = [place for place, item in enumerate(items) if item.scored == "recall"]
    for drawn in (False, True):
        rows = [
            place
            for place in free
            if bool(items[place].samples) is drawn
            for _ in range(max(items[place].samples, 1))
        ]
        texts = _continued(ground, versions, [items[p] for p in rows], new_tokens, seed, drawn)
        for place, text in zip(rows, texts, strict=True):
            found.setdefault(place, []).append(_outcome(items[place].asked.reference, text))
    for place, item in enumerate(items):
        if item.scored == "choice":
            found[place] = [_choice(ground, versions, item.asked)]
    ground.tell(f"  {len(items)} prompts answered")
    return [max(found[place], key=_order) for place in range(len(items))]


def contains(text: str, reference: str) -> bool:
    """Whether all of the reference stands in the text, case and spacing aside."""
    return " ".join(reference.split()).casefold() in " ".join(text.split()).casefold()


def ids_of(asked: Asked, versions: Versions, room: int) -> list[int]:
    """Prompt and opening as the model is to continue them; the last `room` tokens of them."""
    tokenizer = versions.tokenizer
    ids = prompt_ids(asked.prompt, tokenizer, kind="question" if asked.question else "text")
    return [*ids, *_said(asked.opening, asked, tokenizer)][-room:]


def _said(text: str, asked: Asked, tokenizer: object) -> list[int]:
    """Tokens of the beginning of an answer."""
    if not text:
        return []
    # After a chat template's turn an answer begins at once, else with the space before it.
    lead = "" if asked.question and has_template(tokenizer) else " "
    return tokenizer(lead + text, add_special_tokens=False)["input_ids"]


def _order(outcome: Outcome) -> tuple[float, float]:
    return (outcome.score if outcome.score is not None else -1.0, outcome.contained or 0.0)


def _outcome(reference: str, text: str) -> Outcome:
    return Outcome(text, rouge_l(reference, text), float(contains(text, reference)))


def _continued(
    ground: Ground,
    versions: Versions,
    items: Sequence[Item],
    new_tokens: int,
    seed: int,
    drawn: bool,
) -> Iterator[str]:
    """The model's continuation of each item, greedy or drawn at temperature 1."""
    room = max(versions.context_length - new_tokens, 1)
    for start in range(0, len(items), BATCH):
        rows = [ids_of(item.asked, versions, room) for item in items[start : start + BATCH]]
        texts = [""] * len(rows)
        for pieces in generate(
            versions,
            rows,
            [STUDENT],
            max_new_tokens=new_tokens,
            temperature=1.0 if drawn else 0.0,
            # Every batch has noise of its own, the same one for every model.
            seed=seed + start,
            stop=ground.stop,
        ):
            for piece in pieces:
                texts[piece.row] += piece.text
        ground.check()
        yield from texts


def _choice(ground: Ground, versions: Versions, asked: Asked) -> Outcome:
    """The option that the model finds most likely, by mean log-probability per token."""
    longest = max(len(_said(option, asked, versions.tokenizer)) for option in asked.options)
    prompt = ids_of(asked, versions, max(versions.context_length - longest, 1))
    encoded = []
    for place, option in enumerate(asked.options):
        ids = (*prompt, *_said(option, asked, versions.tokenizer))
        encoded.append(Encoded(ids, len(prompt), len(prompt), ends=False, example=place))
    read = read_all(versions, STUDENT, encoded, BATCH_TOKENS, ground.stop)
    ground.check()
    means = [float(read[place].logp.mean()) for place in range(len(encoded))]
    chosen = asked.options[int(np.argmax(means))]
    return Outcome(chosen, float(chosen == asked.reference))
