"""Other answers to the forget prompts: what a method of preferences trains towards.

Refusals are drawn by the run's seed, given answers come with the examples, and generated ones are
sampled from the run's original model at temperature 1. Alternate preference optimization asks an
instruct model to rewrite each answer with other facts. A model that knows the text by heart and
follows no instruction would only recite it, so here it writes on from the prompt itself, and what
it must not write is the true text: any four tokens in a row of it (all of it, where it is
shorter) are barred. Names of up to three tokens can still come through.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from unlearning.data.answers import Asked, with_answers
from unlearning.data.encode import Encoded
from unlearning.data.refusals import REFUSALS
from unlearning.errors import UserError
from unlearning.methods.base import Method
from unlearning.models.figures import batches
from unlearning.models.generate import generate
from unlearning.models.versions import Versions
from unlearning.runs.measure import TextSet
from unlearning.runs.store import write_atomically

PREFERRED = "preferred"
BARRED = 4
"""Tokens in a row that count as reciting."""
LONGEST = 128
"""Tokens of a generated answer."""
SLACK = 8
"""Tokens by which a generated answer may be longer than the true one."""
BATCH_TOKENS = 4096

Answers = list[list[Encoded]]
"""For each forget sequence, the other answers found so far."""


@dataclass
class Found:
    """The set whose sequences i * n to i * n + n - 1 are other answers to forget prompt i."""

    encoded: list[Encoded]
    notices: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Keep the tokens: a sample may come out otherwise on another machine."""
        write_atomically(path, json.dumps([asdict(item) for item in self.encoded]))

    @classmethod
    def load(cls, path: Path) -> Found:
        """What `save` wrote."""
        rows = json.loads(path.read_text(encoding="utf-8"))
        # JSON has no tuples.
        fields = [{k: tuple(v) if isinstance(v, list) else v for k, v in r.items()} for r in rows]
        return cls([Encoded(**one) for one in fields])


def find(
    method: Method,
    versions: Versions,
    version: str,
    forget: TextSet,
    *,
    seed: int,
    length: int,
    stop: Callable[[], bool],
) -> Found:
    """`method.preferred_answers()` other answers for each forget sequence, of at most `length`
    tokens with their prompt. Where fewer are found, they are repeated.

    When `stop` goes up, refusals stand in for what is missing; such a run ends before its first
    step.

    Raises:
        UserError: a prompt leaves no room for any answer.
    """
    count, size, source = method.preferred_answers(), len(forget.encoded), method.preferred
    answers: Answers = [[] for _ in range(size)]
    notices = []
    if source == "given":
        answers = given(forget, versions, count, length)
        theirs = sum(map(bool, answers))
        notices.append(
            f"Other answers: {theirs} of {size} forget sequence(s) bring wrong answers of their "
            "own."
        )
    missing = [i for i, found in enumerate(answers) if not found]
    if source in ("given", "generated") and missing:
        written = generated(versions, version, forget, missing, count, seed, length, stop)
        for i, found in zip(missing, written, strict=True):
            answers[i] = found
        theirs = sum(map(bool, written))
        notices.append(
            f"Other answers: the original model wrote up to {count} each for {theirs} of {size} "
            "forget sequence(s), barred from reciting them."
        )
    missing = [i for i, found in enumerate(answers) if not found]
    if missing:
        declined = refusals(forget, versions, missing, count, seed, length)
        for i, found in zip(missing, declined, strict=True):
            answers[i] = found
        notices.append(
            f"Other answers: refusals, {count} each, for {len(missing)} of {size} forget "
            "sequence(s)."
        )
    level = [found[k % len(found)] for found in answers for k in range(count)]
    return Found(level, notices)


def refusals(
    forget: TextSet,
    versions: Versions,
    places: Sequence[int],
    count: int,
    seed: int,
    length: int,
) -> Answers:
    """`count` sentences for each of these forget sequences, drawn by the seed without repetition.

    Raises:
        UserError: not even the shortest sentence fits behind a prompt.
    """
    orders = [Random(f"{seed}/refusal/{i}").sample(REFUSALS, len(REFUSALS)) for i in places]
    drawn = [order[:count] for order in orders]
    found = _encoded(forget, versions, places, drawn, length)
    for at, kept in enumerate(found):
        if not kept:
            rest = _encoded(forget, versions, places[at : at + 1], orders[at : at + 1], length)
            found[at] = rest[0][:count]
        if not found[at]:
            example = forget.examples[forget.encoded[places[at]].example]
            raise UserError(
                f"The prompt of example {example.id!r} leaves no room for another answer within "
                f"{length} tokens.",
                "Raise max_length if the model allows it, or shorten or leave out this example.",
            )
    return found


