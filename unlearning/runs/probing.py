"""The look at the model between steps: scores, pinned answers, collapse, forgotten or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unlearning.data.encode import prompt_ids
from unlearning.models.base import STUDENT
from unlearning.models.generate import generate
from unlearning.models.versions import Versions
from unlearning.runs.collapse import SHAKY, Detector
from unlearning.runs.events import Answer, Health, Probed
from unlearning.runs.measure import (
    FORGETTING,
    Glance,
    TextSet,
    forgetting_scores,
    glance,
    looping,
)
from unlearning.runs.tradeoff import OVER_FORGOTTEN
from unlearning.runs.training import StopAskedError

PINNED = {"forget": 5, "retain": 5, "generic": 3}
"""Automatic prompts by role; their answers also feed the collapse detector."""
ANSWER_TOKENS = 40
LEVEL_TOLERANCE = 0.02
"""Forget scores this close to the never-saw-it level count as being there."""
KEPT_ENOUGH = 0.90
"""Share of retain accuracy that the best snapshot must keep."""


@dataclass(frozen=True)
class Prompt:
    """A pinned prompt."""

    role: str
    ids: tuple[int, ...]
    text: str


def pinned(
    sets: Mapping[str, TextSet], own: Sequence[str], tokenizer: Any, room: int
) -> list[Prompt]:
    """The user's prompts first, then beginnings of the forget and the kept text.

    Beginnings are cut at the scored region, so that they end where memory has to begin.
    """
    found = [Prompt("pinned", _own(text, tokenizer)[-room:], text) for text in own]
    for role, count in PINNED.items():
        if role not in sets:
            continue
        for sequence in sets[role].some(count).encoded:
            ids = sequence.ids[: sequence.scored_from]
            text = tokenizer.decode(ids, skip_special_tokens=True)
            found.append(Prompt(role, tuple(ids), text))
    return found


def _own(text: str, tokenizer: Any) -> tuple[int, ...]:
    """A user's prompt: what ends with a question mark is asked, all else continued."""
    kind = "question" if text.rstrip().endswith("?") else "text"
    return tuple(prompt_ids(text, tokenizer, kind=kind))


