"""Forget a run's text part by part from its original, and look at the model after every part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from unlearning.attacks.base import Side, paired, value_of
from unlearning.attacks.sequential import (
    Request,
    Requested,
    Sequential,
    Stand,
    recovered,
    verdict,
)
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role, digest
from unlearning.data.folds import folds
from unlearning.errors import UserError
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Metric, Score
from unlearning.metrics.memorization_accuracy import MemorizationAccuracy
from unlearning.metrics.perplexity import Perplexity
from unlearning.models.base import Versions
from unlearning.models.load import Loaded
from unlearning.runs.events import AnyEvent, Probed, ScoreValue
from unlearning.runs.levels import retrained_of
from unlearning.runs.stress.apart import ApartStore, apart, carried_out
from unlearning.runs.stress.ground import Ground, as_it_is
from unlearning.runs.stress.job import steps_of
from unlearning.runs.view import View

ORDER: tuple[Side, ...] = ("original", "control", "unlearned")
KNOWN, PERPLEXITY = MemorizationAccuracy(), Perplexity()


@dataclass(frozen=True)
class Seen:
    """What a model knows, with the samples."""

    parts: Sequence[Score]
    """Of each part of the forget text."""
    kept: Score | None
    perplexity: Score | None


def carry_out(attack: Sequential, ground: Ground) -> Requested:
    """The attack.

    Raises:
        UserError: the target is no run, other text than its own is named, or the text is too
            short for so many parts.
    """
    run_id, config = _attacked(attack, ground)
    parts = folds(ground.texts["forget"], attack.requests)
    models: dict[Side, Seen] = {
        side: _see(attack, ground, side, parts) for side in ORDER if side in ground.names
    }
    texts = ground.store.texts(run_id)
    requests: list[Request] = []
    after: list[Seen] = []
    with apart(ground.store, run_id) as own:
        model = config.model
        for number, part in enumerate(parts, 1):
            teller = _Teller(ground, number, attack.requests)
            made = carried_out(
                own,
                RunConfig.parse({**config.model_dump(), "model": model}),
                {**texts, "forget": part},
                device=ground.device,
                stop=ground.stop,
                after=teller.tell,
            )
            model = f"run:{made}"
            after.append(_see(attack, _inside(ground, own, model), "unlearned", parts))
            requests.append(_request(own.view(made), part, number, after[-1]))
            if requests[-1].lost_at is not None:
                break
    found = Requested(
        **ground.head(attack),
        requests=tuple(requests),
        stands={side: _stand(seen) for side, seen in models.items()},
        lost_at_once=ground.store.view(run_id).collapse is not None,
        **_compared(models, after),
        verdict="",
    )
    return found.model_copy(update={"verdict": verdict(found)})


def _attacked(attack: Sequential, ground: Ground) -> tuple[str, RunConfig]:
    """The run, and the configuration of its requests; the model is what the run set out from."""
    target = ground.names["unlearned"]
    if not target.startswith("run:"):
        raise UserError(
            "Requests in a row repeat what a run did, and the model is not one of a run.",
            "Attack a run: --model run:ID.",
        )
    run_id = target.removeprefix("run:").partition("@")[0]
    if digest(ground.texts["forget"]) != digest(ground.store.texts(run_id)["forget"]):
        raise UserError(
            "Requests in a row cut the text that the run forgot, and another text is named.",
            "Leave out --forget.",
        )
    if 0 not in ground.store.snapshots(run_id):
        raise UserError(
            "The run kept no snapshot of step 0, from which its requests would start.",
            "Start the run again, and attack that one.",
        )
    steps = steps_of(ground.store, target)
    if steps == 0:
        raise UserError(
            "Nothing was forgotten at step 0, so there is nothing to repeat.",
            "Attack a later step.",
        )
    config = ground.store.config(run_id)
    changes = {
        "model": f"run:{run_id}@0",
        "steps": steps,
        "seed": config.seed if attack.seed is None else attack.seed,
        # Step 0 has learnt the text already; before that the model had never seen it.
        "teach_first": False,
        "retrained": config.model if config.teach_first else retrained_of(config) or "none",
    }
    return run_id, RunConfig.parse({**config.model_dump(), **changes})


def _inside(ground: Ground, store: ApartStore, model: str) -> Ground:
    """The same for a model of that store, without a word."""
    return replace(ground, store=store, names={"unlearned": model}, tell=lambda message: None)


class _Teller:
    """Says which request is being carried out, and how far it is."""

    def __init__(self, ground: Ground, number: int, count: int) -> None:
        self._ground, self._where = ground, f"  request {number} of {count}"
        ground.tell("unlearned: the same text, part by part" if number == 1 else self._where)

    def tell(self, event: AnyEvent) -> None:
        """Of a probe what it saw; of other events nothing."""
        if isinstance(event, Probed):
            known = event.scores.get(KNOWN.name, {}).get("forget")
            seen = "" if known is None else f": knows {known:.3f} of its part"
            self._ground.tell(f"{self._where}, step {event.step}{seen}")


def _see(
    attack: Sequential, ground: Ground, side: Side, parts: Sequence[Sequence[Example]]
) -> Seen:
    """What that side knows of every part and of the text to keep."""
    loaded = ground.open(side)
    versions = as_it_is(loaded)
    known = [_score(attack, ground, loaded, versions, KNOWN, "forget", part) for part in parts]
    if None in known:
        raise UserError(
            "A part of the forget text leaves nothing to measure: no token follows a beginning.",
            "Ask for fewer requests, or give longer passages.",
        )
    kept, general = (
        next((role for role in roles if role in ground.texts), None)
        for roles in (("retain", "generic"), ("generic", "retain"))
    )
    both = (
        _score(attack, ground, loaded, versions, metric, role, ground.texts[role]) if role else None
        for metric, role in ((KNOWN, kept), (PERPLEXITY, general))
    )
    return Seen(known, *both)


def _score(
    attack: Sequential,
    ground: Ground,
    loaded: Loaded,
    versions: Versions,
    metric: Metric,
    role: Role,
    examples: Sequence[Example],
) -> Score | None:
    few = ground.text_set(role, loaded, examples).some(attack.texts)
    return ground.scores(versions, {"it": metric}, few, few.encoded).get("it")


def _request(view: View, part: Sequence[Example], number: int, seen: Seen) -> Request:
    """A request that is over. Its number counts from 1."""
    lost, stopped = view.collapse, view.stopped
    return Request(
        texts=len(part),
        steps=view.step,
        ended=stopped.why if stopped is not None else "",
        lost_at=lost.step if lost is not None else None,
        sign=lost.signs[0] if lost is not None and lost.signs else "",
        asked=value_of(seen.parts[number - 1]),
        earlier=_value(_pooled(seen.parts[: number - 1])),
        to_come=_value(_pooled(seen.parts[number:])),
        kept=_value(seen.kept),
        perplexity=_value(seen.perplexity),
    )


def _stand(seen: Seen) -> Stand:
    return Stand(
        forget=value_of(_pooled(seen.parts)),
        kept=_value(seen.kept),
        perplexity=_value(seen.perplexity),
    )


def _compared(models: Mapping[Side, Seen], after: Sequence[Seen]) -> dict[str, object]:
    """Differences text by text, and the share that came back."""
    last, once, asked = after[-1], models["unlearned"], len(after)
    own = [seen.parts[place] for place, seen in enumerate(after)]
    # The last part had no time to come back.
    before, right_after, in_the_end = asked - 1, _pooled(own[:-1]), _pooled(last.parts[: asked - 1])
    recovery = None
    if "original" in models and right_after is not None and in_the_end is not None:
        original = _pooled(models["original"].parts[:before])
        recovery = recovered(original.value, right_after.value, in_the_end.value)
    return {
        "worn": paired(once.kept, last.kept),
        "returned": paired(in_the_end, right_after),
        "recovery": recovery,
        "shortfall": paired(_pooled(own), _pooled(once.parts[:asked])),
    }


def _pooled(scores: Sequence[Score]) -> Score | None:
    """All texts of several parts together; None where there is no part."""
    return mean_score([sample for score in scores for sample in score.samples])


def _value(score: Score | None) -> ScoreValue | None:
    return None if score is None else value_of(score)
