"""Claim c: NGDiff finds its learning rate from anywhere and keeps more than GradDiff."""

from __future__ import annotations

from pathlib import Path

from unlearning.config import RunConfig
from unlearning.sweeps.base import Chain, changed, single
from unlearning.sweeps.claims.base import Claim, Evidence, Found, verdict
from unlearning.sweeps.claims.chosen import CHOSEN, GRAD_DIFF_TRIED
from unlearning.sweeps.figures import in_words

STARTS = (0.01, 0.3, 10.0)
"""Starting rates, three decades from first to last."""
AGREE = 3.0
"""Factor within which the rates that are found must lie."""


def chains(ground: RunConfig, folder: Path) -> tuple[Chain, ...]:
    """NGDiff from each start, its paper's form from the middle one, and GradDiff as chosen."""
    ngdiff = CHOSEN["ngdiff"]
    paper = {"rate_rule": "plain", "generic_share": 0.0, "slack": 0.0, "refresh": 10}
    return (
        *(
            single(
                f"c/ngdiff/start-{start:g}", changed(ground, **ngdiff | {"learning_rate": start})
            )
            for start in STARTS
        ),
        single(
            "c/ngdiff/paper",
            changed(ground, **ngdiff | {"learning_rate": STARTS[1], "hyperparameters": paper}),
        ),
        single("c/grad_diff", changed(ground, **CHOSEN["grad_diff"])),
    )


def judge(evidence: Evidence) -> Found:
    """Two parts: the starts agree, and NGDiff keeps as much while forgetting no less."""
    rows = [evidence.rows[f"c/ngdiff/start-{start:g}"] for start in STARTS]
    ends = [
        [view.curve("learning_rate").values[-1] for view in evidence.views(row.cell)]
        for row in rows
    ]
    found = [rate for by_seed in ends for rate in by_seed]
    agree = max(found) / min(found) <= AGREE
    other = evidence.rows["c/grad_diff"]
    better = [
        row.mean("extraction") <= other.mean("extraction")
        and row.mean("kept") >= other.mean("kept")
        and row.mean("perplexity") <= other.mean("perplexity")
        for row in rows
    ]
    told = [*rows, evidence.rows["c/ngdiff/paper"], other]
    numbers = [
        f"{row.cell.removeprefix('c/')}: EL10 {in_words(row.mean('extraction'))}, retain accuracy "
        f"{in_words(row.mean('kept'))}, general perplexity times "
        f"{in_words(row.mean('perplexity'))}."
        for row in told
    ]
    numbers.append(
        "Learning rates at the end, by start: "
        + "; ".join(
            f"{start:g} to {', '.join(f'{rate:.3g}' for rate in by_seed)}"
            for start, by_seed in zip(STARTS, ends, strict=True)
        )
        + "."
    )
    return Found(verdict([agree, all(better)]), tuple(numbers))


CLAIM = Claim(
    key="c",
    statement="NGDiff with its automatic learning rate ends alike from starting rates three "
    "decades apart, and keeps more at equal forgetting than GradDiff with its best of "
    f"{GRAD_DIFF_TRIED}.",
    paper="https://arxiv.org/abs/2410.22086",
    rule="Two parts: the learning rates at the end lie within a factor of three of each other over "
    "all starts and seeds; from every start the means of EL10, retain accuracy and general "
    "perplexity are each no worse than GradDiff's. Both: reproduced; one: mixed.",
    chains=chains,
    judge=judge,
)
