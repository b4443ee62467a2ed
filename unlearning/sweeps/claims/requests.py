"""Claim b: UNDIAL stays usable under requests in a row, and hardly feels its learning rate."""

from __future__ import annotations

from math import log
from pathlib import Path

from unlearning.config import RunConfig
from unlearning.sweeps.base import Cell, Chain, changed, single
from unlearning.sweeps.claims.base import USELESS, Claim, Evidence, Found, usable, verdict
from unlearning.sweeps.claims.chosen import CHOSEN
from unlearning.sweeps.figures import in_words
from unlearning.sweeps.presets import parts, settled

REQUESTS = ("undial", "npo", "gradient_ascent")
RATES = (0.1, 1.0, 10.0)
"""Times the chosen learning rate: a hundredfold."""
UNTIL_FORGOTTEN = {"stop_when_forgotten": True, "stop_on_collapse": False}
"""Every method ends by the rule of gradient ascent's paper; none is held back from collapsing."""
NARROW = 0.25
"""Spread over the rates that counts as little: of EL10, and of the logarithm of perplexity."""


def chains(ground: RunConfig, folder: Path) -> tuple[Chain, ...]:
    """Four requests with each method; then all at once with each rate, without a stop."""
    quarters, ground = parts(ground, folder), settled(ground)
    in_a_row = tuple(
        Chain(
            tuple(
                Cell(
                    f"b/{name}/request-{n}",
                    changed(ground, **CHOSEN[name], **UNTIL_FORGOTTEN, forget=quarter),
                )
                for n, quarter in enumerate(quarters, 1)
            )
        )
        for name in REQUESTS
    )
    onwards = {"stop_on_collapse": False, "stop_when_forgotten": False}
    rates = tuple(
        single(
            f"b/{name}/rate-{factor:g}",
            changed(
                ground,
                **CHOSEN[name] | {"learning_rate": CHOSEN[name]["learning_rate"] * factor},
                **onwards,
            ),
        )
        for name in ("undial", "gradient_ascent")
        for factor in RATES
    )
    return in_a_row + rates


def judge(evidence: Evidence) -> Found:
    """Three parts: UNDIAL usable at every request, ascent destroyed by the second, rates."""
    rows = evidence.rows
    undial = [rows[f"b/undial/request-{n}"] for n in range(1, 5)]
    stays = all(usable(row, place) for row in undial for place in range(len(row.seeds)))
    second = rows["b/gradient_ascent/request-2"].values["perplexity"]
    destroyed = all(dearer is None or dearer > USELESS for dearer in second)
    spreads = {name: _spread(evidence, name) for name in ("undial", "gradient_ascent")}
    steady = max(spreads["undial"]) <= NARROW < max(spreads["gradient_ascent"])
    numbers = [
        f"{name}, request by request: general perplexity times "
        + ", ".join(in_words(row.mean("perplexity")) for row in found)
        + "; retain accuracy "
        + ", ".join(in_words(row.mean("kept")) for row in found)
        + "; EL10 of what was just forgotten "
        + ", ".join(in_words(row.mean("extraction")) for row in found)
        + f"; collapsed in {sum('collapsed' in row.ends for row in found)} of them."
        for name in REQUESTS
        if (found := [r for c, r in rows.items() if c.startswith(f"b/{name}/request-")])
    ]
    numbers += [
        f"{name} over a hundredfold of learning rates: EL10 apart by {in_words(apart)}, "
        f"logarithm of general perplexity by {in_words(dearer)}."
        for name, (apart, dearer) in spreads.items()
    ]
    return Found(verdict([stays, destroyed, steady]), tuple(numbers))


def _spread(evidence: Evidence, name: str) -> tuple[float, float]:
    """Between the rates: largest less smallest EL10, and of the logarithm of perplexity."""
    found = [evidence.rows[f"b/{name}/rate-{factor:g}"] for factor in RATES]
    extracted = [row.mean("extraction") for row in found]
    dearer = [log(row.mean("perplexity")) for row in found]
    return max(extracted) - min(extracted), max(dearer) - min(dearer)


CLAIM = Claim(
    key="b",
    statement="UNDIAL stays usable under four requests in a row where gradient ascent is destroyed "
    "by the second, and its result hardly depends on the learning rate.",
    paper="https://arxiv.org/abs/2402.10052",
    rule="Three parts: UNDIAL keeps general perplexity within 1.05 times the original's and retain "
    "accuracy at least 0.9 at every request and seed; gradient ascent has more than doubled the "
    "perplexity after the second request in every seed; over a hundredfold of learning rates EL10 "
    "and the logarithm of perplexity of UNDIAL stay within 0.25, those of gradient ascent do not. "
    "All three: reproduced; some: mixed.",
    chains=chains,
    judge=judge,
)
