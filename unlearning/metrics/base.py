"""What a metric is, what it reads, and what it answers.

One teacher-forced pass per model and text set and one batched generation are the evidence;
every metric is a small reading of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from unlearning.data.base import Example
from unlearning.declare import Declared

if TYPE_CHECKING:
    import numpy as np

Family = Literal["forgetting", "utility", "privacy", "fluency", "diagnostic"]
Direction = Literal["lower", "higher", "like retrained", "neither"]

NEEDS = {
    "retain": "text that is to be kept",
    "holdout": "text of the same kind that the model never saw",
    "real_authors": "TOFU's questions about real authors",
    "world_facts": "TOFU's questions about facts of the world",
    "questions": "questions with answers",
    "lume": "rows of LUME, every task with both kinds of rows to forget and to keep",
    "rewritten": "questions with paraphrased or wrong answers",
    "retrained": "a model trained without the forget text, with the same tokens",
    "original": "the model as it was before, beside this one",
    "weights": "the weights as they were before, beside these",
    "gradients": "backward passes through the model",
    "classifier": "a text classifier from the hub, so it is measured only when asked for by name",
}
"""What a metric may need, in words."""

PREFIX_TOKENS = 20
"""Tokens of a passage that are given, not scored (half of a passage shorter than 40)."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Per labelled token of one sequence, in order; arrays of length n. Nothing of vocabulary
    size is kept."""

    target: np.ndarray
    """Token ids that were to be predicted, int64."""
    argmax: np.ndarray
    """Most likely token ids, int64."""
    logp: np.ndarray
    """Natural log-probability of the target, float64 holding float32 results."""
    rank: np.ndarray
    """Tokens strictly more likely than the target, int64; 0 = the target is the argmax."""
    entropy: np.ndarray
    """Entropy of the predicted distribution, nats."""
    mean_logp: np.ndarray
    """Expectation of the log-probability under the distribution itself (= -entropy)."""
    variance_logp: np.ndarray
    """Variance of the log-probability under the distribution itself."""
    scored: np.ndarray
    """bool: in the scored region (answers; passages after the prefix), end-of-text left out."""
    end: np.ndarray
    """bool: the target is the end-of-text token that the tokenisation appended."""
    drift: np.ndarray | None = None
    """KL(original || this model) over the vocabulary, nats; None where it was not read."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A greedy continuation of a prompt beside the text that truly follows."""

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    """Generated token ids, without end-of-text."""
    text: str
    reference_ids: tuple[int, ...]
    reference: str
    example: Example | None = None
    """What was asked, or continued."""


Continue = Callable[[Sequence[Sequence[int]], Sequence[Sequence[int]]], list[dict[int, list[int]]]]
"""Free greedy continuations from inside known sequences: (sequences, prefix lengths wanted of
each) -> for each sequence {prefix length: new ids}, up to the sequence's own total length; an
end-of-text token stops a row and is not part of it."""
Spans = Sequence[tuple[Sequence[int], int]]
"""Token sequences, each with the index of its first labelled token (never 0)."""
GradientNorms = Callable[[Spans], list[float] | None]
"""For each sequence, the 2-norm of the gradient of its mean negative log-likelihood with respect
to each weight tensor of the model, averaged over the tensors; None where memory does not do."""
GradientProducts = Callable[[Spans], dict[str, "np.ndarray"] | None]
"""Layer to the inner products [N, N] of the N sequences' gradients with respect to its weight;
linear layers but the output layer; None where memory does not do."""


@dataclass(frozen=True, slots=True)
class Change:
    """How far one weight tensor moved from the original: Frobenius norms."""

    moved: float
    size: float
    """Norm of the original tensor."""


@dataclass(frozen=True)
class Evidence:
    """All that metrics may read of one model on one text set."""

    role: str
    examples: Sequence[Example]
    positions: Sequence[Positions]
    """One per example that left labelled tokens, aligned with `examples`."""
    ids: Sequence[Sequence[int]] = ()
    """Whole token sequences, position 0 being the beginning-of-text token if there is one."""
    scored_from: Sequence[int] = ()
    """Index into `ids` of the first scored token."""
    continuations: Sequence[Continuation] = ()
    continue_greedily: Continue | None = None
    """Free generation for metrics that need more prefixes than one."""
    texts: Sequence[str] = ()
    """The labelled tokens in words, end-of-text left out; aligned with `positions`."""
    paraphrased: Sequence[Positions | None] = ()
    """The true answer in other words, aligned with `positions`; None where there is none."""
    perturbed: Sequence[Sequence[Positions]] = ()
    """Wrong answers to the same question, aligned with `positions`; may be empty for some."""
    beside: Mapping[str, Evidence] = field(default_factory=dict)
    """The same model on its other text sets, by role."""
    retrained: Evidence | None = None
    """A model that never saw the forget text, on the same examples, its own `beside` included."""
    gradient_norms: GradientNorms | None = None
    """Backward passes, for metrics that need 'gradients'."""
    gradient_products: GradientProducts | None = None
    """The same, text by text against each other."""
    weight_changes: Callable[[], Mapping[str, Change]] | None = None
    """Weight tensor to its change, for metrics that need 'weights'; without an original: None."""
    clean_probabilities: Callable[[Sequence[str]], list[float]] | None = None
    """A classifier's probability that each text is no gibberish, for those that need it."""
    options: dict[str, float] = field(default_factory=dict)

    def released(self) -> Evidence:
        """What was read, without the model: it can be let go."""
        return replace(
            self,
            continue_greedily=None,
            gradient_norms=None,
            gradient_products=None,
            weight_changes=None,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """A value with its 95 % bootstrap interval and what it was averaged over."""

    value: float
    low: float | None
    high: float | None
    n: int
    """Samples behind the value."""
    samples: tuple[float | None, ...] = ()
    """One value per sequence (text metrics: per continuation); None = does not apply to it."""
    variant: str = ""
    """Which definition, where references differ."""


class Metric(Declared):
    """Base of all metrics. `score` answers None where the metric does not apply."""

    paper: ClassVar[str] = ""
    family: ClassVar[Family]
    direction: ClassVar[dict[str, Direction]]
    """Which way is good, by role ('forget', 'retain', 'generic'); roles it lacks are not scored.
    'neither' is for diagnostics."""
    unit: ClassVar[str]
    """Range and unit in words: '0 to 1', 'nats', 'tokens'."""
    cost: ClassVar[Literal["pass", "generation", "many generations"]]
    plain: ClassVar[str]
    """The name a newcomer understands, before the term: 'recited'."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """What it reads beyond the passes over one text set of one model, as `NEEDS` lists it. Where
    that is missing there is no score."""
    exact: ClassVar[str] = ""
    """Why its value has no interval, in one sentence; empty where it has one."""
    unseen: ClassVar[float | None] = None
    """Value of text that was never seen, where that is known without measuring."""

    @classmethod
    def remembered(cls, value: float) -> float:
        """The value on a scale on which more is better remembered; 0 to 1 where it is a share."""
        return value

    def score(self, evidence: Evidence) -> Score | None:
        """The metric over one text set, or None."""
        raise TypeError(f"{type(self).__name__} declares no score")
