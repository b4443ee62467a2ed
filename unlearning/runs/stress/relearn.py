"""Train every model alike on a share of the text, and follow what it knows of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from unlearning.attacks.base import Side, paired, value_of
from unlearning.attacks.relearn import Curve, Look, Relearn, Relearned, excess, measured, verdict
from unlearning.data.base import Example
from unlearning.data.folds import units
from unlearning.errors import UserError
from unlearning.metrics.base import Score
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.models.versions import Versions, open_versions
from unlearning.runs.measure import TextSet
from unlearning.runs.stress.ground import Ground
from unlearning.runs.teaching import RATES, Memorise
from unlearning.runs.training import Loop

ORDER: tuple[Side, ...] = ("original", "control", "unlearned")
KNOWN, EXTRACTION = MemorizationAccuracy(), ExtractionLikelihood()


def carry_out(attack: Relearn, ground: Ground) -> Relearned:
    """The attack.

    Raises:
        UserError: the text cannot be cut in two.
    """
    shares = cut(ground.texts["forget"], attack.share, attack.seed)
    looks: dict[Side, list[Look]] = {}
    extraction: dict[Side, dict[str, Score]] = {}
    first: dict[Side, Score] = {}
    last: dict[Side, Score] = {}
    for side in ORDER:
        if side in ground.names:
            steps = attack.steps if side != "original" or attack.train_original else 0
            one = _Model(attack, ground, side, shares)
            looks[side], scores = one.follow(steps)
            first[side], last[side] = scores[0], scores[-1]
            extraction[side] = one.extract()
    original = first["original"].value if "original" in first else None
    curves: dict[Side, Curve] = {}
    for side, own in looks.items():
        # The original has nothing to recover.
        recovery, half = measured(own, original) if side != "original" else (None, None)
        curves[side] = Curve(
            looks=tuple(own),
            extraction={share: value_of(s) for share, s in extraction[side].items()},
            recovery=recovery,
            steps_to_half=half,
        )
    before = after = difference = None
    if original is not None and "control" in first:
        before = excess(first["unlearned"].value, first["control"].value, original)
        after = excess(last["unlearned"].value, last["control"].value, original)
        difference = paired(last["unlearned"], last["control"])
    return Relearned(
        **ground.head(attack),
        curves=curves,
        excess_before=before,
        excess=after,
        difference=difference,
        verdict=verdict(curves, before, after, difference),
    )


def cut(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """What is trained on, and the rest: whole parts, the share of every group, at least one each.

    Raises:
        UserError: the text is one part only.
    """
    whole = units([example.id for example in examples])
    if len(whole) < 2:
        raise UserError(
            "The text is a single passage, so that no part of it can be held back.",
            "Give at least two passages or questions that stand for themselves.",
        )
    order = list(whole)
    Random(f"{seed}/relearn").shuffle(order)
    by_group: dict[str, list[list[int]]] = {}
    for part in order:
        by_group.setdefault(examples[part[0]].group, []).append(part)
    chosen = [p for own in by_group.values() for p in own[: round(share * len(own))]]
    chosen = (chosen or order[:1])[: len(whole) - 1]
    taken = {index for part in chosen for index in part}
    trained = [example for i, example in enumerate(examples) if i in taken]
    unseen = [example for i, example in enumerate(examples) if i not in taken]
    return trained, unseen


class _Model:
    """One model under the attack."""

    def __init__(
        self,
        attack: Relearn,
        ground: Ground,
        side: Side,
        shares: tuple[Sequence[Example], Sequence[Example]],
    ) -> None:
        self._attack, self._ground, self._side = attack, ground, side
        loaded = ground.open(side)
        # A fresh adapter of equal start for every model, whatever made it what it is.
        self._versions: Versions = open_versions(
            loaded, lora_rank=attack.lora_rank or None, seed=attack.seed
        )
        self._trained, self._unseen = (ground.text_set("forget", loaded, one) for one in shares)
        rate = RATES.rate(loaded.parameters, attack.lora_rank == 0)
        self._loop = Loop(
            Memorise(),
            self._versions,
            {"forget": self._trained},
            learning_rate=attack.learning_rate or rate,
            batch_size=attack.batch_size,
            retain_batch_size=attack.batch_size,
            accumulation=1,
            seed=attack.seed,
            pad_id=loaded.tokenizer.pad_token_id or 0,
            stop=ground.stop,
        )

    def follow(self, steps: int) -> tuple[list[Look], list[Score]]:
        """Train; looks, and the scores on the unseen share with their samples."""
        looks, scores = [], []
        for step in range(steps + 1):
            if step:
                self._loop.advance()
            if step % self._attack.look_every == 0 or step == steps:
                look, score = self._look(step)
                looks.append(look)
                scores.append(score)
        return looks, scores

    def extract(self) -> dict[str, Score]:
        """Extraction likelihood as the model is now, of the shares that are long enough."""
        found = {}
        for name, texts in (("unseen", self._unseen), ("trained", self._trained)):
            few = texts.leaving(EXTRACTION.n).some(self._attack.extracted)
            if few.encoded:
                metrics = {name: EXTRACTION}
                found |= self._ground.scores(self._versions, metrics, few, few.encoded)
        return found

    def _look(self, step: int) -> tuple[Look, Score]:
        unseen, trained = self._known(self._unseen), self._known(self._trained)
        self._ground.tell(
            f"  step {step:3d}: knows {unseen.value:.3f} of the rest, {trained.value:.3f} of what "
            "it trains on"
        )
        return Look(step=step, unseen=value_of(unseen), trained=value_of(trained)), unseen

    def _known(self, texts: TextSet) -> Score:
        few = texts.some(self._attack.texts)
        scores = self._ground.scores(self._versions, {"known": KNOWN}, few, few.encoded)
        if not scores:
            raise UserError(
                "The text leaves nothing to measure: no token follows a beginning.",
                "Give longer passages, or questions with answers.",
            )
        return scores["known"]
