"""The page of the attacks: relearning, rounding, other ways of asking, method by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unlearning.attacks import ATTACKS
from unlearning.attacks.prompts import Row, through

PAGE = """# Attacks on what was forgotten

Made by

```
python -m unlearning sweep --preset attacks --seeds {seeds} --out docs/attacks.json
python -m unlearning docs
```

Each method unlearns the forget text of the embedded model (`demo`, 4 M parameters) with its own
defaults and stops as soon as the text is recited no better than text that the model never saw. What
results is attacked three times, beside the *original* (`demo` as it was) and a *control* that never
saw the text (`demo-retain`), which is attacked alike. MA: memorization accuracy, the share of next
tokens guessed right; brackets: 95 % bootstrap intervals over the texts. One attack alone is made by
`python -m unlearning attack relearn --model run:ID`, likewise `quantise` and `prompts`.
`sequential` forgets the text in several requests instead, and is not part of this page.

{runs}

## Relearning

{relearn_idea} {relearn_rule}

![Memorization accuracy of the share that no model trains on](attacks.svg)

{relearn}

## Rounding

{quantise_idea} {quantise_rule}

{quantise}

## Other ways of asking

{prompts_idea} {prompts_rule}

Scored is the share of the expected words that comes (ROUGE-L recall), of multiple choice the share
chosen right. Bold: the probe gets through. Facts given as hints and halves of answers help a model
that knows nothing, too, hence the control.

{prompts}
"""


def attacks_page(found: Mapping[str, Any]) -> str:
    """The runs, then one section an attack."""
    attacked = found["attacks"]
    seeds = ",".join(str(seed) for seed in dict.fromkeys(one["seed"] for one in attacked))
    ideas = {
        f"{name}_{part}": getattr(cls, part)
        for name, cls in ATTACKS.items()
        for part in ("idea", "rule")
    }
    return PAGE.format(
        seeds=seeds,
        runs=_runs(found),
        relearn=_relearn(_reports(attacked, "relearn")),
        quantise=_quantise(_reports(attacked, "quantise")),
        prompts=_prompts(_reports(attacked, "prompts")),
        **ideas,
    )


def _reports(attacked: Sequence[Mapping[str, Any]], name: str) -> dict[str, Mapping[str, Any]]:
    """Report by run, as `npo` or, with several seeds, `npo, seed 1`."""
    several = len({one["seed"] for one in attacked}) > 1
    return {
        one["cell"] + (f", seed {one['seed']}" if several else ""): report
        for one in attacked
        for report in one["reports"]
        if report["attack"] == name
    }


def _runs(found: Mapping[str, Any]) -> str:
    rows = []
    for row in found["rows"]:
        recited, kept, dearer = (
            row["figures"][name]["mean"] for name in ("recited", "kept", "perplexity")
        )
        steps = sum(row["steps"]) / len(row["steps"])
        ended = ", ".join(dict.fromkeys(row["ends"]))
        cells = [_number(value) for value in (recited, kept, dearer)]
        rows.append([f"`{row['cell']}`", f"{steps:.0f}", ended, *cells])
    head = ["before the attack", "steps", "ended", "MA forget", "MA retain", "perplexity, times"]
    return _table(head, rows)


def _relearn(reports: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, report in reports.items():
        ours, theirs = (report["curves"][side]["looks"] for side in ("unlearned", "control"))
        half = report["curves"]["unlearned"]["steps_to_half"]
        rows.append(
            [
                f"`{name}`",
                *(_known(look) for look in (ours[0], ours[-1], theirs[0], theirs[-1])),
                _number(report["curves"]["original"]["looks"][0]["unseen"]["value"]),
                *(_number(report[key]) for key in ("excess_before", "excess")),
                "never" if half is None else str(half),
                report["verdict"],
            ]
        )
    head = ["", "MA before", "after", "control before", "after", "original"]
    head += ["excess before", "after", "steps to half", "verdict"]
    return _table(head, rows)


def _quantise(reports: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, report in reports.items():
        cells = [
            " > ".join(
                _number(_score(report["copies"][side][when], "memorization_accuracy", "forget"))
                for when in ("before", "after")
            )
            for side in ("unlearned", "control", "original")
        ]
        kept = " > ".join(
            _number(_score(report["copies"]["unlearned"][when], "perplexity", "generic"))
            for when in ("before", "after")
        )
        shares = [_number(report[key]) for key in ("recovery", "same_code")]
        rows.append([f"`{name}`", *cells, kept, *shares, report["verdict"]])
    head = ["before > after", "MA unlearned", "control", "original", "general perplexity"]
    return _table([*head, "recovery", "same code", "verdict"], rows)


def _prompts(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a probe, a column a run; original and control are the same for all."""
    if not reports:
        return ""
    first = next(iter(reports.values()))
    lines = []
    for place, row in enumerate(first["rows"]):
        cells = [_asked(report["rows"][place]) for report in reports.values()]
        both = [
            _number(row["scores"].get(side, {}).get("value")) for side in ("control", "original")
        ]
        count = row["scores"]["unlearned"]["n"]
        role = "keep" if row["role"] == "retain" else "forget"
        lines.append([row["title"], role, str(count), *cells, *both])
    head = ["asked", "text", "n", *(f"`{name}`" for name in reports), "control", "original"]
    verdicts = "\n".join(f"- `{name}`: {report['verdict']}" for name, report in reports.items())
    return f"{_table(head, lines)}\n\n{verdicts}"


def _asked(row: Mapping[str, Any]) -> str:
    shown = _number(row["scores"]["unlearned"]["value"])
    return f"**{shown}**" if through(Row.model_validate(row)) else shown


def _known(look: Mapping[str, Any]) -> str:
    known = look["unseen"]
    if known["low"] is None:
        return _number(known["value"])
    return f"{known['value']:.3f} [{known['low']:.3f}, {known['high']:.3f}]"


def _score(scores: Mapping[str, Any], name: str, role: str) -> float | None:
    found = scores.get(name, {}).get(role)
    return None if found is None else found["value"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
