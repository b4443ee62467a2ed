"""Claim d: under a mean teacher only NLUL leaves the start, and the teacher makes it cheaper."""

from __future__ import annotations

from pathlib import Path

from unlearning.config import RunConfig
from unlearning.sweeps.base import Chain, changed, single
from unlearning.sweeps.claims.base import Claim, Evidence, Found, at_reach, verdict
from unlearning.sweeps.claims.chosen import CHOSEN
from unlearning.sweeps.figures import in_words

LOSSES = ("nlul", "npo", "ll")
WEIGHTS = (0.03, 0.3, 3.0)
"""Weights of the push (alpha); the penalty's stays at 1."""
LOOKED_AT = ("recited", "kept", "perplexity")
"""Columns that the grid is judged by; extraction would take as long as the runs."""
AT_START = 0.9
"""Memorization accuracy from which a run counts as still at the start."""
THROUGH = 0.5
"""Memorization accuracy under which it counts as broken through."""


def chains(ground: RunConfig, folder: Path) -> tuple[Chain, ...]:
    """Every loss with every weight; then NLUL held by the original instead of a teacher."""
    chosen = CHOSEN["mean_teacher"]
    onwards = {"stop_on_collapse": False, "stop_when_forgotten": False}

    def with_settings(**settings: str | float) -> RunConfig:
        hyperparameters = chosen["hyperparameters"] | settings
        return changed(ground, **chosen | {"hyperparameters": hyperparameters}, **onwards)

    def cell(loss: str, weight: float) -> Chain:
        config = with_settings(forget_loss=loss, alpha=weight)
        if config.build_method() != with_settings().build_method():
            # Only how it ends is judged, and looks between cost as much as the steps.
            config = changed(config, probe_every=config.steps)
        return single(f"d/{loss}/{weight:g}", config, LOOKED_AT)

    grid = tuple(cell(loss, weight) for loss in LOSSES for weight in WEIGHTS)
    # With the smallest rate the teacher stays the original, and without damping nothing pulls.
    alone = with_settings(delta=0.0001, damping=0.0)
    # First: one cell of the grid is the same run, and is not made twice; here it is measured whole.
    return (single("d/teacher", with_settings()), single("d/no-teacher", alone), *grid)


def judge(evidence: Evidence) -> Found:
    """Two parts: a weight that tells the losses apart, and the price at equal forgetting."""
    rows = evidence.rows
    apart = [
        weight
        for weight in WEIGHTS
        if max(rows[f"d/nlul/{weight:g}"].values["recited"]) <= THROUGH
        and all(
            min(rows[f"d/{loss}/{weight:g}"].values["recited"]) >= AT_START
            for loss in ("npo", "ll")
        )
    ]
    numbers = [
        f"alpha {weight:g}: "
        + "; ".join(
            f"{loss} ends at MA {in_words(row.mean('recited'), row.deviation('recited'))}, general "
            f"perplexity times {in_words(row.mean('perplexity'))}"
            for loss in LOSSES
            if (row := rows[f"d/{loss}/{weight:g}"])
        )
        + "."
        for weight in WEIGHTS
    ]
    dearer = []
    pairs = zip(evidence.views("d/teacher"), evidence.views("d/no-teacher"), strict=True)
    for seed, (held, alone) in zip(rows["d/teacher"].seeds, pairs, strict=True):
        least = min(
            min(view.curve("score/memorization_accuracy/forget").values) for view in (held, alone)
        )
        most = max(
            min(view.curve("score/memorization_accuracy/forget").values) for view in (held, alone)
        )
        with_teacher, without = at_reach(held, most), at_reach(alone, most)
        dearer.append(without.dearer > with_teacher.dearer)
        numbers.append(
            f"Seed {seed}: at MA {most:.2f} (least reached by either: {least:.2f}) general "
            f"perplexity is times {in_words(with_teacher.dearer)} with the teacher (retain "
            f"accuracy {in_words(with_teacher.kept)}), {in_words(without.dearer)} without "
            f"({in_words(without.kept)})."
        )
    numbers += [
        f"In the end {words} the teacher: MA {in_words(row.mean('recited'))}, retain accuracy "
        f"{in_words(row.mean('kept'))}, general perplexity times "
        f"{in_words(row.mean('perplexity'))}; collapsed in {row.ends.count('collapsed')} of "
        f"{len(row.ends)} seeds."
        for words, row in (("with", rows["d/teacher"]), ("without", rows["d/no-teacher"]))
    ]
    numbers.append("The rule compares on the way, and asks nothing of the retain text.")
    return Found(verdict([bool(apart), all(dearer)]), tuple(numbers))


CLAIM = Claim(
    key="d",
    statement="Under a mean teacher, log-likelihood and NPO stay at the start where NLUL breaks "
    "through, at the same weight, learning rate and steps; and NLUL without the teacher costs "
    "more general perplexity at equal forgetting.",
    paper="https://arxiv.org/abs/2504.13388",
    rule="Two parts: for some weight of the grid, in every seed, NLUL ends with memorization "
    "accuracy at most 0.5 while NPO and log-likelihood stay at 0.9 or more; in every seed general "
    "perplexity is higher without the teacher at the lowest accuracy that both reach. Both: "
    "reproduced; one: mixed.",
    chains=chains,
    judge=judge,
)
