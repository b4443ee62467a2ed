"""Gradient ascent, also known as UL or KUMPR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._retention import retain_passes
from unlearning.methods.base import Defaults, Method

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class GradientAscent(Method):
    """Train with the sign turned round: the forget text becomes ever less likely.

    The loss is the log-likelihood of the forget text, mean over counted tokens as in the
    authors' code, with nothing that bounds it. The paper makes one update an epoch, with the
    whole forget set as its batch, and stops as soon as extraction likelihood (n = 10) and
    memorization accuracy are both below their mean on unseen text. The engine's rule
    *forgotten* is that rule, with the holdout text as the unseen one, so the method needs none
    of its own.
    """

    title = "Gradient ascent"
    paper = "https://arxiv.org/abs/2210.01504"
    citation = (
        "Jang, Yoon, Yang, Cha, Lee, Logeswaran, Seo: Knowledge Unlearning for Mitigating "
        "Privacy Risks in Language Models. ACL 2023."
    )
    formula = (
        r"\mathcal{L} = \frac{1}{N}\sum_{t} \log p_\theta(x_t \mid x_{<t})"
        r" + w_R\,\mathrm{NLL}_\theta(\text{retain})"
    )
    idea = (
        "Learning lowers the surprise at a text; here the same step is taken in the opposite "
        "direction, so the surprise grows. The push is weak while the text is known by heart and "
        "becomes stronger the less the model knows it. Nothing tells it when to end, and what it "
        "tears down is shared with all other text: after a few steps too many the model "
        "only repeats a single token. That makes it the lesson to start with."
    )
    cost = "1.0 (2.0 with a retain term): one pass over the forget text, no second model."
    failure = (
        "The loss has no lower bound, so the model collapses into repeated tokens unless it is "
        "stopped within a few steps of having forgotten."
    )
    needs = frozenset({"retain"})
    # A default run shows the lesson, so it does not stop in the narrow window before it.
    defaults = Defaults(
        steps=40,
        lora=2e-3,
        full=3e-4,
        lora_large=1e-4,
        full_large=1e-5,
        stop_when_forgotten=False,
    )

    retain_weight: float = hyperparameter(0.0, 0.0, 10.0)
    """Weight of the ordinary loss on the text to keep; 0 is the paper."""

    def passes(self) -> frozenset[str]:
        return retain_passes(self.retain_weight, "nll")

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"forget": -batch.forget.nll}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * batch.retain.nll
        return terms
