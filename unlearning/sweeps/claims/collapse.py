"""Claim a: gradient ascent collapses on the way past the point that ICU reaches."""

from __future__ import annotations

from pathlib import Path

from unlearning.config import RunConfig
from unlearning.sweeps.base import Chain, changed, single
from unlearning.sweeps.claims.base import Claim, Evidence, Found, at_reach, forgot, usable, verdict
from unlearning.sweeps.claims.chosen import CHOSEN
from unlearning.sweeps.figures import in_words


def chains(ground: RunConfig, folder: Path) -> tuple[Chain, ...]:
    """ICU as chosen, and gradient ascent to its last step, looked at closely."""
    onwards = {"stop_on_collapse": False, "stop_when_forgotten": False, "probe_every": 2}
    return (
        single("a/icu", changed(ground, **CHOSEN["icu"])),
        single("a/gradient_ascent", changed(ground, **CHOSEN["gradient_ascent"], **onwards)),
    )


def judge(evidence: Evidence) -> Found:
    """Seed by seed: ICU arrives and stays usable, gradient ascent has collapsed by then."""
    icu, held, numbers = evidence.rows["a/icu"], [], []
    pairs = zip(evidence.views("a/icu"), evidence.views("a/gradient_ascent"), strict=True)
    for place, (theirs, ascent) in enumerate(pairs):
        arrived = forgot(icu, theirs, place) and usable(icu, place)
        recited = theirs.curve("score/memorization_accuracy/forget").values[-1]
        reach = at_reach(ascent, recited)
        collapsed = ascent.collapse.step if ascent.collapse else None
        by_then = reach is not None and collapsed is not None and collapsed <= reach.step
        held.append(arrived and by_then)
        numbers.append(
            f"Seed {icu.seeds[place]}: ICU ends at EL10 {in_words(icu.values['extraction'][place])}"
            f", retain accuracy {in_words(icu.values['kept'][place])}, general perplexity times "
            f"{in_words(icu.values['perplexity'][place])}. "
            + (
                f"Gradient ascent recites as little (MA {recited:.2f}) at step {reach.step}: "
                f"general perplexity times {in_words(reach.dearer)}, retain accuracy "
                f"{in_words(reach.kept)}; "
                if reach
                else f"Gradient ascent never recites as little (MA {recited:.2f}); "
            )
            + (f"it collapses at step {collapsed}." if collapsed else "it does not collapse.")
        )
    return Found(verdict(held), tuple(numbers))


CLAIM = Claim(
    key="a",
    statement="Gradient ascent collapses on the way past the point where ICU has forgotten and is "
    "still usable.",
    paper="https://arxiv.org/abs/2407.20271",
    rule="In every seed ICU ends with EL10 at most a tenth of the original's, general perplexity "
    "at most 1.05 times it and retain accuracy at least 0.9, and gradient ascent has collapsed "
    "by the first look at which it recites as little.",
    chains=chains,
    judge=judge,
)
