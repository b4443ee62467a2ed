"""Look at one model: the full panel, and the quick probe between steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from unlearning.data.base import Example
from unlearning.data.encode import Encoded
from unlearning.metrics import METRICS, STANDARD
from unlearning.metrics._missing import why_not
from unlearning.metrics.base import Evidence, Metric
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood
from unlearning.models.evidence import gather
from unlearning.models.inside import with_model
from unlearning.models.versions import REFERENCE, Versions
from unlearning.runs.collapse import Look, loops
from unlearning.runs.events import Scores, ScoreValue, TextScores
from unlearning.runs.membership import text_scores
from unlearning.runs.sampler import spread

PANEL_ROLES = ("forget", "retain", "generic", "holdout", "real_authors", "world_facts")
"""Roles that the full panel reads."""
PANEL_TEXTS = 32
"""Texts of each role that the full panel reads."""
PROBE_TEXTS = 12
"""Texts of each role that a probe reads."""
EXTRACTED_TEXTS = 4
"""Texts that a probe tries to extract: a model that no longer recites writes on after every
prefix, which costs more than all other looks together."""
CONTINUED = 8
"""Texts of each role that the full panel lets the model continue."""
REWRITTEN = 8
"""Texts of each role of which the full panel reads paraphrased and wrong answers."""
PROBED_METRICS = ("memorization_accuracy", "perplexity")
FORGETTING = ("memorization_accuracy", "extraction_likelihood")
"""Metrics that decide whether a text is forgotten (KUMPR's rule: both at the unseen level)."""


@dataclass(frozen=True)
class Extent:
    """How much of each role a panel reads."""

    texts: int = PANEL_TEXTS
    continued: int = CONTINUED
    """Texts that the model continues by itself."""
    rewritten: int = REWRITTEN
    """Texts of which paraphrased and wrong answers are read."""
    new_tokens: int = 48
    """Tokens of a continuation at most."""

    @classmethod
    def of(cls, texts: int) -> Extent:
        """A panel over more texts than usual continues and rewrites as many more."""
        return cls(
            texts,
            max(CONTINUED, CONTINUED * texts // PANEL_TEXTS),
            max(1, REWRITTEN * texts // PANEL_TEXTS),
        )


@dataclass(frozen=True)
class TextSet:
    """Texts of one role with their tokens."""

    role: str
    examples: Sequence[Example]
    encoded: Sequence[Encoded]

    def some(self, count: int) -> TextSet:
        """`count` sequences, spread evenly over kinds of text; the same ones every time."""
        return TextSet(
            self.role, self.examples, [self.encoded[i] for i in spread(len(self.encoded), count)]
        )

    def leaving(self, tokens: int) -> TextSet:
        """The sequences with at least that many tokens to recite."""
        kept = [e for e in self.encoded if len(e.ids) - e.ends - e.scored_from >= tokens]
        return TextSet(self.role, self.examples, kept)


def panel(
    versions: Versions,
    version: str,
    sets: Iterable[TextSet],
    tokenizer: Any,
    stop: Callable[[], bool],
    metrics: Mapping[str, Metric] | None = None,
    extent: Extent = Extent(),
    missing: dict[str, str] | None = None,
    membership: dict[str, TextScores] | None = None,
) -> Scores:
    """Every metric on every role it applies to; why a metric has no score goes to `missing`, what
    membership attacks give each text to `membership`."""
    chosen = metrics or {name: METRICS[name]() for name in STANDARD}
    original = REFERENCE if versions.has(REFERENCE) else None
    found = evidences(versions, version, sets, tokenizer, stop, chosen, extent, original)
    measured = scores(found, chosen)
    if missing is not None:
        missing |= {n: why_not(m, found) for n, m in chosen.items() if n not in measured}
    if membership is not None:
        membership |= text_scores(found, chosen)
    return measured


def some_scores(
    versions: Versions,
    version: str,
    sets: Iterable[TextSet],
    tokenizer: Any,
    stop: Callable[[], bool],
    names: Mapping[str, Collection[str]],
) -> Scores:
    """The panel's scores for some metrics (role to their names), and no work for any other."""
    found: Scores = {}
    for text_set in sets:
        role = text_set.role
        asked = {name: METRICS[name]() for name in names.get(role, ())}
        if not asked:
            continue
        for name, by_role in panel(versions, version, [text_set], tokenizer, stop, asked).items():
            found.setdefault(name, {}).update(by_role)
    return found


def evidences(
    versions: Versions,
    version: str,
    sets: Iterable[TextSet],
    tokenizer: Any,
    stop: Callable[[], bool],
    metrics: Mapping[str, Metric],
    extent: Extent = Extent(),
    original: str | None = None,
) -> dict[str, Evidence]:
    """All that these metrics read of one model, by role; each set has the others beside it.

    `original` is the version that changes are measured from, where there is one.

    Raises:
        UserError: a metric needs a classifier that cannot be fetched.
    """
    needs = frozenset[str]().union(*(metric.needs for metric in metrics.values()))
    read = {role for metric in metrics.values() for role in metric.direction}
    written = any(metric.cost == "generation" for metric in metrics.values())
    drifting = {r for m in metrics.values() if "original" in m.needs for r in m.direction}
    inside = with_model(versions, version, original, needs, stop)
    found: dict[str, Evidence] = {}
    for text_set in sets:
        role = text_set.role
        if role not in read | needs:
            continue
        # Unseen text is only compared with: it is neither continued nor asked again.
        main = role != "holdout"
        evidence = gather(
            versions,
            version,
            role,
            text_set.examples,
            text_set.some(extent.texts).encoded,
            tokenizer,
            continuations=extent.continued if main and written else 0,
            rewritten=extent.rewritten if main and "rewritten" in needs else 0,
            new_tokens=extent.new_tokens,
            original=original if role in drifting else None,
            stop=stop,
        )
        found[role] = inside(evidence)
    return with_others(found)


def with_others(
    found: Mapping[str, Evidence], retrained: Mapping[str, Evidence] | None = None
) -> dict[str, Evidence]:
    """Each set with the model's other sets beside it, and the retrained model's."""
    theirs = retrained or {}
    # One level deep: evidence of long ago would keep its model alive.
    own = {role: replace(one, retrained=theirs.get(role), beside={}) for role, one in found.items()}
    return {role: replace(one, beside=_without(own, role)) for role, one in own.items()}


def scores(found: Mapping[str, Evidence], metrics: Mapping[str, Metric]) -> Scores:
    """Every metric on every role it applies to; what does not apply is left out."""
    measured: Scores = {}
    for role, evidence in found.items():
        for name, metric in metrics.items():
            if role not in metric.direction:
                continue
            score = metric.score(evidence)
            if score is not None:
                measured.setdefault(name, {})[role] = ScoreValue(
                    value=score.value,
                    low=score.low,
                    high=score.high,
                    n=score.n,
                    variant=score.variant,
                )
    return measured


def _without(found: Mapping[str, Evidence], role: str) -> dict[str, Evidence]:
    return {other: evidence for other, evidence in found.items() if other != role}


def forgetting_scores(
    versions: Versions,
    version: str,
    text_set: TextSet,
    tokenizer: Any,
    stop: Callable[[], bool],
    names: Sequence[str] = FORGETTING,
) -> dict[str, float]:
    """The metrics that decide on forgetting, as plain values, always over the same few texts."""
    found = {}
    for name in names:
        metric = METRICS[name]()
        few = text_set.some(PROBE_TEXTS)
        if isinstance(metric, ExtractionLikelihood):
            few = text_set.leaving(metric.n).some(EXTRACTED_TEXTS)
        evidence = gather(
            versions, version, "forget", few.examples, few.encoded, tokenizer, stop=stop
        )
        score = metric.score(evidence)
        if score is not None:
            found[name] = score.value
    return found


@dataclass(frozen=True)
class Glance:
    """What a probe of one version gave."""

    scores: dict[str, dict[str, float]]
    look: Look


def glance(
    versions: Versions,
    version: str,
    sets: Mapping[str, TextSet],
    answers: Mapping[str, Sequence[Sequence[int]]],
    loops_before: Mapping[str, Sequence[bool]] | None,
    tokenizer: Any,
    stop: Callable[[], bool],
) -> Glance:
    """Cheap scores of every role, and the signs of collapse in the pinned answers.

    `answers` are token ids of the version's answers by role; an answer that already repeated
    itself in the original (`loops_before`) does not count.
    """
    scores: dict[str, dict[str, float]] = {}
    for role in ("forget", "retain", "generic"):
        if role not in sets:
            continue
        few = sets[role].some(PROBE_TEXTS)
        evidence = gather(versions, version, role, few.examples, few.encoded, tokenizer, stop=stop)
        for name in PROBED_METRICS:
            score = METRICS[name]().score(evidence)
            if score is not None:
                scores.setdefault(name, {})[role] = score.value
    kept_role = "generic" if "generic" in sets else "retain"
    accuracy = scores.get("memorization_accuracy", {})
    look = Look(
        kept_loops=_loop_share(answers, loops_before, ("retain", "generic")),
        forget_loops=_loop_share(answers, loops_before, ("forget",)),
        perplexity=scores.get("perplexity", {}).get(kept_role),
        retain_accuracy=accuracy.get("retain", accuracy.get("generic")),
    )
    return Glance(scores=scores, look=look)


def looping(answers: Mapping[str, Sequence[Sequence[int]]]) -> dict[str, list[bool]]:
    """Which answers repeat themselves, by role."""
    return {role: [loops(ids) for ids in texts] for role, texts in answers.items()}


def _loop_share(
    answers: Mapping[str, Sequence[Sequence[int]]],
    before: Mapping[str, Sequence[bool]] | None,
    roles: Sequence[str],
) -> float | None:
    """Share of the answers that newly repeat themselves; a single one proves nothing."""
    counted = looped = 0
    for role, flags in looping(answers).items():
        if role not in roles:
            continue
        for i, flag in enumerate(flags):
            if before is not None and before[role][i]:
                continue
            # Silence about what is to be forgotten is no repetition.
            silent = role == "forget" and not answers[role][i]
            counted, looped = counted + 1, looped + (flag and not silent)
    if not counted:
        return None
    return looped / counted if looped > 1 else 0.0
