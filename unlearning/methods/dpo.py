"""Direct preference optimization against a wrong answer."""

from __future__ import annotations

from unlearning.methods._preference import COST, PREFERENCE, Preference
from unlearning.methods.base import Defaults


class DPO(Preference):
    """Prefer a wrong answer of the same form to the forget text, more than the original did.

    The wrong answers are those that the examples bring along; where they bring none, the original
    model writes some, as in AltPO. Rafailov et al., equation 7, times 2/beta: sums over counted
    tokens, mean over sequences.
    """

    title = "DPO"
    paper = "https://arxiv.org/abs/2305.18290"
    citation = (
        "Rafailov, Sharma, Mitchell, Ermon, Manning, Finn: Direct Preference Optimization: Your "
        "Language Model is Secretly a Reward Model. NeurIPS 2023."
    )
    formula = PREFERENCE + r",\quad y_w \text{ a wrong answer}"
    idea = (
        "Every text to forget gets a rival: a wrong answer of the same form to the same question. "
        "The model is trained to raise the rival and lower the truth, both counted from where the "
        "original model had them. The larger the lead, the weaker the push. So the model does not "
        "fall silent: it learns something else to say, fluently and wrongly."
    )
    cost = COST
    failure = (
        "The model states falsehoods with confidence, and only the gap counts: truth and rival "
        "may both become unlikely."
    )
    preferred = "given"
    defaults = Defaults(steps=45, lora=4e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)