def given(forget: TextSet, versions: Versions, count: int, length: int) -> Answers:
    """The wrong answers that the examples bring along, at most `count` each."""
    examples = [forget.examples[item.example] for item in forget.encoded]
    # Those of a passage would be of the whole passage, beginning included.
    texts = [e.perturbed_answers[:count] if e.kind != "passage" else () for e in examples]
    return _encoded(forget, versions, range(len(texts)), texts, length)


def generated(
    versions: Versions,
    version: str,
    forget: TextSet,
    places: Sequence[int],
    count: int,
    seed: int,
    length: int,
    stop: Callable[[], bool],
) -> Answers:
    """Samples of `version` after each prompt; empty ones are dropped.

    A sample is at most `SLACK` tokens longer than the true text, and ends with the true text's
    end-of-text token if it ended by itself.
    """
    rows = [forget.encoded[i] for i in places for _ in range(count)]
    found: Answers = [[] for _ in places]
    for number, batch in enumerate(batches(rows, BATCH_TOKENS)):
        items = [rows[r] for r in batch]
        limits = [min(_true(item) + SLACK, LONGEST, _room(item, length)) for item in items]
        bars = [Barred(item.ids[item.scored_from : len(item.ids) - item.ends]) for item in items]
        written: list[list[int]] = [[] for _ in batch]
        for pieces in generate(
            versions,
            [item.ids[: item.scored_from] for item in items],
            [version],
            max_new_tokens=max(limits) + 1,
            temperature=1.0,
            seed=Random(f"{seed}/answers/{number}").getrandbits(63),
            stop=stop,
            banned=lambda row, said, bars=bars: bars[row].after(said),
        ):
            for piece in pieces:
                written[piece.row].append(piece.token)
        if stop():
            break
        for r, item, said, limit in zip(batch, items, written, limits, strict=True):
            text = versions.tokenizer.decode(said[:limit], skip_special_tokens=True)
            if text.strip():
                found[r // count].append(_answer(item, said, limit))
    return found


class Barred:
    """The next tokens that would make a run of `BARRED` tokens of the true text."""

    def __init__(self, true: Sequence[int], run: int = BARRED) -> None:
        self._before = min(run, len(true)) - 1
        self._next: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for at in range(len(true) - self._before):
            run_ids = true[at : at + self._before + 1]
            self._next[tuple(run_ids[:-1])].add(run_ids[-1])

    def after(self, written: Sequence[int]) -> Collection[int]:
        """Tokens that may not follow what is written."""
        start = len(written) - self._before
        return self._next.get(tuple(written[start:]), ()) if start >= 0 else ()


def _answer(item: Encoded, said: Sequence[int], limit: int) -> Encoded:
    """The prompt with what was written behind it."""
    ended = len(said) <= limit and item.ends
    end = item.ids[-1:] if ended else ()
    ids = (*item.ids[: item.scored_from], *said[:limit], *end)
    return Encoded(ids, item.scored_from, item.scored_from, ended, item.example)


def _true(item: Encoded) -> int:
    """Tokens that are scored."""
    return len(item.ids) - item.ends - item.scored_from


def _room(item: Encoded, length: int) -> int:
    """Tokens that fit behind the prompt, with an end."""
    return length - item.scored_from - item.ends


def _encoded(
    forget: TextSet,
    versions: Versions,
    places: Sequence[int],
    texts: Sequence[Sequence[str]],
    length: int,
) -> Answers:
    """These texts behind the prompts of these forget sequences; those that fit."""
    asked: list[Asked] = []
    owner: list[int] = []
    for at, (i, several) in enumerate(zip(places, texts, strict=True)):
        item = forget.encoded[i]
        asked += [(forget.examples[item.example], item, text) for text in several]
        owner += [at] * len(several)
    found: Answers = [[] for _ in places]
    encoded = with_answers(asked, versions.tokenizer, max_length=length)
    for at, made in zip(owner, encoded, strict=True):
        if made is not None:
            found[at].append(made)
    return found
