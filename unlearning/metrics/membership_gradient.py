"""Membership inference from the size of the gradient (GradNorm)."""

from __future__ import annotations

from collections.abc import Sequence

from unlearning.declare import hyperparameter
from unlearning.metrics._membership import MembershipAttack
from unlearning.metrics._spans import spans
from unlearning.metrics.base import Evidence


class MembershipGradient(MembershipAttack):
    """Whether the forget text would teach the model less than unseen text does.

    s(x) = mean over the model's weight tensors of the 2-norm of the gradient of the mean negative
    log-likelihood, the end-of-text token left out; low = seen. It is the mean of the norms, not
    the norm of the whole. Evaluation mode, so that nothing is drawn at random; the weight of a
    layer with an adapter is that of both together.

    A backward pass for each text is dear, so few of them are read.

    Source: Wang et al. 2024 (arXiv 2402.17012); as in OpenUnlearning, code
    `evals/metrics/mia/gradnorm.py`, p = 2.
    """

    title = "Membership, GradNorm"
    paper = "https://arxiv.org/abs/2402.17012"
    plain = "seen before? by what it would still teach"
    needs = frozenset({"holdout", "gradients"})

    texts: int = hyperparameter(8, 2, 1000)
    """Texts of each set that are read."""

    def suspicion(self, evidence: Evidence) -> Sequence[float | None]:
        """Norms; nothing without backward passes, or where memory does not do for them."""
        if evidence.gradient_norms is None:
            return []
        texts = spans(evidence, self.texts)
        norms = evidence.gradient_norms([text for text in texts if text is not None])
        if norms is None:
            return []
        each = iter(norms)
        return [None if text is None else next(each) for text in texts]

    def label(self) -> str:
        """The norm."""
        return "p = 2, mean over tensors"
