"""A few real steps of unlearning, for measurements on a model that has forgotten."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unlearning.data.encode import Encoded, collate
from unlearning.methods import METHODS
from unlearning.models.base import STUDENT
from unlearning.models.passes import Batch
from unlearning.models.versions import Versions

BATCH = 8


def unlearn(versions: Versions, encoded: Sequence[Encoded], *, steps: int, rate: float = 3e-3):
    """Gradient ascent on the sequences, in order, with Adam; changes the student."""
    method = METHODS["gradient_ascent"]()
    weights = [parameter for _, parameter in versions.trainable()]
    optimizer = torch.optim.Adam(weights, lr=rate)
    for step in range(steps):
        chosen = [encoded[(step * BATCH + k) % len(encoded)] for k in range(BATCH)]
        tokens = collate(chosen, versions.tokenizer.pad_token_id or 0)
        optimizer.zero_grad()
        forget = versions.run(STUDENT, tokens, grad=True)
        sum(method.loss(Batch(forget=forget)).values()).backward()
        optimizer.step()
    optimizer.zero_grad()
