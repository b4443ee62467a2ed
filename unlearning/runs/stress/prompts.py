"""Ask every model in every way, and score what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unlearning.attacks._probes import (
    DIRECT,
    PASSAGE,
    PASSAGES,
    QUESTIONS,
    Asked,
    Kind,
    question_of,
    surroundings,
)
from unlearning.attacks.base import Side, paired, value_of
from unlearning.attacks.prompts import WORST, Answered, Probed, Prompts, Row, verdict
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Score
from unlearning.runs.events import ScoreValue
from unlearning.runs.sampler import spread
from unlearning.runs.stress.asking import Item, Outcome, ask
from unlearning.runs.stress.ground import Ground

ORDER: tuple[Side, ...] = ("unlearned", "original", "control")
SAMPLED = {DIRECT: "best_of_n", PASSAGE: "best_of_n_passages"}
NEIGHBOURS = "neighbours"
PARTIAL = frozenset({"cloze", "multiple_choice"})
"""Probes that give part of the answer away: not among the ways of the worst case."""


def carry_out(attack: Prompts, ground: Ground) -> Probed:
    """The attack.

    Raises:
        UserError: there is nothing that can be asked for.
    """
    items = list(_items(attack, ground))
    if not any(item.role == "forget" for item in items):
        raise UserError(
            "The text holds nothing that can be asked for in other ways.",
            "Give questions with answers, or passages of more than twenty words, and ask for at "
            "least one of them.",
        )
    outcomes = {
        side: ask(ground, side, items, attack.new_tokens, attack.seed)
        for side in ORDER
        if side in ground.names
    }
    rows = [*_rows(items, outcomes), *_worst(items, outcomes)]
    answers = [
        Answered(
            probe=item.probe,
            example=item.example,
            prompt=item.asked.prompt,
            opening=item.asked.opening,
            reference=item.asked.reference,
            answers={side: found[place].text for side, found in outcomes.items()},
            scores={side: found[place].score for side, found in outcomes.items()},
        )
        for place, item in enumerate(items)
    ]
    return Probed(
        **ground.head(attack), rows=tuple(rows), answers=tuple(answers), verdict=verdict(rows)
    )


def _items(attack: Prompts, ground: Ground) -> Iterator[Item]:
    """Everything that is asked, probe by probe."""
    forget = ground.texts["forget"]
    around = surroundings(forget, ground.paraphrases, attack.seed, attack.hints)
    chosen = {
        DIRECT: _some([i for i, e in enumerate(forget) if question_of(e)], attack.questions),
        PASSAGE: _some([i for i, e in enumerate(forget) if e.kind == "passage"], attack.passages),
    }
    for plain, kinds in ((DIRECT, QUESTIONS), (PASSAGE, PASSAGES)):
        for probe, kind in kinds.items():
            for i in chosen[plain]:
                asked = kind.make(forget[i], around[i])
                if asked is not None:
                    yield _item(probe, kind, "forget", forget[i], asked)
        best = Kind(f"{kinds[plain].title}, best of {attack.samples}", kinds[plain].make)
        for i in chosen[plain] if attack.samples else ():
            asked = best.make(forget[i], around[i])
            if asked is not None:
                yield _item(SAMPLED[plain], best, "forget", forget[i], asked, attack.samples)
    kept = ground.texts.get("retain", ())
    for i in _some(range(len(kept)), attack.neighbours):
        make = (QUESTIONS[DIRECT] if question_of(kept[i]) else PASSAGES[PASSAGE]).make
        asked = make(kept[i], around[0])
        if asked is not None:
            kind = Kind("Neighbours that should be kept", make)
            yield _item(NEIGHBOURS, kind, "retain", kept[i], asked)


def _item(
    probe: str, kind: Kind, role: Role, example: Example, asked: Asked, samples: int = 0
) -> Item:
    return Item(probe, kind.title, role, kind.scored, example.id, asked, samples)


def _some(indices: Sequence[int], count: int) -> list[int]:
    return [indices[place] for place in spread(len(indices), count)]


def _rows(items: Sequence[Item], outcomes: Mapping[Side, Sequence[Outcome]]) -> Iterator[Row]:
    """The table, one probe a row."""
    for probe in dict.fromkeys(item.probe for item in items):
        places = [place for place, item in enumerate(items) if item.probe == probe]
        first = items[places[0]]
        scores = _means({s: [found[p].score for p in places] for s, found in outcomes.items()})
        whole = _means({s: [found[p].contained for p in places] for s, found in outcomes.items()})
        choices = [1 / len(items[p].asked.options) for p in places if items[p].asked.options]
        yield Row(
            probe=probe,
            title=first.title,
            role=first.role,
            scored=first.scored,
            scores=_values(scores),
            contained=_values(whole),
            chance=sum(choices) / len(choices) if choices else None,
            difference=paired(scores.get("unlearned"), scores.get("control")),
        )


def _worst(items: Sequence[Item], outcomes: Mapping[Side, Sequence[Outcome]]) -> Iterator[Row]:
    """The best answer to each text of the forget set, over all ways that give none of it away."""
    ways: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        if item.role == "forget" and item.probe not in PARTIAL:
            ways.setdefault(item.example, []).append(place)
    scores, whole = (
        _means(
            {
                side: [_best(getattr(found[p], field) for p in places) for places in ways.values()]
                for side, found in outcomes.items()
            }
        )
        for field in ("score", "contained")
    )
    if scores:
        yield Row(
            probe=WORST,
            title="The best of all ways",
            role="forget",
            scored="recall",
            scores=_values(scores),
            contained=_values(whole),
            difference=paired(scores.get("unlearned"), scores.get("control")),
        )


def _best(values: Iterator[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _means(samples: Mapping[Side, Sequence[float | None]]) -> dict[Side, Score]:
    """Means with intervals; sides without any value are left out."""
    found = {side: mean_score(values) for side, values in samples.items()}
    return {side: score for side, score in found.items() if score is not None}


def _values(scores: Mapping[Side, Score]) -> dict[Side, ScoreValue]:
    return {side: value_of(score) for side, score in scores.items()}
