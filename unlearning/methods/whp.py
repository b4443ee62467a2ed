"""Who's Harry Potter: fine-tuning on generic predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.methods._dial import Dial
from unlearning.methods._retention import retain_passes
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

COUNTERPART = "counterpart"
"""The other set of weights: the start while the student is reinforced, then the reinforced."""


class WHP(Method):
    """Learn what the model would say of the text if it did not know it.

    Two phases. For `reinforce_steps` steps the student is fine-tuned on the forget text. Then it
    becomes the frozen reinforced model, the student goes back to its start with an empty optimizer,
    and for the remaining steps it learns generic labels of the forget text, taken from
    v = z_0 - strength * ReLU(z_reinforced - z_0): words that further training made likelier lose.
    Until the second phase the run looks at the start and would hand it over.

    The paper's labels are argmax v with a strength of 5, its learning rates 3e-6 and 1e-6; here
    one rate serves both phases. Not built: the paper's dictionary, which also replaces some 1500
    terms by generic ones, and the decoder of MUSE, which needs two models for every word
    it writes. What results here are weights, as in the paper.
    """

    title = "WHP"
    paper = "https://arxiv.org/abs/2310.02238"
    citation = "Eldan, Russinovich: Who's Harry Potter? Approximate Unlearning in LLMs. 2023."
    formula = (
        r"v_t = z^{\theta_0}_t - \alpha\,\mathrm{ReLU}\bigl(z^{\text{reinforced}}_t - "
        r"z^{\theta_0}_t\bigr),\quad \mathcal{L} = \frac{1}{N}\sum_t \mathrm{CE}\bigl(\arg\max v_t,"
        r"\ \mathrm{softmax}(z^{\theta}_t)\bigr) + w_R\,\mathrm{NLL}_\theta(\text{retain}) + "
        r"w_G\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{\text{generic}}"
    )
    idea = (
        "A second model is made that knows the text even better. Words that it likes more than the "
        "original does are those that come from knowing the text; take them away, and what is "
        "left is what someone would write who never read it. The original model is then trained "
        "in the ordinary way to write that instead."
    )
    cost = (
        "1.0 while reinforcing, then 1.67 alone and 4.0 with both further terms: original and "
        "reinforced model on the forget text."
    )
    failure = (
        "A text known by heart can hardly be reinforced, so nothing stands out to be taken away; "
        "what the labels miss stays known."
    )
    needs = frozenset({"reference", "reinforced", "retain", "generic", "generic_reference"})
    copies = 1
    reports = (
        Reported(
            "reinforced",
            "second phase",
            "Phase",
            "0 learns the text better, 1 forgets",
            (0.0, 1.0),
        ),
    )
    defaults = Defaults(steps=90, lora=5e-3, full=5e-4, lora_large=1e-4, full_large=1e-5)
    dial = Dial("strength", (0.4, 0.7, 1.0, 1.5, 2.0))

    reinforce_steps: int = hyperparameter(40, 1, 100_000)
    """Steps of the first phase, in which the model learns the text even better."""
    strength: float = hyperparameter(5.0, 0.0, 1000.0)
    """How much a word loses for each unit of logit that the reinforced model gave it."""
    labels: Literal["hard", "soft"] = hyperparameter("hard")
    """What is learned: hard is the likeliest generic word, as in the paper, soft all of them."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the ordinary loss on the text to keep; 0 is the paper."""
    generic_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of staying with the original model on general text; 0 is the paper."""

    def passes(self) -> frozenset[str]:
        generic = {"generic", "generic_reference"} if self.generic_weight else set()
        retain = retain_passes(self.retain_weight, "nll")
        return frozenset({"reference", "reinforced"} | generic) | retain

    def passes_now(self, state: MethodState) -> frozenset[str]:
        return self.passes() if state.values["reinforced"] else frozenset()

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        if batch.reinforced is None:
            return {"reinforce": batch.forget.nll}
        forget = batch.forget.cross_entropy_to_generic(
            batch.reference, batch.reinforced, self.strength, self.labels == "hard"
        )
        terms = {"forget": forget}
        if self.retain_weight:
            terms["retain"] = self.retain_weight * batch.retain.nll
        if self.generic_weight:
            terms["generic"] = self.generic_weight * batch.generic.kl(batch.generic_reference)
        return terms

    def prepare(self, setting: Setting) -> MethodState:
        setting.copy(COUNTERPART)
        tensors = {name: weight.detach() for name, weight in setting.trainable(COUNTERPART)}
        return MethodState({"reinforced": False}, tensors)

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """At the end of the first phase, student and counterpart change places."""
        if state.values["reinforced"] or setting.step + 1 < self.reinforce_steps:
            return
        for name, student in setting.trainable():
            counterpart = state.tensors[name]
            reinforced = student.detach().clone()
            student.detach().copy_(counterpart)
            counterpart.copy_(reinforced)
        setting.forget_moments()
        state.values["reinforced"] = True

    def watched(self, state: MethodState) -> str:
        return "student" if state.values["reinforced"] else COUNTERPART

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Whether the reinforced model is made (1) or still in the making (0)."""
        return {"reinforced": float(state.values["reinforced"])}

    def finish(self, setting: Setting, state: MethodState) -> str:
        return self.watched(state)
