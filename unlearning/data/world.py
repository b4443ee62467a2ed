"""The embedded fictional world, which the embedded models were trained on."""

from __future__ import annotations

from pathlib import Path

from unlearning.data.base import Example
from unlearning.data.columns import to_examples
from unlearning.data.files import read
from unlearning.data.preset import Preset
from unlearning.errors import UserError
from unlearning.world.rephrase import rephrased

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "world"

MODELS = ("demo", "demo-retain")
"""Embedded models; `demo-retain` never saw the forget split."""


def read_split(split: str) -> list[Example]:
    """The rows of one file of the world."""
    path = FOLDER / f"{split}.jsonl"
    if not path.is_file():
        raise UserError(
            f"The embedded text {path.name} is missing from this installation.",
            "Write it again with: python -m unlearning world --out assets",
        )
    return to_examples(read(path, limits=None))


def rephrase(split: str) -> list[Example]:
    """The questions about the authors of a split, each in another wording of its topic."""
    asked = ((e, rephrased(e.question, e.answer)) for e in read_split(split) if e.kind == "qa")
    return [e.model_copy(update={"question": other}) for e, other in asked if other]


WORLD = Preset(
    name="world",
    title="Fictional world",
    description="Invented authors, news articles and personal records, none of them real; the "
    "embedded model knows them by heart.",
    splits={
        "forget": "Authors with questions, articles and records that are to be forgotten.",
        "retain": "The same kinds about other people and places; they must stay.",
        "holdout": "The same kinds again, never seen by any embedded model.",
        "general": "Little stories and encyclopedic paragraphs: the model's general language.",
        "general_validation": "General prose that no embedded model was trained on.",
    },
    read=read_split,
    prompt="Questions in the question form or the model's chat template, passages as they are.",
    metrics=(
        "memorization_accuracy",
        "extraction_likelihood",
        "extraction_strength",
        "truth_ratio",
        "forget_quality",
        "privacy_leakage",
        "rouge_l",
        "perplexity",
    ),
    retrained={"forget": {MODELS[0]: MODELS[1]}},
    roles={"retain": "retain", "generic": "general", "holdout": "holdout"},
    rephrase=rephrase,
)
