"""LUME: invented stories, invented personal data, and biographies of real people.

Ramakrishna et al., LUME: LLM Unlearning with Multitask Evaluations, 2025 (arXiv 2502.15097);
SemEval-2025 Task 4 uses a part of it.
"""

from __future__ import annotations

import re
from typing import Any

from unlearning.data.base import Example
from unlearning.data.benchmark import examples, question, table
from unlearning.data.formats import Row
from unlearning.data.hub import MIRROR, mirrored
from unlearning.data.preset import Preset
from unlearning.errors import UserError

DATASET = "amazon-science/lume-llm-unlearning"
_KIND = re.compile(r"(sc|qa)\d+$")
"""End of an id: sentence completion or question answering. Quotation marks may stand before it."""


def read_split(split: str) -> list[Example]:
    """The rows of one file.

    Raises:
        UserError: there is no local copy, since the authors publish it with their code alone.
    """
    if mirrored(DATASET) is None:
        raise UserError(
            f"{DATASET} is not here, and it cannot be fetched: it is not on the hub.",
            f"Clone github.com/{DATASET} to {DATASET} in a folder, and name that folder in "
            f"{MIRROR}.",
        )
    columns = ("id", "input", "output", "task")
    found = table(DATASET, "", split, columns)
    return examples(f"lume-{split}", found.rows, _fields)


def _fields(row: Row, place: str) -> dict[str, Any]:
    """The input stands before the output as it is, in either kind of row; the id tells which."""
    name = str(row.get("id"))
    if not _KIND.search(name):
        raise UserError(
            f"{place} has the id {name[:60]!r}, which ends neither in sc nor in qa with a number.",
            "The data set has changed; use an earlier revision of it.",
        )
    task = str(row.get("task") or "")
    return question(row, place, "input", "output", bare=True) | {"id": name, "group": task}


LUME = Preset(
    name="lume",
    title="LUME",
    description="Texts to complete and questions in three tasks: Task1 invented stories, Task2 "
    "invented personal data, Task3 real biographies (one task as preset:lume/forget/Task2). "
    "Apache-2.0.",
    splits={
        "forget": "Stories, personal data and biographies that are to be forgotten.",
        "retain": "The same kinds about others; they must stay.",
    },
    read=read_split,
    prompt="The input as it stands, one space, then the output.",
    metrics=("lume_aggregate", "rouge_l", "membership_loss"),
    companions={"forget": {"retain": "retain"}},
    dataset=DATASET,
)
