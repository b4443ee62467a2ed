"""Forget data only loss adjustment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.lazy import F, torch
from unlearning.methods._retention import RetainLoss, retain_passes, retain_term
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch, Pass

Divergence = Literal["tv", "kl", "js", "pearson"]


def activation(value: Tensor, divergence: Divergence) -> Tensor:
    """g*(v), the output activation of the f-divergence (f-GAN, arXiv:1606.00709)."""
    match divergence:
        case "tv":
            return torch.tanh(value) / 2
        case "js":
            return math.log(2) - F.softplus(-value)
        case "kl" | "pearson":
            return value


def conjugate(value: Tensor, divergence: Divergence) -> Tensor:
    """f*(g*(v)), the Fenchel conjugate f* (same paper) at the activation.

    tv f*(t) = t; kl exp(t - 1); pearson t^2/4 + t; js -log(2 - exp t), which at
    t = log 2 - softplus(-v) is softplus(v) - log 2, since 2 - exp t = 2 sigmoid(-v).
    """
    match divergence:
        case "tv":
            return torch.tanh(value) / 2
        case "kl":
            return torch.exp(value - 1)
        case "js":
            return F.softplus(value) - math.log(2)
        case "pearson":
            return value.square() / 4 + value


def mean_probability(one: Pass) -> Tensor:
    """Mean probability (not log-probability) of the counted tokens of each sequence, [B]."""
    return (one.p_BS * one.counted_BS).sum(dim=1) / one.length_B.clamp(min=1)


class FLAT(Method):
    """Raise the probability of a refusal and lower that of the forget text, each in its bounds.

    L = -[g*(P_e) - f*(g*(P_f))], the variational form of an f-divergence between refusals and
    forget text, with P the mean probability of an answer's tokens. As in the authors' code for
    tv (their default), kl, js and pearson; but theirs counts prompt and padding as tokens of
    probability 0, and takes the mean over the batch before g* and f*. Here only counted tokens
    count, and the mean over sequences comes last, so that micro-batches add up.
    """

    title = "FLAT"
    paper = "https://arxiv.org/abs/2410.11143"
    citation = (
        "Wang, Wei, Liu, Pang, Liu, Shah, Bao, Liu, Wei: LLM Unlearning via Loss Adjustment with "
        "Only Forget Data. ICLR 2025."
    )
    formula = (
        r"\mathcal{L} = -\mathbb{E}\bigl[g^*(P_\theta(y_e \mid x)) - "
        r"f^*\bigl(g^*(P_\theta(y_f \mid x))\bigr)\bigr] + w_R\,\mathcal{L}_R,\qquad "
        r"P_\theta(y \mid x) = \frac{1}{|y|}\sum_t p_\theta(y_t \mid x, y_{<t})"
    )
    idea = (
        "Only the text to forget is needed. Beside each true answer stands a refusal, and the "
        "model is trained to tell the two apart: the refusal's average probability up, the "
        "truth's down. As probabilities lie between 0 and 1, neither push can run away, and no "
        "second model has to be asked."
    )
    cost = "2.0 alone, 3.0 (3.33 with the KL term) with a retain term: forget text and refusal."
    failure = (
        "Without a retain term nothing holds the text to keep: what is of the same kind is "
        "forgotten along, and then the language itself."
    )
    needs = frozenset({"preferred", "retain", "retain_reference"})
    preferred = "refusal"
    defaults = Defaults(steps=40, lora=3e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    divergence: Divergence = hyperparameter("tv")
    """How refusals and forget text are told apart: total variation, KL, Jensen-Shannon, Pearson."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the loss on the text to keep; 0 is the paper."""
    retain_loss: RetainLoss = hyperparameter("nll")
    """How the text to keep is held: nll trains on it, kl keeps the original predictions."""

    def passes(self) -> frozenset[str]:
        return frozenset({"preferred"}) | retain_passes(self.retain_weight, self.retain_loss)

    def notices(self) -> list[str]:
        if self.retain_weight:
            return []
        return [
            "FLAT runs without a retain term, as in the paper: text of the same kind may be "
            "forgotten along; a retain weight above 0 holds it."
        ]

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        preferred_B = activation(mean_probability(batch.preferred), self.divergence)
        forget_B = conjugate(mean_probability(batch.forget), self.divergence)
        terms = {
            "preferred": -batch.preferred.mean_over_sequences(preferred_B),
            "forget": batch.forget.mean_over_sequences(forget_B),
        }
        if self.retain_weight:
            terms["retain"] = self.retain_weight * retain_term(batch, self.retain_loss)
        return terms
