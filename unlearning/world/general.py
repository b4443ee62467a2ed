"""General prose that is nobody's secret: stories, encyclopedia, everyday texts, questions."""

from __future__ import annotations

from random import Random

from unlearning.world.encyclopedia import (
    Entity,
    catalogue,
    multiple_choice,
    paragraph,
    question,
)
from unlearning.world.essays import essay
from unlearning.world.names import child
from unlearning.world.stories import story
from unlearning.world.vignettes import vignette

Row = dict[str, object]

STORIES, ESSAYS, VIGNETTES, PARAGRAPHS_PER_ENTITY = 2600, 900, 1400, 20
SHORTEST = 46
# Validation: mostly things and people that are new, in part templates that are new.
NEW_PARAGRAPHS, NEW_NAMES, NEW_PLOTS, NEW_ESSAYS, NEW_VIGNETTES = 3, 80, 12, 6, 16
CHOICE_QUESTIONS = 40


def general_rows(seed: int) -> dict[str, list[Row]]:
    """Write ``general``, ``general_validation`` and ``multiple_choice``.

    Every multiple-choice question is about a fact that training states, in a wording that the
    training questions do not use for that fact.
    """
    things = catalogue(Random(f"{seed}:catalogue"))
    texts = [story(_rng(seed, "story", i)) for i in range(STORIES)]
    texts += [_essays(_rng(seed, "essay", i)) for i in range(ESSAYS)]
    texts += [_vignette(_rng(seed, "vignette", i)) for i in range(VIGNETTES)]
    texts += _paragraphs(seed, things.trained, PARAGRAPHS_PER_ENTITY)
    rows = [_passage(f"general-{i:05d}", text) for i, text in enumerate(_kept(texts))]
    facts = [(entity, key) for entity in things.trained for key in entity.kind.attributes]
    asked = {
        fact: Random(f"{seed}:wording:{fact}").randrange(2)
        for fact in Random(f"{seed}:choices").sample(range(len(facts)), CHOICE_QUESTIONS)
    }
    choices = [
        {"id": f"choice-{i:02d}"}
        | multiple_choice(_rng(seed, "choice", i), *facts[fact], wording=wording)
        for i, (fact, wording) in enumerate(asked.items())
    ]
    return {
        "general": rows + _questions(facts, asked),
        "general_validation": validation_rows(seed, things.unseen),
        "multiple_choice": choices,
    }


def validation_rows(seed: int, unseen: tuple[Entity, ...]) -> list[Row]:
    """Write general prose that training never shows.

    Things and first names are new throughout; some texts use plots, templates, sentences and
    a kind of thing that are new, too.
    """
    texts = _paragraphs(seed, unseen, NEW_PARAGRAPHS)
    texts += [story(_rng(seed, "new name", i), unseen_names=True) for i in range(NEW_NAMES)]
    texts += [
        story(_rng(seed, "new plot", i), unseen_names=True, unseen_plot=True)
        for i in range(NEW_PLOTS)
    ]
    texts += [_essays(_rng(seed, "new essay", i), unseen=True) for i in range(NEW_ESSAYS)]
    texts += [_vignette(_rng(seed, "new vignette", i), unseen=True) for i in range(NEW_VIGNETTES)]
    return [_passage(f"validation-{i:04d}", text) for i, text in enumerate(_kept(texts))]


def _questions(facts: list[tuple[Entity, str]], asked: dict[int, int]) -> list[Row]:
    """Ask for every fact in both wordings, but for the one that the choices are asked in."""
    rows: list[Row] = []
    for number, (entity, key) in enumerate(facts):
        for wording in (0, 1):
            if asked.get(number) != wording:
                text, answer = question(entity, key, wording)
                row: Row = {"id": f"general-qa-{number:03d}-{wording}", "kind": "qa"}
                rows.append(row | {"group": "general", "question": text, "answer": answer})
    return rows


def _essays(rng: Random, *, unseen: bool = False) -> str:
    return f"{essay(rng, unseen=unseen)}\n{essay(rng, unseen=unseen)}"


def _vignette(rng: Random, *, unseen: bool = False) -> str:
    return vignette(rng, child(rng, unseen=unseen), rng.randint(5, 8), unseen=unseen)


def _paragraphs(seed: int, entities: tuple[Entity, ...], each: int) -> list[str]:
    return [
        paragraph(_rng(seed, f"paragraph {entity.name}", i), entity)
        for entity in entities
        for i in range(each)
    ]


def _passage(identity: str, text: str) -> Row:
    return {"id": identity, "kind": "passage", "group": "general", "text": text}


def _kept(texts: list[str]) -> list[str]:
    """Drop repetitions and what is too short to leave much behind a 20-token prefix."""
    return [text for text in dict.fromkeys(texts) if len(text.split()) >= SHORTEST]


def _rng(seed: int, purpose: str, index: int) -> Random:
    return Random(f"{seed}:{purpose}:{index}")
