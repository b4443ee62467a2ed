"""PDU: unlearning as a constrained problem, solved by a primal-dual method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.declare import hyperparameter
from unlearning.methods._dial import Dial
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch


class PDU(Method):
    """Flatten the scores on the forget text, with the loss on the text to keep under a bound.

    The terms are the two losses themselves; what moves the weights is the gradient of the
    Lagrangian, forget + multiplier * (retain - bound). After each step beyond the warm-up
    multiplier <- max(0, multiplier + dual_rate * (retain - bound)), with the retain loss of that
    step. The forget loss is (highest logit - mean logit)^2, mean over counted tokens; its mask is
    taken from the shifted labels. The defaults are the paper's for TOFU, where it trains for 10 to
    30 epochs; on MUSE it starts at 50, with a rate of 1 and a bound of 1.5 (news) or 0.1 (books).
    """

    title = "PDU"
    paper = "https://arxiv.org/abs/2506.05314"
    citation = (
        "Entesari et al.: Constrained Entropic Unlearning: A Primal-Dual Framework for Large "
        "Language Models. 2025."
    )
    formula = (
        r"\min_\theta \max_{\lambda \ge 0}\ \frac{1}{N}\sum_t \Bigl(\max_v z_{t,v} - \frac{1}{V}"
        r"\sum_v z_{t,v}\Bigr)^2 + \lambda\,\bigl(\mathrm{NLL}_\theta(\text{retain}) - "
        r"\varepsilon\bigr),\qquad \lambda \leftarrow \bigl[\lambda + \rho\,(\mathrm{NLL} - "
        r"\varepsilon)\bigr]_+"
    )
    idea = (
        "On the forget text the model shall have no opinion: the score of its favourite word is "
        "pulled down to the average of all words. How much the text to keep may suffer is not a "
        "weight to be guessed but a bound to be set. Above the bound the protection grows with "
        "every step, below it it shrinks, until both sides balance."
    )
    cost = "2.0: a forget batch and a retain batch; one more copy of the gradient."
    failure = (
        "A bound below what the model can reach lets the multiplier grow without end, and the "
        "forgetting stops; flat predictions tell everybody where something was removed."
    )
    needs = frozenset({"retain"})
    reports = (
        Reported(
            "multiplier", "multiplier", "Weight of the text to keep", "rises while it suffers"
        ),
        Reported(
            "above_bound", "loss above it", "Loss to keep against its bound", "↓ to 0 or below"
        ),
    )
    defaults = Defaults(steps=40, lora=2e-3, full=3e-4, lora_large=1e-4, full_large=1e-5)
    dial = Dial("bound", (0.3, 0.6, 1.0, 1.5, 2.5))

    bound: float = hyperparameter(0.3, 0.0, 20.0)
    """Loss on the text to keep that is still allowed, in nats a token."""
    multiplier: float = hyperparameter(100.0, 0.0, 10000.0)
    """How much the text to keep counts at the start, before the bound moves it."""
    dual_rate: float = hyperparameter(5.0, 0.0, 1000.0)
    """How fast the multiplier follows the distance from the bound; 0 keeps it fixed."""
    warmup: int = hyperparameter(5, 0, 10000)
    """Times the forget text is gone through before the multiplier first changes."""

    def passes(self) -> frozenset[str]:
        return frozenset({"retain"})

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget = batch.forget
        return {"forget": forget.mean(forget.lead_BS.square()), "retain": batch.retain.nll}

    def prepare(self, setting: Setting) -> MethodState:
        return MethodState(values={"multiplier": self.multiplier})

    def gradients(self, by_term: dict[str, list[Tensor]], state: MethodState) -> list[Tensor]:
        """Gradient of the Lagrangian."""
        multiplier = state.values["multiplier"]
        pairs = zip(by_term["forget"], by_term["retain"], strict=True)
        return [forget.add_(retain, alpha=multiplier) for forget, retain in pairs]

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """The dual ascent step."""
        if setting.step * setting.batch_size >= self.warmup * setting.forget_size:
            raised = state.values["multiplier"] + self.dual_rate * self._excess(setting)
            state.values["multiplier"] = max(0.0, raised)

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """The multiplier after the step, and how far the retain loss was above its bound."""
        return {"multiplier": state.values["multiplier"], "above_bound": self._excess(setting)}

    def _excess(self, setting: Setting) -> float:
        return setting.terms["retain"] - self.bound
