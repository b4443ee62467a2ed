"""Measure every model, round its weights, and measure again."""

from __future__ import annotations

from torch import Tensor

from unlearning.attacks.base import Side, paired, share_back, value_of
from unlearning.attacks.quantise import (
    FORGETTING,
    Copy,
    Quantise,
    Quantised,
    forgetting,
    verdict,
)
from unlearning.data.base import Role
from unlearning.errors import UserError
from unlearning.metrics.base import Metric, Score
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.metrics.perplexity import Perplexity
from unlearning.models.versions import Versions
from unlearning.runs.events import Scores
from unlearning.runs.measure import TextSet
from unlearning.runs.stress.ground import Ground, as_it_is
from unlearning.runs.stress.rounding import round_model, same_share

ORDER: tuple[Side, ...] = ("original", "control", "unlearned")
ROLES: tuple[Role, ...] = ("forget", "retain", "generic")
METRICS: dict[str, Metric] = {FORGETTING: MemorizationAccuracy(), "perplexity": Perplexity()}
EXTRACTION = ExtractionLikelihood()


def carry_out(attack: Quantise, ground: Ground) -> Quantised:
    """The attack.

    Raises:
        UserError: the format is not available here, or nothing can be measured.
    """
    copies: dict[Side, Copy] = {}
    codes: dict[Side, dict[str, Tensor]] = {}
    for side in ORDER:
        if side in ground.names:
            copies[side], own = _one(attack, ground, side)
            if side != "control":
                codes[side] = own
    before, after = (
        forgetting(scores) for scores in (copies["unlearned"].before, copies["unlearned"].after)
    )
    original = forgetting(copies["original"].before) if "original" in copies else None
    recovery = None
    if before is not None and after is not None and original is not None:
        recovery = share_back(before, after, original)
    return Quantised(
        **ground.head(attack),
        copies=copies,
        recovery=recovery,
        same_code=same_share(codes["original"], codes["unlearned"])
        if "original" in codes
        else None,
        weights=sum(one.numel() for one in codes["unlearned"].values()),
        verdict=verdict(copies, recovery, attack.format),
    )


def _one(attack: Quantise, ground: Ground, side: Side) -> tuple[Copy, dict[str, Tensor]]:
    """Figures before and after, and the codes."""
    loaded = ground.open(side)
    versions = as_it_is(loaded)
    sets = [
        ground.text_set(role, loaded, ground.texts[role]) for role in ROLES if role in ground.texts
    ]
    before, known_before = _figures(attack, ground, versions, sets)
    codes = round_model(loaded.model, attack.format, attack.block)
    after, known_after = _figures(attack, ground, versions, sets)
    ground.tell(f"  knows {known_before.value:.3f} before, {known_after.value:.3f} after")
    return Copy(before=before, after=after, change=paired(known_after, known_before)), codes


def _figures(
    attack: Quantise, ground: Ground, versions: Versions, sets: list[TextSet]
) -> tuple[Scores, Score]:
    """Metric to role to score, and what is known of the forget text with its samples."""
    scores: Scores = {}
    known = None
    for texts in sets:
        few = texts.some(attack.texts)
        found = ground.scores(versions, METRICS, few, few.encoded)
        if texts.role == "forget":
            known = found.get(FORGETTING)
            long = texts.leaving(EXTRACTION.n).some(attack.extracted)
            if long.encoded:
                extracted = {"extraction_likelihood": EXTRACTION}
                found |= ground.scores(versions, extracted, long, long.encoded)
        for name, score in found.items():
            scores.setdefault(name, {})[texts.role] = value_of(score)
    if known is None:
        raise UserError(
            "The forget text leaves nothing to measure: no token follows a beginning.",
            "Give longer passages, or questions with answers.",
        )
    return scores, known