@dataclass
class Prober:
    """Compares what the run has made with the reference, the same way each time."""

    versions: Versions
    original: str
    """The version that is compared with; read once, before the first step."""
    sets: Mapping[str, TextSet]
    prompts: Sequence[Prompt]
    tokenizer: Any
    stop: Callable[[], bool]
    level: Mapping[str, float] | None = None
    """Metric name to the value of a model that never saw the forget text."""
    watched: Callable[[], str] = lambda: STUDENT
    """The version that stands for the run when it is looked at."""
    detector: Detector = field(init=False)
    first: Glance = field(init=False)

    def __post_init__(self) -> None:
        self._original, self._texts = self._answer(self.original)
        self._looped = looping(self._original)
        self.first = self._glance(self.original, self._original, before=None)
        # An answer of the original that repeats itself already is left out of every later look.
        self.detector = Detector(self._glance(self.original, self._original, self._looped).look)

    def probe(self, step: int, finite: bool = True) -> tuple[Probed, bool]:
        """Look at the watched version; returns the event and whether this is a collapse.

        Raises:
            StopAskedError: the stop flag went up; half an answer would look like a collapse.
        """
        begun = time.perf_counter()
        version = self.watched()
        ids, texts = self._answer(version)
        seen = self._glance(version, ids, self._looped)
        scores = dict(seen.scores)
        forgotten, over, extraction = self._forgotten(version, scores)
        if self.stop():
            raise StopAskedError
        health, collapsed = self.detector.judge(seen.look, finite)
        if extraction is not None:
            scores["extraction_likelihood"] = {"forget": extraction}
        event = Probed(
            step=step,
            scores=scores,
            answers=self._answers(texts, looping(ids)),
            health=health,
            forgotten=forgotten,
            over_forgotten=over,
            seconds=time.perf_counter() - begun,
        )
        return event, collapsed

    def baseline(self) -> Probed:
        """The original as the probe of step 0."""
        return Probed(
            step=0,
            scores=self.first.scores,
            answers=self._answers(self._texts, self._looped),
            health=Health(meter=0.0),
        )

    def _forgotten(
        self, version: str, scores: Mapping[str, Mapping[str, float]]
    ) -> tuple[bool, bool, float | None]:
        """At the level? Beyond it? And the extraction likelihood, where it decides."""
        accuracy = scores.get("memorization_accuracy", {}).get("forget")
        if self.level is None or accuracy is None or FORGETTING[0] not in self.level:
            return False, False, None
        if accuracy > self.level[FORGETTING[0]] + LEVEL_TOLERANCE:
            return False, False, None
        over = accuracy < self.level[FORGETTING[0]] - OVER_FORGOTTEN
        if FORGETTING[1] not in self.level:
            return True, over, None
        # Extraction is the dear one: only looked at when accuracy has already arrived.
        found = forgetting_scores(
            self.versions, version, self.sets["forget"], self.tokenizer, self.stop, FORGETTING[1:]
        ).get(FORGETTING[1])
        arrived = found is None or found <= self.level[FORGETTING[1]] + LEVEL_TOLERANCE
        return arrived, over, found

    def _glance(self, version: str, ids: Mapping, before: Mapping | None) -> Glance:
        return glance(self.versions, version, self.sets, ids, before, self.tokenizer, self.stop)

    def _answer(self, version: str) -> tuple[dict[str, list[list[int]]], list[str]]:
        """Greedy answers to every prompt: ids by role, and texts in the order of the prompts."""
        ids: list[list[int]] = [[] for _ in self.prompts]
        texts = [""] * len(self.prompts)
        if not self.prompts:
            return {}, []
        for pieces in generate(
            self.versions,
            [list(prompt.ids) for prompt in self.prompts],
            [version],
            max_new_tokens=ANSWER_TOKENS,
            stop=self.stop,
        ):
            for piece in pieces:
                texts[piece.row] += piece.text
                if piece.token is not None:
                    ids[piece.row].append(piece.token)
        by_role: dict[str, list[list[int]]] = {}
        for prompt, answer in zip(self.prompts, ids, strict=True):
            by_role.setdefault(prompt.role, []).append(answer)
        return by_role, texts

    def _answers(
        self, texts: Sequence[str], looped: Mapping[str, Sequence[bool]]
    ) -> tuple[Answer, ...]:
        places: dict[str, int] = {}
        answers = []
        for i, prompt in enumerate(self.prompts):
            place = places[prompt.role] = places.get(prompt.role, -1) + 1
            repeats = looped[prompt.role][place] and not self._looped[prompt.role][place]
            answers.append(
                Answer(
                    role=prompt.role,
                    prompt=prompt.text,
                    original=self._texts[i],
                    unlearned=texts[i],
                    looped=bool(repeats),
                )
            )
        return tuple(answers)


def distance(probed: Probed, level: Mapping[str, float] | None, first: Glance) -> float | None:
    """How far a probed step is from the never-saw-it level; None where utility is lost.

    Both sides count: recited too well, and forgotten too much. Smaller is better.
    """
    accuracy = probed.scores.get("memorization_accuracy", {})
    kept, before = accuracy.get("retain"), first.scores.get("memorization_accuracy", {})
    if probed.health.meter >= SHAKY or "forget" not in accuracy:
        return None
    if kept is not None and kept < KEPT_ENOUGH * before.get("retain", 0.0):
        return None
    target = level.get("memorization_accuracy", 0.0) if level else 0.0
    # Only measured near the level: elsewhere the text counts as recited.
    unmeasured = 1.0 if level and FORGETTING[1] in level else 0.0
    extracted = probed.scores.get(FORGETTING[1], {}).get("forget", unmeasured)
    return abs(accuracy["forget"] - target) + extracted
