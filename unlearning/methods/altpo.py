"""Alternate preference optimization."""

from __future__ import annotations

from unlearning.declare import hyperparameter
from unlearning.methods._preference import COST, PREFERENCE, Preference
from unlearning.methods.base import Defaults


class AltPO(Preference):
    """Prefer what the original model itself writes instead, once its memory is barred.

    The paper asks an instruct model to rewrite each answer with other plausible facts, five
    samples at temperature 1, and adds the ordinary loss on the text to keep. Here the original
    model writes on from the prompt, with every run of four tokens of the true text barred, since
    a base model that knows the text by heart would only recite it; once, before the first step.
    """

    title = "AltPO"
    paper = "https://arxiv.org/abs/2409.13474"
    citation = (
        "Mekala, Dorna, Dubey, Lalwani, Koleczek, Rungta, Hasan, Lobo: Alternate Preference "
        "Optimization for Unlearning Factual Knowledge in Large Language Models. COLING 2025."
    )
    formula = PREFERENCE + r",\quad y_w \sim p_{\theta_0}(\cdot \mid x) \text{ without } y_l"
    idea = (
        "Before the first step the original model writes, for each text to forget, other "
        "versions that avoid its wording. Training then prefers these to the truth. As they are "
        "the model's own, it hardly has to change its language to say them, and it need not "
        "fall silent or decline: it answers as about something that it has never heard of."
    )
    cost = COST + " Once at the start: the alternates are generated."
    failure = (
        "The alternates are as good as the model: one that knows little else writes poor ones, "
        "and a short fact that comes through the bar is learnt anew."
    )
    preferred = "generated"
    defaults = Defaults(steps=45, lora=4e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)

    alternates: int = hyperparameter(5, 1, 20)
    """How many other versions the original model writes for each text."""

    def preferred_answers(self) -> int:
        return self.alternates
