"""UNDIAL: self-distillation on adjusted logits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods._dial import Dial
from unlearning.methods._focus import Focus, Mark, marks
from unlearning.methods._retention import retain_passes
from unlearning.methods.base import Defaults, Method, Reported

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch, Pass


def target_probability(probability: float, strength: float) -> float:
    """What UNDIAL makes of a token that the original model gave `probability`, in [0, 1].

    p' = p e^-s / (1 - p + p e^-s): the logit is lowered by s = `strength`, all other tokens keep
    their ratios. Shows which strength a text needs: 10 leaves 0.98 of a probability of 0.999999.
    """
    lowered = probability * math.exp(-strength)
    return lowered / (1 - probability + lowered)


class UNDIAL(Method):
    """Copy the original model's predictions, with the score of the memorised token lowered.

    Equation: cross-entropy from softmax(z0 - strength * e_target) to the student, mean over the
    counted tokens of the forget text. The authors' code and its port average over prompt and
    padding too, which weakens the forgetting by the share of answer tokens; here only counted
    tokens count. Reference is the run's own original model, not a smaller one.

    Focused variant: each token's cross-entropy is multiplied by a weight, 1 on focused tokens and
    0 elsewhere (hard), or `focus_coefficient` there and 1 elsewhere (soft). The mean is still over
    all counted tokens, as the authors' is over all positions, so hard focus is also a smaller step.
    The authors focus on spaCy's named entities or noun chunks; the names and numbers found by rule
    are this project's.

    The curves compare, over the counted tokens of each step's forget batch, the probability that
    the goal leaves the target (tokens of weight 0: the original's) with the student's. Where
    `left_alone` starts high, the strength is too small for a text known that well.
    """

    title = "UNDIAL"
    paper = "https://arxiv.org/abs/2402.10052"
    citation = (
        "Dong, Lin, Belkin, Huerta, Vulić: UNDIAL: Self-Distillation with Adjusted Logits for "
        "Robust Unlearning in Large Language Models. NAACL 2025."
    )
    formula = (
        r"\mathcal{L} = \frac{1}{N}\sum_t \mathrm{CE}\bigl(\mathrm{softmax}(z^{\theta_0}_t - "
        r"\gamma\,e_{x_t}),\ \mathrm{softmax}(z^{\theta}_t)\bigr) + w_R\,\mathrm{NLL}_\theta"
        r"(\text{retain}) + w_G\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{\text{generic}}"
    )
    idea = (
        "For every word of the forget text the original model says what it would have written, "
        "and the memorised word is marked down by a fixed amount. The model then learns these "
        "edited predictions in the ordinary way. Since there is a goal to arrive at, training "
        "settles instead of running away, and the runner-up words take the secret's place: the "
        "text stays fluent and becomes wrong."
    )
    cost = "1.33 alone, 2.33 with the retain term: original model on the forget text."
    failure = (
        "Too small a strength leaves strongly memorised tokens as they were, and only the exact "
        "wording is edited: a paraphrase can still be known."
    )
    needs = frozenset({"reference", "retain", "generic", "generic_reference"})
    reports = (
        Reported(
            "target_probability",
            "the goal",
            "Probability of the true word",
            "the model follows the goal",
            (0.0, 1.0),
        ),
        Reported("student_probability", "the model", "Probability of the true word"),
        Reported("left_alone", "share over 1/2", "Words the goal leaves alone", "↓", (0.0, 1.0)),
    )
    defaults = Defaults(steps=50, lora=4e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)
    dial = Dial("strength", (0.3, 0.6, 1.0, 1.5, 2.5))

    strength: float = hyperparameter(10.0, 0.0, 100.0)
    """How far the memorised token's logit is lowered; the depth of forgetting."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the ordinary loss on the text to keep; 0 is the paper."""
    generic_weight: float = hyperparameter(2.0, 0.0, 100.0)
    """Weight of staying with the original model on general text; 0 is the paper."""
    focus: Focus = hyperparameter("none")
    """Words that are pressed on: none treats all alike, names are capitalised words and numbers,
    entities and nouns are what spaCy finds."""
    focus_hard: bool = hyperparameter(False, advanced=True)
    """Whether the words without focus are left out altogether."""
    focus_coefficient: float = hyperparameter(10.0, 1.0, 1000.0, advanced=True)
    """How many times as much a focused word counts as another, where these are not left out."""

    def passes(self) -> frozenset[str]:
        generic = {"generic", "generic_reference"} if self.generic_weight else set()
        return frozenset({"reference"} | generic) | retain_passes(self.retain_weight, "nll")

    def focus_marks(self, texts: Sequence[str]) -> list[list[Mark]] | None:
        return None if self.focus == "none" else marks(texts, self.focus)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget.cross_entropy_to_lowered(
            batch.reference, self.strength, self._weight_BS(batch.forget)
        )
        terms = {"forget": forget}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * batch.retain.nll
        if self.generic_weight:
            terms["generic"] = self.generic_weight * batch.generic.kl(batch.generic_reference)
        return terms

    def curves(self, batch: Batch) -> dict[str, Tensor]:
        """Mean probability of the target: as the goal has it, and as the student does; and the
        share of targets that the goal still gives more than one half."""
        forget, original = batch.forget, batch.reference
        # The closed form in logits, exact also where p rounds to 1.
        odds_BS = original.logp_BS - original.log_unlikelihood_BS
        goal_BS = torch.sigmoid(odds_BS - self.strength)
        weight_BS = self._weight_BS(forget)
        if weight_BS is not None:
            goal_BS = torch.where(weight_BS > 0, goal_BS, original.p_BS)
        return {
            "target_probability": forget.mean(goal_BS),
            "student_probability": forget.mean(forget.p_BS),
            "left_alone": forget.mean((goal_BS > 0.5).to(goal_BS)),
        }

    def _weight_BS(self, forget: Pass) -> Tensor | None:
        """What each token's cross-entropy is multiplied by; None where all count alike."""
        if self.focus == "none":
            return None
        focused_BS = forget.focus_BS
        return focused_BS if self.focus_hard else 1 + (self.focus_coefficient - 1) * focused_BS
