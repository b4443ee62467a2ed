"""The TOFU table as text and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from unlearning.sweeps.tofu_bench import NEW_TOKENS, NINE, NOTHING, UTILITY, zeros

ROLES = {
    "forget": "forget text",
    "retain": "retain text",
    "real_authors": "real authors",
    "world_facts": "world facts",
}
PARTS = {"probability": "probability", "rouge": "ROUGE-L recall", "truth": "truth ratio"}
CHIEF = {
    "utility": "Model Utility",
    "quality": "Forget Quality (p)",
    "forget/truth": "forget truth ratio",
    "forget/probability": "forget probability",
    "forget/rouge": "forget ROUGE-L",
}

PAGE = """# TOFU, end to end

Made by

```
{commands}
```

TOFU (Maini et al. 2024, [arXiv:2401.06121](https://arxiv.org/abs/2401.06121)): 200 invented
authors are taught to a model, a tenth of them is unlearned again (`{forget}`), and the
result is compared with a model that was taught the other nine tenths only.

**The model is tiny.** It has {parameters} parameters, was trained on little stories, and spells
words out of 512 pieces; it learns how the answers sound rather than what they say. The table shows
that the benchmark runs from beginning to end and how its figures behave. It does not rank the
methods: their learning rates are their defaults, which were chosen on another model, and
everything stops after the same number of steps, whatever has come of it.

{taught}

{read} Answers are greedy, of at most
{tokens} tokens. In brackets: 95 % bootstrap intervals over the texts{seeds}. ROUGE-L is recall with
a stemmer. The truth ratio takes the geometric mean over the wrong answers, as the published code
does.

## Forgetting and utility

Forget Quality is the p-value of a Kolmogorov-Smirnov test between the truth ratios of the model and
of the one that was never taught the text: above 0.05 the two cannot be told apart, which on a model
that had learnt little to begin with is easily had. Forget truth ratio: mean of min(R, 1/R), 1 =
cannot tell true from wrong. Model Utility is the harmonic mean of the nine figures below, so that
a single 0 makes it 0.

{chief}

{reasons}

## The nine parts of Model Utility

Probability is per token on the retain text, and that of the true answer among the options on the
two others; the truth ratio is mean max(0, 1 - R).

{nine}
"""


def text_rows(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and lines of the chief figures, for the command line."""
    lines = [[row["name"], *(_figure(row, key) for key in CHIEF)] for row in found["rows"]]
    return ["model", *CHIEF.values()], lines


def reasons(found: Mapping[str, Any]) -> list[str]:
    """Why model utility is 0, for each model of which it is."""
    told = []
    for row in found["rows"]:
        parts = dict.fromkeys(name for scores in row["scores"] for name in zeros(scores))
        if parts:
            named = ", ".join(_in_words(name) for name in parts)
            told.append(f"{row['name']}: Model Utility is 0 because of {named}.")
        elif any(scores["utility"] is None for scores in row["scores"]):
            told.append(f"{row['name']}: Model Utility cannot be told: a figure is no number.")
    return told


def tofu_page(found: Mapping[str, Any]) -> str:
    """Commands, how the models were taught, chief figures, the nine parts."""
    bench = found["tofu"]
    rows = bench["rows"]
    several = max(len(row["scores"]) for row in rows) > 1
    told = "\n".join(f"- {reason}" for reason in reasons(bench))
    return PAGE.format(
        commands=_commands(bench),
        forget=bench["forget"].removesuffix("_perturbed"),
        parameters=f"{bench['parameters']:,}",
        taught=_taught(bench),
        read=_read(bench),
        tokens=NEW_TOKENS,
        seeds="; over several seeds, ± the sample standard deviation" if several else "",
        chief=_table(
            ["model", *CHIEF.values(), "steps", "learning rate", "ended"],
            [[_name(r), *(_figure(r, k) for k in CHIEF), *_story(r)] for r in rows],
        ),
        reasons=told or "Model Utility is above 0 for every model.",
        nine="\n\n".join(
            f"### {ROLES[role][0].upper()}{ROLES[role][1:]}\n\n"
            + _table(
                ["model", *PARTS.values()],
                [[_name(r), *(_figure(r, f"{role}/{part}") for part in PARTS)] for r in rows],
            )
            for role in UTILITY
        ),
    )


def _read(bench: Mapping[str, Any]) -> str:
    """What of the evaluation sets is read."""
    counts = bench["counts"]
    named = ", ".join(f"{count} {ROLES[role]}" for role, count in counts.items())
    if bench["whole"]:
        return f"All {sum(counts.values()):,} texts of the four evaluation sets are read ({named})."
    return (
        f"Of the four evaluation sets {sum(counts.values()):,} texts are read, spread evenly over "
        f"each ({named}); Forget Quality depends on how many, so compare it at equal n only."
    )


def _commands(bench: Mapping[str, Any]) -> str:
    lines = []
    for recipe in filter(None, bench["taught"]):
        length = (
            f"--epochs {recipe['epochs']}" if recipe["epochs"] else f"--steps {recipe['steps']}"
        )
        lines.append(
            f"python -m unlearning finetune --model {recipe['model']} --data {recipe['data']} "
            f"{length} --batch-size {recipe['batch_size']} --lr {recipe['learning_rate']:g} "
            f"--out {recipe['name']}"
        )
    return "\n".join([*lines, bench["command"], "python -m unlearning docs"])


def _taught(bench: Mapping[str, Any]) -> str:
    told = []
    for recipe in filter(None, bench["taught"]):
        recited = recipe["memorization_accuracy"]
        told.append(
            f"`{recipe['name']}` was taught `{recipe['data']}` in {recipe['steps']} steps: loss "
            f"{recipe['first_loss']:.2f} at the first, {recipe['loss']:.2f} over the last, and "
            f"{recited['after']:.0%} of the next tokens guessed right, {recited['before']:.0%} "
            "before."
        )
    return " ".join(told)


def _name(row: Mapping[str, Any]) -> str:
    return f"`{row['name']}`" if "ended" in row else f"*{row['name']}*"


def _story(row: Mapping[str, Any]) -> list[str]:
    if "ended" not in row:
        return ["", "", ""]
    steps = ", ".join(str(one) for one in dict.fromkeys(row["steps"]))
    return [steps, f"{row['learning_rate']:g}", ", ".join(dict.fromkeys(row["ended"]))]


def _figure(row: Mapping[str, Any], key: str) -> str:
    """'0.123 [0.110, 0.135]' of one seed, '0.123 ± 0.004' of several; a dash for none."""
    found = [scores[key] for scores in row["scores"]]
    values = [one["value"] for one in found if one is not None]
    if not values:
        return "-"
    if len(values) > 1:
        return f"{_number(mean(values))} ± {_number(stdev(values))}"
    (one,) = (one for one in found if one is not None)
    interval = "" if one["low"] is None else f" [{_number(one['low'])}, {_number(one['high'])}]"
    return _number(one["value"]) + interval


def _number(value: float) -> str:
    """Three digits behind the point; p-values go far below."""
    return f"{value:.3f}" if value >= NOTHING or value == 0 else f"{value:.1e}"


def _in_words(name: str) -> str:
    assert name in NINE
    role, part = name.split("/")
    return f"{PARTS[part]} on {ROLES[role]}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
