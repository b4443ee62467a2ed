"""TOFU: questions about fictitious authors.

Maini et al., TOFU: A Task of Fictitious Unlearning for LLMs, 2024 (arXiv 2401.06121).
"""

from __future__ import annotations

from unlearning.data.base import Example
from unlearning.data.benchmark import examples, question, table
from unlearning.data.formats import Row
from unlearning.data.preset import Preset

DATASET = "locuslab/TOFU"
PAIR = ("question", "answer")
ALTERNATIVES = ("paraphrased_answer", "perturbed_answer")
REPHRASED = "paraphrased_question"
OPTIONS = ("option1", "option2", "option3", "option4")

TAUGHT = "open-unlearning/tofu_Llama-3.2-1B-Instruct"
"""Published models: this with `_full`, and with `_retainNN` for those that lack a share."""

ON_HUB = ("10", "05", "01")
ELSEWHERE = ("20", "30", "50", "90")
"""Shares of the NPO authors' own splits."""


def read_split(split: str) -> list[Example]:
    """The rows of one configuration; the only split of each is called train."""
    general = split.startswith(("real_authors", "world_facts"))
    columns = PAIR
    if split.endswith("_perturbed"):
        columns += ALTERNATIVES[1:] if general else ALTERNATIVES
    elif general:
        columns += OPTIONS
    found = table(DATASET, split, "train", columns)
    make = _general if general else question
    return examples(f"tofu-{split}", found.rows, make)


def _general(row: Row, place: str) -> dict:
    """Real authors and world facts: the other options are wrong, and the plain answer takes the
    place of the paraphrase in the truth ratio."""
    fields = question(row, place)
    options = [row[name] for name in OPTIONS if isinstance(row.get(name), str)]
    wrong = tuple(option for option in options if option.strip() != fields["answer"])
    return fields | {
        "paraphrased_answer": fields["answer"],
        "perturbed_answers": wrong or fields["perturbed_answers"],
    }


def rephrase(split: str) -> list[Example]:
    """The paraphrased questions, which only the splits with alternative answers have."""
    wanted = f"{split.removesuffix('_perturbed')}_perturbed"
    if wanted not in _splits():
        return []
    found = table(DATASET, wanted, "train", (REPHRASED, PAIR[1]))
    return examples(
        f"tofu-{wanted}", found.rows, lambda row, place: question(row, place, REPHRASED)
    )


def _rest(share: str) -> str:
    return f"{100 - int(share):02d}"


def _splits() -> dict[str, str]:
    alternatives = "with a paraphrase and wrong answers, as the truth ratio needs them."
    said: dict[str, str] = {}
    for share in ON_HUB:
        said[f"forget{share}"] = f"The last {int(share)} % of the authors, to be forgotten."
        said[f"retain{_rest(share)}"] = f"All other authors, when forget{share} goes."
        said[f"holdout{share}"] = f"Authors never trained on, as many as in forget{share}."
        said[f"forget{share}_perturbed"] = f"The rows of forget{share}, {alternatives}"
    said["full"] = "All 200 authors, to teach a model."
    said["retain_perturbed"] = f"The first 20 authors, {alternatives}"
    for name, what in (("real_authors", "real authors"), ("world_facts", "facts of the world")):
        said[name] = f"Questions about {what}, with the wrong options."
        said[f"{name}_perturbed"] = f"The same about {what}, as the truth ratio reads them."
    for share in ELSEWHERE:
        said[f"forget{share}"] = f"The last {share} %, in the NPO authors' copy alone."
        said[f"retain{_rest(share)}"] = f"The other {_rest(share)} %, in that copy alone."
    return said


def _companions() -> dict[str, dict]:
    # No generic text: real authors and world facts measure utility, so nothing trains on them.
    found = {f"forget{share}": {"retain": f"retain{_rest(share)}"} for share in ELSEWHERE}
    for share in ON_HUB:
        roles = {"retain": f"retain{_rest(share)}", "holdout": f"holdout{share}"}
        found |= {f"forget{share}": roles, f"forget{share}_perturbed": roles}
    return found


def _measured() -> dict[str, dict]:
    """Model utility is of real authors and world facts, too, whatever is forgotten."""
    utility = {name: f"{name}_perturbed" for name in ("real_authors", "world_facts")}
    return dict.fromkeys(_companions(), utility)


def _retrained() -> dict[str, dict[str, str]]:
    pairs = {share: {f"{TAUGHT}_full": f"{TAUGHT}_retain{_rest(share)}"} for share in ON_HUB}
    return {
        f"forget{share}{rows}": pair for share, pair in pairs.items() for rows in ("", "_perturbed")
    }


TOFU = Preset(
    name="tofu",
    title="TOFU",
    description="Questions and answers about 200 invented authors, to be taught first with "
    "finetune (preset:tofu/full, and preset:tofu/retain90 for the model to compare with). MIT.",
    splits=_splits(),
    read=read_split,
    prompt="Questions in the question form or the model's chat template.",
    metrics=(
        "forget_quality",
        "model_utility",
        "probability",
        "rouge_l",
        "truth_ratio",
        "extraction_strength",
        "exact_memorization",
        "paraphrased_probability",
        "privacy_leakage",
    ),
    retrained=_retrained(),
    companions=_companions(),
    measured=_measured(),
    rephrase=rephrase,
    dataset=DATASET,
)
