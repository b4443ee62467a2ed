"""Direct preference optimization against a refusal."""

from __future__ import annotations

from unlearning.methods._preference import COST, PREFERENCE, Preference
from unlearning.methods.base import Defaults


class IdkDPO(Preference):
    """Prefer "I don't know" to the forget text, more than the original model did.

    TOFU's preference optimization, with Zhang et al.'s factor 2/beta (arXiv:2404.05868). The
    refusals are sentences of this project's own, drawn anew for each prompt by the run's seed;
    a passage is declined after its unscored beginning.
    """

    title = "IdkDPO"
    paper = "https://arxiv.org/abs/2401.06121"
    citation = (
        "Maini, Feng, Schwarzschild, Lipton, Kolter: TOFU: A Task of Fictitious Unlearning for "
        "LLMs. COLM 2024."
    )
    formula = PREFERENCE + r",\quad y_w = \text{``I don't know''}"
    idea = (
        "The model learns to decline where it used to recite: a refusal is raised and the true "
        "text lowered, both counted from where the original model had them, and the push fades "
        "as the gap grows. Unlike training on refusals alone, the truth itself is pushed down."
    )
    cost = COST
    failure = (
        "Refusing is easy to learn and spreads: text to keep of the same kind is declined and "
        "lost about as fast as the text to forget, even beside a retain term."
    )
    preferred = "refusal"
    defaults = Defaults(steps=45, lora=1e-3, full=2e-4, lora_large=1e-4, full_large=1e-5)
