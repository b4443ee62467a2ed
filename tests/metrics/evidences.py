"""Evidence made by hand: from logits, from token ids, and from deterministic language models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unlearning.metrics.base import Continuation, Continue, Evidence, Positions

Choose = Callable[[Sequence[int]], int]
"""A whole language model: prefix to the next token."""


def positions_from_logits(logits_TV: np.ndarray, labels_T: np.ndarray, end: int) -> Positions:
    """What a pass over one sequence leaves; the last labelled token is not scored."""
    counted = labels_T[1:] != -100
    logits_NV = logits_TV[:-1][counted].astype(np.float64)
    target = labels_T[1:][counted].astype(np.int64)
    shifted_NV = logits_NV - logits_NV.max(axis=1, keepdims=True)
    logp_NV = shifted_NV - np.log(np.exp(shifted_NV).sum(axis=1, keepdims=True))
    logp = logp_NV[np.arange(len(target)), target]
    p_NV = np.exp(logp_NV)
    mean = (p_NV * logp_NV).sum(axis=1)
    scored = np.ones(len(target), dtype=bool)
    scored[-1:] = False
    return Positions(
        target=target,
        argmax=logits_NV.argmax(axis=1),
        logp=logp,
        rank=(logp_NV > logp[:, None]).sum(axis=1),
        entropy=-mean,
        mean_logp=mean,
        variance_logp=(p_NV * (logp_NV - mean[:, None]) ** 2).sum(axis=1),
        scored=scored,
        end=~scored & (target == end),
    )


def positions(
    target: Sequence[int],
    argmax: Sequence[int] | None = None,
    *,
    logp: Sequence[float] | None = None,
    scored: Sequence[bool] | None = None,
    end: Sequence[bool] | None = None,
) -> Positions:
    """Positions with the given parts; by default every token is scored and guessed right."""
    count = len(target)
    zeros = np.zeros(count)
    return Positions(
        target=np.array(target, dtype=np.int64),
        argmax=np.array(target if argmax is None else argmax, dtype=np.int64),
        logp=np.array(zeros if logp is None else logp, dtype=np.float64),
        rank=np.zeros(count, dtype=np.int64),
        entropy=zeros,
        mean_logp=zeros,
        variance_logp=zeros,
        scored=np.array([True] * count if scored is None else scored, dtype=bool),
        end=np.array([False] * count if end is None else end, dtype=bool),
    )


def of_positions(*sequences: Positions, role: str = "forget") -> Evidence:
    """Evidence of one pass."""
    return Evidence(role=role, examples=(), positions=sequences)


def continuation(
    ids: Sequence[int] = (), *, text: str = "", reference: str = "something true"
) -> Continuation:
    """A continuation of which a metric reads only ids or only texts."""
    return Continuation(
        prompt_ids=(0,), ids=tuple(ids), text=text, reference_ids=(), reference=reference
    )


def of_continuations(*continuations: Continuation) -> Evidence:
    """Evidence of one generation."""
    return Evidence(role="retain", examples=(), positions=(), continuations=continuations)


def of_texts(*texts: Sequence[int]) -> Evidence:
    """Evidence of generated token ids."""
    return of_continuations(*(continuation(ids) for ids in texts))


def write_on(choose: Choose, prefix: Sequence[int], length: int, end: int | None) -> list[int]:
    """What a model writes after a prefix, up to a total length; the end token stops it."""
    ids = list(prefix)
    while len(ids) < length:
        token = choose(ids)
        if token == end:
            break
        ids.append(token)
    return ids[len(prefix) :]


def continuing(choose: Choose, end: int | None, asked: list[int] | None = None) -> Continue:
    """Free generation by a model, one prefix at a time; `asked` collects the prefix lengths."""

    def go(
        sequences: Sequence[Sequence[int]], wanted: Sequence[Sequence[int]]
    ) -> list[dict[int, list[int]]]:
        if asked is not None:
            asked.extend(length for lengths in wanted for length in lengths)
        return [
            {length: write_on(choose, ids[:length], len(ids), end) for length in lengths}
            for ids, lengths in zip(sequences, wanted, strict=True)
        ]

    return go


def of_model(
    choose: Choose,
    texts: Sequence[Sequence[int]],
    *,
    scored_from: int = 1,
    end: int | None = None,
    asked: list[int] | None = None,
) -> Evidence:
    """Evidence of a model on texts whose first token is given; texts may end with `end`."""
    passes = []
    for ids in texts:
        ends = [False] * (len(ids) - 2) + [ids[-1] == end]
        scored = [at >= scored_from and not e for at, e in enumerate(ends, start=1)]
        argmax = [choose(ids[:at]) for at in range(1, len(ids))]
        passes.append(positions(ids[1:], argmax, scored=scored, end=ends))
    return Evidence(
        role="forget",
        examples=(),
        positions=passes,
        ids=texts,
        scored_from=[scored_from] * len(texts),
        continue_greedily=continuing(choose, end, asked),
    )


def of_losses(
    answers: Sequence[float],
    wrong: Sequence[Sequence[float]],
    paraphrases: Sequence[float] | None = None,
    *,
    role: str = "forget",
    continuations: Sequence[Continuation] = (),
) -> Evidence:
    """Evidence of questions whose answers have the given mean losses."""

    def with_loss(loss: float) -> Positions:
        return positions([7, 8], logp=[-loss, -loss])

    return Evidence(
        role=role,
        examples=(),
        positions=[with_loss(loss) for loss in answers],
        paraphrased=[with_loss(loss) for loss in paraphrases]
        if paraphrases is not None
        else [None] * len(answers),
        perturbed=[[with_loss(loss) for loss in losses] for losses in wrong],
        continuations=continuations,
    )
