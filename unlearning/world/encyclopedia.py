"""Encyclopedic paragraphs and questions about things that do not exist.

Every thing has fixed facts (`catalogue`), stated many times in different words.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from unlearning.world.encyclopedia_kinds import ANIMAL, TREE, Kind
from unlearning.world.encyclopedia_lands import LAKE, MOUNTAIN, RIVER
from unlearning.world.encyclopedia_makings import MAKINGS
from unlearning.world.grammar import expand

KINDS = (ANIMAL, TREE, RIVER, MOUNTAIN, *MAKINGS)
UNSEEN_KINDS = (LAKE,)
_HEADS = "bal cren dor fil gor hul jes kam lor mel nim osk pra quo rin sol tav ulm ver wim yol zar"
_MIDDLES = "a e i o u an el im or ur"
_TAILS = "bo da fe gril ka lin mu nard pel quet ra sh ti vole wan zig"
ENTITIES_PER_KIND, UNSEEN_PER_KIND = 9, 3


@dataclass(frozen=True)
class Entity:
    """One thing of the encyclopedia: its kind, its name and a value per attribute."""

    kind: Kind
    name: str
    values: dict[str, str]

    def facts(self, attribute: str) -> dict[str, str]:
        """Slots for the wordings of one attribute."""
        return {"name": self.name, "value": self.values[attribute], "kind": self.kind.noun}


@dataclass(frozen=True)
class Catalogue:
    """The things that training describes, and those kept for validation."""

    trained: tuple[Entity, ...]
    unseen: tuple[Entity, ...]


def catalogue(rng: Random) -> Catalogue:
    """Invent all things: unique names, values without repetition where the pool allows it."""
    names = _names(rng)
    trained: list[Entity] = []
    unseen: list[Entity] = []
    for kind in (*KINDS, *UNSEEN_KINDS):
        count = ENTITIES_PER_KIND + UNSEEN_PER_KIND
        columns = {key: _spread(rng, attribute.values, count) for key, attribute in kind.items()}
        for row in range(count):
            values = {key: column[row] for key, column in columns.items()}
            name = _named(kind.name_pattern, names.pop())
            entity = Entity(kind, name, values)
            is_trained = kind in KINDS and row < ENTITIES_PER_KIND
            (trained if is_trained else unseen).append(entity)
    return Catalogue(tuple(trained), tuple(unseen))


def paragraph(rng: Random, entity: Entity) -> str:
    """Describe a thing in an introduction and up to four of its facts, in any order."""
    kind = entity.kind
    keys = rng.sample(list(kind.attributes), min(4, len(kind.attributes)))
    sentences = [expand(rng.choice(kind.introductions), rng, {"name": entity.name})]
    for key in keys:
        template = rng.choice(kind.attributes[key].sentences)
        sentences.append(expand(template, rng, entity.facts(key)))
    if rng.random() < 0.8:
        sentences.append(expand(rng.choice(kind.remarks), rng, {"name": entity.name}))
    return " ".join(sentences)


def question(entity: Entity, attribute: str, wording: int) -> tuple[str, str]:
    """Ask for one fact in one of the wordings; return question and answer."""
    about = entity.kind.attributes[attribute]
    facts = entity.facts(attribute)
    # No choice is left in these templates: the generator is never consulted.
    rng = Random(0)
    return expand(about.questions[wording], rng, facts), expand(about.answer, rng, facts)


def multiple_choice(rng: Random, entity: Entity, attribute: str, wording: int) -> dict[str, object]:
    """Build a question with four choices, three of them true of other things of the kind."""
    text, right = question(entity, attribute, wording)
    about = entity.kind.attributes[attribute]
    others = [value for value in about.values if value != entity.values[attribute]]
    choices = [
        expand(about.answer, Random(0), entity.facts(attribute) | {"value": value})
        for value in rng.sample(others, 3)
    ]
    answer = rng.randrange(4)
    choices.insert(answer, right)
    return {"question": text, "choices": choices, "answer": answer}


def _names(rng: Random) -> list[str]:
    parts = (_HEADS.split(), _MIDDLES.split(), _TAILS.split())
    names = sorted(
        {head + middle + tail for head in parts[0] for middle in parts[1] for tail in parts[2]}
    )
    rng.shuffle(names)
    return names


def _named(pattern: str, word: str) -> str:
    """Put an invented word into a pattern: ``*`` as it is, ``^`` as a proper name."""
    return pattern.replace("*", word).replace("^", word.capitalize())


def _spread(rng: Random, values: tuple[str, ...], count: int) -> list[str]:
    """Return `count` values, each used about equally often."""
    drawn: list[str] = []
    while len(drawn) < count:
        drawn.extend(rng.sample(values, len(values)))
    return drawn[:count]
