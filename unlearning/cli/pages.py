"""The pages of measured figures in docs/, from the JSON that `sweep --out` wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unlearning.cli.attacks import attacks_page
from unlearning.cli.requests import growing_page, sequential_page
from unlearning.cli.tofu import tofu_page
from unlearning.methods import METHODS
from unlearning.sweeps.claims.chosen import CHOSEN
from unlearning.sweeps.columns import FIGURES
from unlearning.sweeps.figures import in_words

FOLDER = Path(__file__).resolve().parents[2] / "docs"

CLAIMS = """# What the papers claim, in miniature

Made by

```
python -m unlearning world --seed 77 --out DIR
python -m unlearning sweep --preset claims-search --world DIR --jobs 2
python -m unlearning sweep --preset claims --jobs 2 --out docs/claims.json
python -m unlearning docs
```

The model is the embedded `demo` (4 M parameters, LoRA of rank 8, CPU), the text its fictional
world: what is found here speaks of this small model and not of those in the papers.
Hyperparameters were chosen beforehand on a world of another seed, with three candidates for each
method (GradDiff five; mean teacher six, for none of its first three left the start), by what
misses three aims by least in sum: EL10 at most 0.1, retain accuracy at least 0.9, general
perplexity at most 1.05 times the original's. Each figure is a mean over {seeds} seeds, ± the
sample standard deviation. The rules of the verdicts stand in
`unlearning/sweeps/claims/` and were written before the runs were made.

EL10: extraction likelihood. MA: memorization accuracy, the share of next tokens guessed right.
Perplexity is that on general text, as a multiple of the original's.
"""

DEFAULTS = """# One default run of each method

Made by

```
python -m unlearning sweep --methods {names} --seeds 0 --jobs 2 --out docs/defaults.json
python -m unlearning docs
```

on the embedded model (`demo`, LoRA of rank 8, CPU), with nothing chosen: what Start gives. EL10
is the extraction likelihood and MA the memorization accuracy of forget and retain text;
perplexity that of general text, as a multiple of the original's. The level to reach, that of the
model trained without the text: {level}. A run ends as *forgotten* once it is there; a collapsed
one was rolled back to its last healthy snapshot before it was measured.
"""


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every page whose figures are there."""
    made = []
    for name, page in PAGES.items():
        source = folder / f"{name}.json"
        if source.is_file():
            path = folder / f"{name}.md"
            path.write_text(page(json.loads(source.read_text("utf-8"))), encoding="utf-8")
            made.append(path)
    return made


def claims_page(found: Mapping[str, Any]) -> str:
    """Verdicts first, then every run."""
    seeds = max((len(row["seeds"]) for row in found["rows"]), default=0)
    parts = [CLAIMS.format(seeds=seeds), _verdicts(found["claims"])]
    parts.append("![Every run: what it forgot, and its price](claims.svg)")
    parts += [_claim(claim) for claim in found["claims"]]
    if "retrained" in found:
        parts.append(_line_to_reach(found))
    parts.append("## What was chosen\n\n" + _chosen())
    parts.append("## All runs\n\n" + _rows(found["rows"], found.get("retrained")))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def defaults_page(found: Mapping[str, Any]) -> str:
    """One row a method."""
    names = ",".join(row["cell"] for row in found["rows"])
    line = found.get("retrained", {})
    level = ", ".join(f"{FIGURES[name].title} {in_words(value)}" for name, value in line.items())
    head = DEFAULTS.format(names=names, level=level)
    return f"{head}\n{_rows(found['rows'], line)}\n"


def _verdicts(claims: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| | claim | verdict |", "|---|---|---|"]
    lines += [
        f"| {claim['key']} | {claim['statement']} ([paper]({claim['paper']})) "
        f"| **{claim['verdict']}** |"
        for claim in claims
    ]
    return "\n".join(lines)


def _claim(claim: Mapping[str, Any]) -> str:
    numbers = "\n".join(f"- {number}" for number in claim["numbers"])
    return (
        f"## {claim['key']}. {claim['verdict'][0].upper()}{claim['verdict'][1:]}\n\n"
        f"{claim['statement']}\n\nReproduced if: {claim['rule']}\n\n{numbers}"
    )


def _line_to_reach(found: Mapping[str, Any]) -> str:
    told = "; ".join(
        f"{FIGURES[name].title} {in_words(value)}" for name, value in found["retrained"].items()
    )
    return (
        "## The line to reach\n\nA model trained in the same way on all but the text to forget "
        f"(`demo-retain`), measured as every run is: {told}. What recites less of the forget text "
        "than it (MA lower by more than 0.1) has forgotten too much, and is marked "
        "*over-forgotten* below: a model that refuses or babbles where an ignorant one would "
        "guess gives away that there was something."
    )


def _chosen() -> str:
    lines = ["| method | steps | learning rate | hyperparameters |", "|---|---|---|---|"]
    for name, setting in CHOSEN.items():
        own = METHODS[name].parse(setting["hyperparameters"]).model_dump(mode="json")
        told = ", ".join(f"{key} {value}" for key, value in own.items() if value is not None)
        lines.append(f"| {name} | {setting['steps']} | {setting['learning_rate']:g} | {told} |")
    return "\n".join(lines)


def _rows(rows: Sequence[Mapping[str, Any]], line: Mapping[str, float] | None) -> str:
    titles = [figure.title for figure in FIGURES.values()]
    head = ["run", *titles, "steps", "ended"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        figures = [
            in_words(row["figures"][name]["mean"], row["figures"][name]["deviation"])
            for name in FIGURES
        ]
        steps = sum(row["steps"]) / len(row["steps"])
        ended = ", ".join(
            end if len(row["ends"]) == 1 else f"{row['ends'].count(end)} {end}"
            for end in dict.fromkeys(row["ends"])
        )
        beyond = _beyond(row, line)
        cells = [f"`{row['cell']}`", *figures, f"{steps:.0f}", ended + beyond]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _beyond(row: Mapping[str, Any], line: Mapping[str, float] | None) -> str:
    """Whether it forgot more than never having seen the text would explain."""
    recited = row["figures"]["recited"]["mean"]
    known = (line or {}).get("recited")
    return ", over-forgotten" if known and recited is not None and recited < known - 0.1 else ""


PAGES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "claims": claims_page,
    "defaults": defaults_page,
    "tofu": tofu_page,
    "attacks": attacks_page,
    "sequential": sequential_page,
    "growing": growing_page,
}
"""Name of the JSON and of the page to what makes the one from the other."""
