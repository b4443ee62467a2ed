"""The two usual terms on text to keep, shared by the methods that add one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

RetainLoss = Literal["nll", "kl"]
"""nll: the ordinary language-model loss; kl: KL divergence from the original model."""


def retain_passes(weight: float, loss: RetainLoss) -> frozenset[str]:
    """Passes that `retain_term` reads; none for a weight of zero."""
    if weight == 0:
        return frozenset()
    return frozenset({"retain", "retain_reference"} if loss == "kl" else {"retain"})


def retain_term(batch: Batch, loss: RetainLoss) -> Tensor:
    """Unweighted loss on the retain text, nats, mean over its counted tokens; a scalar.

    The divergence is KL(original || student) over the whole vocabulary, the direction of TOFU
    (arXiv:2401.06121), but averaged over counted tokens only, not over prompt and padding.
    """
    return batch.retain.kl(batch.retain_reference) if loss == "kl" else batch.retain.nll
