"""What a loss reads of each token: functions of logits [N, V] and targets [N], one value a token.

Shape letters as in `passes`. The last arguments are logits of passes compared with.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def target_logp(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """Log-probability of the target."""
    return -F.cross_entropy(logits_NV, target_N, reduction="none")


def target_log_unlikelihood(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """log(1 - p) of the target."""
    # log(1 - softmax) dies when p rounds to 1; leaving the target out of the sum does not.
    rest_NV = logits_NV.scatter(-1, target_N[:, None], float("-inf"))
    return rest_NV.logsumexp(-1) - logits_NV.logsumexp(-1)


def cross_entropy_to_rest(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """Cross-entropy to the own distribution without the target, a constant."""
    rest_NV = logits_NV.detach().scatter(-1, target_N[:, None], float("-inf"))
    return soft_cross_entropy(logits_NV, rest_NV)


def lead(logits_NV: Tensor, _: Tensor) -> Tensor:
    """Highest logit minus the mean."""
    return logits_NV.amax(-1) - logits_NV.mean(-1)


def kl(logits_NV: Tensor, _: Tensor, reference_NV: Tensor) -> Tensor:
    """KL(reference || logits), nats."""
    return F.kl_div(
        logits_NV.log_softmax(-1),
        reference_NV.log_softmax(-1),
        reduction="none",
        log_target=True,
    ).sum(-1)


def quadratic_kl(logits_NV: Tensor, _: Tensor, reference_NV: Tensor) -> Tensor:
    """The same to second order."""
    q_NV = reference_NV.softmax(-1)
    difference_NV = logits_NV - reference_NV
    centre_N1 = (q_NV * difference_NV).sum(-1, keepdim=True)
    return 0.5 * (q_NV * (difference_NV - centre_N1) ** 2).sum(-1)


def soft_cross_entropy(logits_NV: Tensor, reference_NV: Tensor) -> Tensor:
    """Cross-entropy to the reference's distribution."""
    return -(reference_NV.softmax(-1) * logits_NV.log_softmax(-1)).sum(-1)
