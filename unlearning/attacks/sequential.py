"""Sequential requests: forget the same text part by part, and see whether the model wears out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from unlearning.attacks.base import GAP, MUCH, NO_ORIGINAL, Attack, Report, Side, share_back
from unlearning.declare import hyperparameter
from unlearning.runs.collapse import TOLERATED_PERPLEXITY, TOLERATED_RETAIN_LOSS
from unlearning.runs.events import ScoreValue

DEARER = 1.4
"""Times the perplexity of the model that forgot at once from which a model counts as worn out:
half, in logarithms, of what is a collapse."""
NOTHING_KEPT = (
    "No verdict: there is no text to keep that can be measured, so nothing tells whether the model "
    "wears out."
)
NOT_AT_ONCE = (
    "No verdict: forgotten at once, the text is known as well as to the original, so that there is "
    "nothing to compare with."
)
DESTROYED, WORN, LASTS = "Destroyed.", "Wears out.", "Lasts."


class Sequential(Attack):
    """Forget the same text in several requests, one after the other.

    The forget text of a run is cut into parts of the same mixture, a passage and its questions in
    the same one. From the original of the run one part after the other is forgotten, by the run's
    own method and settings, each request starting from the weights that the one before left. A
    request takes as many steps as the run's settings ask for; where an earlier snapshot is
    attacked, or the run was stopped by hand, as many as those weights took. The control is the
    attacked model: it forgot the same text at once. A collapse ends the row.

    Source: the sustainability of Shi et al. 2024 (MUSE), where every request brings new text of
    the same size.
    """

    title: ClassVar[str] = "Sequential requests"
    paper: ClassVar[str] = "https://arxiv.org/abs/2407.06460"
    idea: ClassVar[str] = (
        "Requests to forget come one after the other. Ask for the same text in several requests, "
        "and look after each one at the part just asked for, at the parts before it, and at what "
        "should be kept. A method may bear one request and wear the model out with several."
    )
    rule: ClassVar[str] = (
        "Known: memorization accuracy. Destroyed: a request ends in a collapse; or after the last "
        f"one general perplexity is {TOLERATED_PERPLEXITY:g} times the original's or more, or "
        f"{TOLERATED_RETAIN_LOSS:g} of what the original knows of the text to keep is gone. Wears "
        "out: after the last request it knows less of the text to keep than the model that forgot "
        f"at once, by {GAP:g} or more, the 95 % interval of the difference above 0; or general "
        f"perplexity is {DEARER:g} times that model's or more. Does not stay gone: of what the "
        f"requests before the last took away {MUCH:g} or more is known again in the end, the "
        "interval of the change above 0. Forgets less: right after its own request a part is known "
        f"better than to that model, by {GAP:g} or more, the interval above 0. Lasts: none of this."
    )

    requests: int = hyperparameter(4, 2, 8)
    """Requests, each with its part of the text."""
    texts: int = hyperparameter(24, 2, 1000)
    """Most texts of each part, and of each text to keep, that a look reads."""
    seed: int | None = hyperparameter(None, 0, 2**31 - 1, advanced=True)
    """Seed of the training; empty takes the run's."""

    def training_steps(self, run_steps: int) -> int:
        """All requests together."""
        return self.requests * run_steps


