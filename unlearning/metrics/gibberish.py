"""Whether what the model writes is language at all, by a classifier."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Evidence, Metric, Score

CLASSIFIER = "madhurjindal/autonlp-Gibberish-Detector-492513457"
"""Hub id; MIT. Its class 0 is clean text."""


class Gibberish(Metric):
    """How sure a classifier is that what the model writes is clean text, not gibberish.

    Softmax probability of the class "clean" for each greedy continuation, of which the first 32
    tokens count; then the mean. Empty text is scored like any other, a fluent refusal scores
    high, and languages other than English and code look like gibberish to it.

    The classifier is fetched from the hub, so this is measured only when asked for by name.

    Source: Dorna et al. 2025 (OpenUnlearning), "forget fluency", code
    `evals/metrics/utility.py::classifier_prob`.
    """

    title = "Fluency, classifier"
    paper = "https://arxiv.org/abs/2506.12618"
    family = "fluency"
    direction = {"forget": "higher", "retain": "higher", "generic": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "text health: no gibberish"
    needs = frozenset({"classifier"})

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over continuations; None without them or without the classifier."""
        if evidence.clean_probabilities is None or not evidence.continuations:
            return None
        samples = evidence.clean_probabilities([one.text for one in evidence.continuations])
        return mean_score(samples, CLASSIFIER.partition("/")[2])
