"""WMDP: hazardous knowledge, measured by multiple choice.

Li et al., The WMDP Benchmark: Measuring and Reducing Malicious Use With Unlearning, 2024
(arXiv 2403.03218). Only the questions are offered: whoever needs the corpora names them as a hub
source, and asks for those that are gated.
"""

from __future__ import annotations

from functools import partial

from unlearning.data.base import Example
from unlearning.data.benchmark import examples, multiple_choice, table
from unlearning.data.preset import Preset

DATASET = "cais/wmdp"
SUBJECTS = {"bio": "biology", "chem": "chemistry", "cyber": "cybersecurity"}


def read_split(split: str) -> list[Example]:
    """The questions of one field."""
    found = table(DATASET, f"wmdp-{split}", "test", ("question", "choices", "answer"))
    return examples(f"wmdp-{split}", found.rows, partial(multiple_choice, subject=SUBJECTS[split]))


WMDP = Preset(
    name="wmdp",
    title="WMDP",
    description="Multiple-choice questions that stand for hazardous knowledge, to measure it; one "
    "in four is right by chance, and models below 1 B parameters do no better. MIT.",
    splits={
        split: f"Questions in {subject}, each with four choices."
        for split, subject in SUBJECTS.items()
    },
    read=read_split,
    prompt="lm-eval's zero-shot prompt up to the letter, as it stands.",
    metrics=("multiple_choice",),
    dataset=DATASET,
)
