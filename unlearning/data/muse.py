"""MUSE: news articles and books, forgotten verbatim and in knowledge.

Shi et al., MUSE: Machine Unlearning Six-Way Evaluation for Language Models, 2024
(arXiv 2407.06460).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

from unlearning.data.base import Example, Role
from unlearning.data.benchmark import examples, passage, question, table
from unlearning.data.formats import Row
from unlearning.data.preset import Preset
from unlearning.data.templates import question_form

PLACES: dict[str, tuple[str, str]] = {
    "forget": ("raw", "forget"),
    "retain1": ("raw", "retain1"),
    "retain2": ("raw", "retain2"),
    "holdout": ("raw", "holdout"),
    "verbmem_forget": ("verbmem", "forget"),
    "knowmem_forget": ("knowmem", "forget_qa"),
    "knowmem_retain": ("knowmem", "retain_qa"),
    "knowmem_forget_icl": ("knowmem", "forget_qa_icl"),
    "knowmem_retain_icl": ("knowmem", "retain_qa_icl"),
    "privleak_forget": ("privleak", "forget"),
    "privleak_retain": ("privleak", "retain"),
    "privleak_holdout": ("privleak", "holdout"),
    "train_forget": ("train", "forget"),
    "train_retain1": ("train", "retain1"),
    "train_retain2": ("train", "retain2"),
    "knowmem_forget_shots": ("knowmem", "forget_qa"),
    "knowmem_retain_shots": ("knowmem", "retain_qa"),
} | {f"{kind}_{k}": (kind, f"forget_{k}") for kind in ("scal", "sust") for k in range(1, 5)}
"""Name of a split here to configuration and split there."""

SAID = {
    "forget": "The text to forget.",
    "retain1": "Text to keep that training is regularised with.",
    "retain2": "Text to keep that only evaluation reads.",
    "holdout": "Text of the same kind that was never trained on.",
    "verbmem_forget": "Beginnings of the forget text with how they go on, for verbatim memory.",
    "knowmem_forget": "Questions about the forget text.",
    "knowmem_retain": "Questions about the text to keep.",
    "knowmem_forget_icl": "Solved examples that are put before questions about the forget text.",
    "knowmem_retain_icl": "Solved examples that are put before questions about the kept text.",
    "knowmem_forget_shots": "The questions about the forget text after ten solved ones, as MUSE "
    "measures them.",
    "knowmem_retain_shots": "The same about the text to keep.",
    "privleak_forget": "Parts of the forget text, for membership inference.",
    "privleak_retain": "Parts of the text to keep, for membership inference.",
    "privleak_holdout": "Parts of the text never trained on, for membership inference.",
    "train_forget": "All that the target model was trained on and may have to forget.",
    "train_retain1": "The target model's training text to keep, first half.",
    "train_retain2": "The target model's training text to keep, second half.",
}

BOTH: dict[Role, str] = {"retain": "retain1", "holdout": "privleak_holdout"}
"""A hundred unseen texts suffice for a level; retain2 evaluates, so nothing trains on it."""
OWN: dict[str, dict[Role, str]] = {
    "knowmem_forget": {"retain": "knowmem_retain"},
    "knowmem_forget_shots": {"retain": "knowmem_retain_shots"},
    "privleak_forget": {"retain": "privleak_retain", "holdout": "privleak_holdout"},
}
SHOTS = 10
"""Solved questions before each one."""
BEYOND_BOOKS = ("scal", "sust")
"""Configurations that only the news have."""


def read_split(split: str, *, dataset: str, name: str) -> list[Example]:
    """The rows of one split, with the kind that its configuration asks for."""
    config, part = PLACES[split]
    columns: tuple[str, ...] = ("text",)
    make: Any = passage
    if config == "verbmem":
        # The continuation follows its prompt as in the article: no question form, one space.
        columns = ("prompt", "gt")
        make = partial(question, asked="prompt", answered="gt", bare=True)
    elif config == "knowmem":
        columns, make = ("question", "answer"), question
    if split.endswith("_shots"):
        solved = table(dataset, config, f"{part}_icl", columns).rows
        make = partial(_after, _solved(solved, f"{name}-{split}"))
    return examples(f"{name}-{split}", table(dataset, config, part, columns).rows, make)


def _solved(rows: Iterable[Row], place: str) -> str:
    """Questions with their answers, as they stand before the one that is asked."""
    told = [question(row, place) for row in islice(rows, SHOTS)]
    return "".join(f"{question_form(one['question'])} {one['answer']}\n\n" for one in told)


def _after(solved: str, row: Row, place: str) -> dict[str, Any]:
    """A question in the same form; its answer follows with one space."""
    fields = question(row, place, bare=True)
    return fields | {"question": solved + question_form(fields["question"])}


def _preset(corpus: str, what: str) -> Preset:
    dataset, name = f"muse-bench/MUSE-{corpus}", f"muse-{corpus.lower()}"
    splits = dict(SAID)
    if corpus == "News":
        for k in range(1, 5):
            splits[f"scal_{k}"] = f"Forget text of size {k} of 4, each one holding the one before."
            splits[f"sust_{k}"] = f"Forget request {k} of 4, to be made one after the other."
    forgotten = [split for split in splits if "forget" in split or split[:4] in BEYOND_BOOKS]
    return Preset(
        name=name,
        title=f"MUSE {corpus}",
        description=f"{what}, which the models muse-bench/MUSE-{corpus}_target (7 B parameters) "
        "have learnt; CC BY 4.0 by its card, the texts have their own authors.",
        splits=splits,
        read=partial(read_split, dataset=dataset, name=name),
        companions={
            split: OWN.get(split, BOTH) for split in forgotten if not split.endswith("_icl")
        },
        dataset=dataset,
        prompt="Beginnings as they stand and one space; questions in the question form or the "
        "model's chat template, in the splits with shots after ten solved ones.",
        metrics=("verbatim_memorization", "knowledge_memorization", "privacy_leakage"),
        retrained={
            split: {f"{dataset}_target": f"{dataset}_retrain"}
            for split in forgotten
            if split[:4] not in BEYOND_BOOKS
        },
    )


MUSE_NEWS = _preset("News", "BBC news articles")
MUSE_BOOKS = _preset("Books", "Chapters of a series of novels, with encyclopedic pages about it")