class Kept(BaseModel):
    """What a model knows of the text that should stay."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept: ScoreValue | None
    """Memorization accuracy on the text to keep; where there is none, on general text."""
    perplexity: ScoreValue | None
    """On general text; where there is none, on the text to keep."""


class Stand(Kept):
    """A model to compare with."""

    forget: ScoreValue
    """Memorization accuracy on all parts."""


class Request(Kept):
    """One request, and what is known after it. Figures of parts are memorization accuracy."""

    texts: int
    """Examples of its part."""
    steps: int
    """Steps whose weights were kept."""
    ended: str = ""
    """Why it ended before its last step: 'forgotten' or 'rule'."""
    lost_at: int | None = None
    """Step of the collapse, where there was one."""
    sign: str = ""
    """What showed the collapse."""
    asked: ScoreValue
    """On the part just asked for."""
    earlier: ScoreValue | None
    """On the parts before it."""
    to_come: ScoreValue | None
    """On the parts after it."""


class Requested(Report):
    """A row of requests beside the model that forgot the same text at once."""

    requests: tuple[Request, ...] = Field(min_length=1)
    """In their order; fewer than asked for after a collapse."""
    stands: dict[Side, Stand]
    """'unlearned' is the attacked model: it forgot everything at once."""
    lost_at_once: bool = False
    """Whether that model's run collapsed, too."""
    worn: ScoreValue | None = None
    """Text to keep: at once less after the last request, text by text."""
    returned: ScoreValue | None = None
    """Parts before the last: in the end less right after their own request, text by text."""
    recovery: float | None = None
    """Of what those requests took away, the share that is known again in the end."""
    shortfall: ScoreValue | None = None
    """Parts asked for: right after their own request less at once, text by text."""

    def times(self, look: Kept) -> float | None:
        """Perplexity as a multiple of the original's."""
        first = self.stands["original"].perplexity if "original" in self.stands else None
        return look.perplexity.value / first.value if first and look.perplexity else None


def recovered(original: float, right_after: float, in_the_end: float) -> float | None:
    """Share of what a request took away that is known again; None where it took away too little."""
    return share_back(right_after, in_the_end, original)


def verdict(found: Requested) -> str:
    """The rule of `Sequential.rule` in one to three sentences."""
    if "original" not in found.stands:
        return NO_ORIGINAL
    last, once, original = found.requests[-1], found.stands["unlearned"], found.stands["original"]
    if last.lost_at is not None:
        return " ".join(_destroyed(found, last, once))
    dearer, dearer_once = found.times(last), found.times(once)
    if None in (dearer, dearer_once, last.kept, once.kept, original.kept):
        return NOTHING_KEPT
    told = (
        f"After {len(found.requests)} requests {last.kept.value:.0%} of the text to keep is known, "
        f"and general text is {dearer:.2f} times as surprising as to the original (when forgotten "
        f"at once {once.kept.value:.0%} and {dearer_once:.2f})."
    )
    gone = 1 - last.kept.value / original.kept.value if original.kept.value else 0.0
    if dearer >= TOLERATED_PERPLEXITY or gone >= TOLERATED_RETAIN_LOSS:
        return f"{DESTROYED} {told}"
    if original.forget.value - once.forget.value < GAP:
        return NOT_AT_ONCE
    faults = list(_faults(found))
    worn = _surely(found.worn, GAP) or dearer >= DEARER * dearer_once
    head = [WORN] if worn else [] if faults else [LASTS]
    return " ".join([*head, *faults, told])


def _destroyed(found: Requested, last: Request, once: Stand) -> Iterator[str]:
    yield DESTROYED
    yield (
        f"In request {len(found.requests)} of {found.settings['requests']} it lost its language at "
        f"step {last.lost_at} ({last.sign})."
    )
    if found.lost_at_once:
        yield "So it did when all was to be forgotten at once."
    elif once.kept is not None:
        yield f"Forgotten at once, {once.kept.value:.0%} of the text to keep is known."


def _faults(found: Requested) -> Iterator[str]:
    """What else goes wrong, in sentences."""
    if found.recovery is not None and found.recovery >= MUCH and _surely(found.returned):
        yield (
            f"Does not stay gone: of what the earlier requests took away {found.recovery:.0%} is "
            "known again in the end."
        )
    if _surely(found.shortfall, GAP):
        yield (
            f"Forgets less: right after its request a part is known {found.shortfall.value:.0%} "
            "better than when all is forgotten at once."
        )


def _surely(difference: ScoreValue | None, least: float = 0.0) -> bool:
    """Whether it is that large, and its interval above 0."""
    if difference is None or difference.low is None:
        return False
    return difference.value >= least and difference.low > 0
