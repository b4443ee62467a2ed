"""A look-alike that may stay for every text to forget: its nearest neighbour in the kept text.

Nearest by the cosine of mean last hidden states of the original model. The mean over all texts
is subtracted first: it is shared by every text and would make all of them neighbours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from unlearning.data.encode import Encoded, collate
from unlearning.errors import UserError
from unlearning.models.figures import batches
from unlearning.models.versions import Versions
from unlearning.runs.measure import TextSet

ANALOGOUS = "analogous"
NGRAM = 8
"""Tokens in a row that count as the same wording."""
COPIED = 0.5
"""Share of n-grams in common from which a text is a near-duplicate."""
MOST = 4096
"""Kept sequences that are searched, spread evenly over a larger set."""
BATCH_TOKENS = 4096


def analogous(
    versions: Versions,
    version: str,
    forget: TextSet,
    pool: TextSet,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[TextSet, int]:
    """The set whose sequence i is the neighbour of forget sequence i, and how many were left out.

    A neighbour may serve several texts. Near-duplicates of any forget text are left out: learning
    them would teach it back.

    Raises:
        UserError: nothing but near-duplicates is there.
    """
    searched = pool.some(MOST).encoded
    shares = copied_shares(searched, forget.encoded)
    kept = [item for item, share in zip(searched, shares, strict=True) if share < COPIED]
    if not kept:
        raise UserError(
            "Every text to keep is nearly a copy of a text to forget, so none can be its "
            "look-alike.",
            "Give other text of the same kind to keep, or choose another method.",
        )
    both_ND = embeddings(versions, version, [*forget.encoded, *kept], stop)
    centred_ND = both_ND - both_ND.mean(dim=0)
    unit_ND = torch.nn.functional.normalize(centred_ND, dim=-1)
    forget_FD, kept_KD = unit_ND.split([len(forget.encoded), len(kept)])
    nearest_F = (forget_FD @ kept_KD.T).argmax(dim=1).tolist()
    found = TextSet(ANALOGOUS, pool.examples, [kept[i] for i in nearest_F])
    return found, len(searched) - len(kept)


def copied_shares(pool: Sequence[Encoded], forget: Sequence[Encoded]) -> list[float]:
    """For each sequence of the pool, the largest share of its n-grams that one forget sequence
    holds too; 0 to 1, and 0 for sequences shorter than an n-gram."""
    holders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, item in enumerate(forget):
        for gram in _grams(item):
            holders[gram].append(place)
    shares = []
    for item in pool:
        own = _grams(item)
        hits = Counter(place for gram in own for place in holders.get(gram, ()))
        shares.append(max(hits.values(), default=0) / max(len(own), 1))
    return shares


def embeddings(
    versions: Versions, version: str, encoded: Sequence[Encoded], stop: Callable[[], bool]
) -> Tensor:
    """Mean last hidden state of each sequence, [N, D] float32 on the CPU.

    When `stop` goes up, the rest stays zero; such a run ends before its first step.
    """
    means: list[Tensor | None] = [None] * len(encoded)
    for batch in batches(encoded, BATCH_TOKENS):
        if stop() and any(mean is not None for mean in means):
            break
        tokens = collate([encoded[i] for i in batch], versions.tokenizer.pad_token_id or 0)
        with torch.no_grad():
            out = versions.outputs(version, tokens, hidden=True)
        hidden_BTD = out.hidden_states[-1].float().cpu()
        real_BT1 = tokens.attention_BT[..., None].float()
        mean_BD = (hidden_BTD * real_BT1).sum(dim=1) / real_BT1.sum(dim=1)
        for place, mean_D in zip(batch, mean_BD, strict=True):
            means[place] = mean_D
    blank = torch.zeros_like(next(mean for mean in means if mean is not None))
    return torch.stack([blank if mean is None else mean for mean in means])


def _grams(item: Encoded) -> set[tuple[int, ...]]:
    return {item.ids[at : at + NGRAM] for at in range(len(item.ids) - NGRAM + 1)}
