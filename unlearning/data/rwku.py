"""RWKU: what models know about 200 famous people.

Jin et al., RWKU: Benchmarking Real-World Knowledge Unlearning for Large Language Models, 2024
(arXiv 2406.10890). Prompts are those of the authors' evaluation code.
"""

from __future__ import annotations

from typing import Any

from unlearning.data.base import Example, Role
from unlearning.data.benchmark import examples, multiple_choice, passage, question, table
from unlearning.data.columns import text_of
from unlearning.data.formats import Row
from unlearning.data.preset import Preset

DATASET = "jinzhuoran/RWKU"
CLOZE = "Please complete the blank in the following question.\n"
ASKED = "Please briefly answer the following question.\n"
PEOPLE = "of one person as preset:rwku/SPLIT/NAME"

PROBES = ("subject", "query", "answer", "level", "type")
MODELS = ("llama3", "phi3")
"""Models that wrote training texts of their own."""

SPLITS = {
    "forget_level2": f"Plain questions about the people to forget ({PEOPLE}).",
    "forget_level1": "Sentences about them with a blank.",
    "forget_level3": "Nine kinds of adversarial prompts about them.",
    "neighbor_level1": "Sentences with a blank about people and things close to them, to keep.",
    "neighbor_level2": "Plain questions about people and things close to them, to keep.",
    "forget_target": "The names with a short introduction.",
    "mia_forget": "Passages about the people, for membership inference.",
    "mia_retain": "Passages about others, for membership inference.",
    "utility_general": "MMLU: multiple choice in many subjects.",
    "utility_reason": "BBH: reasoning, with the answer alone.",
    "utility_truthfulness": "TruthfulQA: the true answer and the false ones.",
    "utility_factuality": "TriviaQA: questions with the first accepted answer.",
    "train_original_passage": "Encyclopedic passages about the people, to train on.",
} | {
    f"train_{kind}_{model}": f"{said} {'Llama 3' if model == 'llama3' else 'Phi 3'}, to train on."
    for kind, said in (
        ("positive", "True facts about the people as told by"),
        ("negative", "Invented facts about the people as told by"),
        ("pair", "An invented and a true text for the same prompt by"),
        ("refusal", "Questions about the people, declined by"),
    )
    for model in MODELS
}

COLUMNS: dict[str, tuple[str, ...]] = {
    "forget_target": ("target", "intro"),
    "utility_general": ("task", "question", "choices", "answer"),
    "utility_reason": ("question", "answer"),
    "utility_truthfulness": ("question", "mc1_targets"),
    "utility_factuality": ("question", "answers"),
}


def read_split(split: str) -> list[Example]:
    """The rows of one configuration."""
    part = "train" if split.startswith("train_") or split == "forget_target" else "test"
    found = table(DATASET, split, part, _columns(split))
    return examples(f"rwku-{split}", found.rows, lambda row, place: _fields(split, row, place))


def _columns(split: str) -> tuple[str, ...]:
    if "_level" in split:
        return PROBES
    if split.startswith("train_pair"):
        return ("prompt", "response", "subject")
    if split.startswith("train_refusal"):
        return ("instruction", "output", "subject")
    return COLUMNS.get(split, ("text", "subject"))


def _fields(split: str, row: Row, place: str) -> dict[str, Any]:
    group = {"group": text_of(row.get("subject", row.get("target")), f"{place}, column 'subject'")}
    if "_level" in split:
        return question(row | {"query": _probe(row)}, place, asked="query") | group
    if split == "forget_target":
        return passage(row, place, "intro") | group
    if split == "utility_general":
        subject = str(row.get("task")).replace("_", " ")
        return multiple_choice(row, place, subject) | group
    if split == "utility_truthfulness":
        return question(row | _true_and_false(row), place) | group
    if split == "utility_factuality":
        first = next(iter(row.get("answers") or ()), None)
        return question(row | {"answer": first}, place) | group
    if split.startswith("train_pair"):
        # The invented text comes first, the true one second.
        pair = row.get("response") or ()
        invented, true = pair if len(pair) == 2 else (None, None)
        sides = {"answer": true, "perturbed_answer": [invented] if invented else []}
        return question(row | sides, place, asked="prompt") | group
    if split.startswith("train_refusal"):
        return question(row, place, "instruction", "output") | group
    if split == "utility_reason":
        return question(row, place) | group
    return passage(row, place) | group


def _probe(row: Row) -> str:
    """The instruction of the probe's level before its query."""
    query = str(row.get("query") or "").strip()
    if not query:
        return ""
    if str(row.get("type", "")).startswith(("incontext", "in-context")):
        return ASKED + query
    return f"{CLOZE if str(row.get('level')) == '1' else ASKED}Question: {query}"


def _true_and_false(row: Row) -> Row:
    """The one right choice and the others, from {choices, labels}."""
    targets = row.get("mc1_targets") or {}
    marked = list(zip(targets.get("choices", ()), targets.get("labels", ()), strict=False))
    return {
        "answer": next((choice for choice, label in marked if label == 1), None),
        "perturbed_answer": [choice for choice, label in marked if label == 0],
    }


def _companions() -> dict[str, dict[Role, str]]:
    # No generic text: the utility sets measure, so nothing trains on them.
    found: dict[str, dict[Role, str]] = {
        "forget_level1": {"retain": "neighbor_level1"},
        "forget_level2": {"retain": "neighbor_level2"},
        "forget_level3": {"retain": "neighbor_level2"},
        "mia_forget": {"retain": "mia_retain"},
    }
    trained = [split for split in SPLITS if split.startswith("train_")]
    return found | {split: {"retain": "neighbor_level2"} for split in trained}


RWKU = Preset(
    name="rwku",
    title="RWKU",
    description="Real people that large models know from pre-training, with probes about them and "
    "about their neighbours; small models know too little of it. CC BY 4.0.",
    splits=SPLITS,
    read=read_split,
    prompt="An instruction and the question or the sentence with a blank, in the question form or "
    "the model's chat template.",
    metrics=(
        "rwku_probes",
        "membership_loss",
        "membership_zlib",
        "membership_min_k",
        "membership_min_k_plus_plus",
        "multiple_choice",
    ),
    companions=_companions(),
    dataset=DATASET,
)
