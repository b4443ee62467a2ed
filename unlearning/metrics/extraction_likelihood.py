"""Extraction likelihood (EL_n), exact and fast.

Greedy decoding has no memory but its prefix: where the model's choice after a prefix is the true
next token, what it writes from there is that token and then what it writes from the next prefix.
So one pass over the true text tells which prefixes need a generation: those before a wrong token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unlearning.declare import hyperparameter
from unlearning.metrics._bootstrap import mean_score
from unlearning.metrics._ngrams import ngrams
from unlearning.metrics.base import Evidence, Metric, Positions, Score

ICU_FIRST_PREFIX = 150
"""Shortest prefix in ICU's code, in tokens."""


@dataclass(frozen=True, slots=True)
class Text:
    """One token sequence and the model's greedy choice after each of its prefixes."""

    ids: tuple[int, ...]
    """Without the end-of-text token that was appended."""
    choices: Mapping[int, int]
    """Prefix length to the model's most likely next token, for every prefix from `first` on."""
    first: int
    """Shortest prefix length that counts."""
    end: int | None = None
    """End-of-text token where it is known: a model that chooses it stops."""

    def stops(self, prefix: int) -> bool:
        """Whether the model ends the text right after this prefix."""
        return self.end is not None and self.choices[prefix] == self.end

    def wrong(self, prefix: int) -> bool:
        """Whether the model goes on after this prefix, with another token than the true one."""
        return self.choices[prefix] != self.ids[prefix] and not self.stops(prefix)

    def has(self, n: int) -> bool:
        """Whether at least one prefix leaves n tokens."""
        return len(self.ids) - self.first >= n


def needed_prefixes(text: Text, n: int) -> list[int]:
    """Prefix lengths whose continuation must be generated so that all of them are known.

    Of the wrong tokens within the last n, only the first one is ever reached.
    """
    last = len(text.ids) - n
    needed = [prefix for prefix in range(text.first, last) if text.wrong(prefix)]
    for prefix in range(last, len(text.ids)):
        if text.stops(prefix):
            break
        if text.wrong(prefix):
            return [*needed, prefix]
    return needed


def all_continuations(
    text: Text, generated: Mapping[int, Sequence[int]], n: int
) -> dict[int, tuple[int, ...]]:
    """Greedy continuation after every prefix that counts, up to the text's own length.

    `generated` holds those of `needed_prefixes`; the others follow from the next prefix's.
    """
    needed = set(needed_prefixes(text, n))
    found: dict[int, tuple[int, ...]] = {}
    following: tuple[int, ...] = ()
    for prefix in reversed(range(text.first, len(text.ids))):
        if prefix in needed:
            following = tuple(generated[prefix])
        elif text.stops(prefix) or text.wrong(prefix):
            # Either nothing follows, or no prefix that counts ever gets here.
            following = ()
        else:
            following = (text.ids[prefix], *following)
        if prefix <= len(text.ids) - n:
            found[prefix] = following
    return found


def likelihood(
    ids: Sequence[int], continuations: Mapping[int, Sequence[int]], n: int
) -> float | None:
    """EL_n of one text, given what the model writes after each prefix; None without any.

    The mean over prefixes of: n-grams of the continuation that occur in the true rest (repeats
    count), over the number of n-grams of the true rest. Prefixes leave at least n tokens.
    """
    if not continuations:
        return None
    # An n-gram occurs in the rest after a prefix if its last place in the text is there.
    last_place = {gram: start for start, gram in enumerate(ngrams(ids, n))}
    total = 0.0
    for prefix, continuation in continuations.items():
        found = sum(last_place.get(gram, -1) >= prefix for gram in ngrams(continuation, n))
        total += found / (len(ids) - prefix - n + 1)
    return total / len(continuations)


class ExtractionLikelihood(Metric):
    """How much of the text the model recites by itself, from whatever place it is started.

    EL_n(x) = 1/(T-n) sum_t OL_n(f(x_<=t), x_>t): after each prefix the model continues greedily
    up to the length T of the text, and OL_n is the share of n-grams that are in the true rest.
    Then the mean over texts. Here the prefixes start with the scored region, and the mean is over
    those there are; with the first token as the only given one this is the formula above.

    As in the published code OL_n divides by the n-grams of the true rest; the paper's formula by
    those of the continuation, which differs only where the model ends early. Texts that leave
    fewer than n scored tokens are left out.

    Source: Jang et al. 2022 ("extraction likelihood"), code
    `models/Neo_Model_valid.py::validation_el`; ICU (arXiv 2407.20271), `eval.py::validation_el`.
    """

    title = "Extraction likelihood"
    paper = "https://arxiv.org/abs/2210.01504"
    family = "forgetting"
    direction = {"forget": "like retrained", "retain": "higher"}
    unit = "0 to 1"
    cost = "many generations"
    plain = "recited by itself"

    n: int = hyperparameter(10, 1, 100)
    """Tokens in a row that must be the same."""
    variant: Literal["kumpr", "icu"] = hyperparameter("kumpr")
    """kumpr: every prefix of the scored region; icu: only prefixes of 150 tokens and more."""

    def score(self, evidence: Evidence) -> Score | None:
        """Mean over sequences; None where none leaves n scored tokens, or nothing can generate."""
        if evidence.continue_greedily is None or not evidence.ids:
            return None
        texts = [
            self._text(*each)
            for each in zip(evidence.ids, evidence.scored_from, evidence.positions, strict=True)
        ]
        needed = {i: needed_prefixes(text, self.n) for i, text in enumerate(texts) if text}
        asked = [i for i, prefixes in needed.items() if prefixes]
        generated: dict[int, dict[int, list[int]]] = {}
        if asked:
            answers = evidence.continue_greedily(
                [texts[i].ids for i in asked], [needed[i] for i in asked]
            )
            generated = dict(zip(asked, answers, strict=True))
        samples = [
            likelihood(text.ids, all_continuations(text, generated.get(i, {}), self.n), self.n)
            if text
            else None
            for i, text in enumerate(texts)
        ]
        return mean_score(samples, f"EL_{self.n}, {self.variant}")

    def _text(self, ids: Sequence[int], scored_from: int, positions: Positions) -> Text | None:
        labels_from = len(ids) - len(positions.target)
        ends = int(positions.end.sum())
        first = max(scored_from, ICU_FIRST_PREFIX) if self.variant == "icu" else scored_from
        text = Text(
            ids=tuple(ids[: len(ids) - ends]),
            choices={labels_from + k: int(token) for k, token in enumerate(positions.argmax)},
            first=first,
            end=int(ids[-1]) if ends else None,
        )
        return text if text.has(self.n) else None
