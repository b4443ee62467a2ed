"""Knowledge memorization of MUSE (KnowMem)."""

from __future__ import annotations

from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics.base import Continuation, Evidence, Metric, Score
from unlearning.metrics.rouge_l import rouge_l

STOPS = ("\n\n", "\nQuestion", "Question:")


def first_answer(text: str) -> str:
    """What was written up to the next question."""
    places = [place for stop in STOPS if (place := text.find(stop)) >= 0]
    return text[: min(places, default=len(text))]


class KnowledgeMemorization(Metric):
    """How well questions about the text are still answered, in whatever words.

    ROUGE-L F1 between the greedy answer and the true one, words as they are (no stemmer), the
    answer cut where another question begins; then the mean over questions. On the forget text it
    should fall to the level of a retrained model, on the text to keep it is utility.

    MUSE asks after ten solved questions, writes 32 tokens and reports it times 100: its texts so
    asked are the splits knowmem_forget_shots and knowmem_retain_shots. Here it is as many tokens
    as the continuations have, and any question is taken.

    Source: Shi et al. 2024 (MUSE), "KnowMem", code `metrics/knowmem.py`.
    """

    title = "KnowMem"
    paper = "https://arxiv.org/abs/2407.06460"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "generation"
    plain = "questions answered"
    needs = frozenset({"questions"})

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over questions; None where there is none with a true answer."""
        samples = [self._overlap(one) for one in evidence.continuations]
        return mean_score(samples, "ROUGE-L F1, no stemmer, first answer")

    def _overlap(self, one: Continuation) -> float | None:
        if one.example is None or one.example.kind != "qa":
            return None
        # The reference may have been cut to the length of a continuation.
        return rouge_l(one.example.answer, first_answer(one.text), statistic="f1", stemmer=False)
