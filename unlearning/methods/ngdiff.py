"""NGDiff: normalised gradient difference, with a learning rate read off a parabola."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods._dial import Dial
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

Probe = Callable[[float], dict[str, float]]

SETTLED = 0.05
"""Change of the learning rate, as a share, below which probing before the first step ends."""
ROUNDS = 24
"""Fits before the first step at most: doubling each time, they span seven decades."""
OPENING = 5
"""First steps with a fit each: LoRA's B starts at zero, and both gradients grow at once."""
ROUNDING = 1e-5
"""Bend of the loss to keep, as a share of it, that may be rounding alone: look further out."""


def global_dot(left: list[Tensor], right: list[Tensor]) -> float:
    """Inner product over all tensors: each in float32 at least, their sum in float64."""
    products = []
    for a, b in zip(left, right, strict=True):
        wide = torch.promote_types(a.dtype, torch.float32)
        # Added up on the CPU: Apple's GPUs know no float64, and layers may lie on several GPUs.
        products.append((a.to(wide) * b.to(wide)).sum().cpu())
    return torch.stack(products).double().sum().item()


def look(probe: Probe, rate: float) -> tuple[float, float, float]:
    """Loss to keep behind, here and ahead: at weights + rate * g, weights, weights - rate * g."""
    behind, here, ahead = (probe(size)["retain"] for size in (-rate, 0.0, rate))
    return behind, here, ahead


def fitted_rate(
    behind: float, here: float, ahead: float, rate: float, slack: float = 0.0
) -> float | None:
    """Learning rate at which the parabola through three losses has lost `slack` nats to its bottom.

    Losses at weights + rate * g, weights, and weights - rate * g, nats. With slope b and curvature
    a the parabola is here - b eta + a eta^2 / 2, and the answer b / a + sqrt(2 slack / a); without
    slack it is GeN's rate/2 * (behind - ahead) / (ahead - 2 here + behind). None where the
    parabola has no bottom (a <= 0) or the answer lies behind.
    """
    slope = (behind - ahead) / (2 * rate)
    curvature = (behind - 2 * here + ahead) / rate**2
    if not (math.isfinite(slope) and math.isfinite(curvature) and curvature > 0):
        return None
    found = slope / curvature + math.sqrt(2 * slack / curvature)
    return found if found > 0 else None


class NGDiff(Method):
    """Two gradients of length one: towards the text to keep, away from the text to forget.

    Each gradient is divided by its own global L2 norm, once, after accumulation. To first order
    the loss to keep never rises and the forget loss never falls: with cosine c between the two,
    the inner products with the step are |g_R| (1 - c) and -|g_F| (1 - c). The step has length
    sqrt(2 - 2 c), so it is never clipped, and with sgd the learning rate is a distance.

    The learning rate is that of GeN (Bu and Xu, arXiv:2407.02772) on the loss to keep: a parabola
    through one loss ahead, one behind and the step's own. `plain` with a share of 0 and a refresh
    of 10 is the paper: it walks to the bottom. Where the text to keep is memorised, that loss is at
    its bottom already and the walk stays there: on the embedded model nothing is forgotten.
    `guarded` moves on, by these together (not told apart one by one): general text in the loss to
    keep; walking on until the parabola is `slack` nats above its bottom (as the loss rises so does
    its slope, and the two balance at twice the bottom's distance, the limit up to which the loss to
    keep falls); fits before the first step until the rate has settled, and at each of the next
    four; following a fall at once, since the loss turns steep within one step. From GeN come the
    test that the parabola has a bottom, the bound on a change, and the smoothing, here of rises
    only. Its test of the fit has nothing to test: three points fit a parabola exactly.
    """

    title = "NGDiff"
    paper = "https://arxiv.org/abs/2410.22086"
    citation = (
        "Bu, Jin, Vinzamuri, Ramakrishna, Chang, Cevher, Hong: Unlearning as multi-task "
        "optimization: A normalized gradient difference approach with an adaptive learning rate. "
        "NAACL 2025."
    )
    formula = (
        r"\theta \leftarrow \theta - \eta\,g,\qquad g = \frac{g_R}{\lVert g_R\rVert_2}"
        r" - \frac{g_F}{\lVert g_F\rVert_2},\qquad \eta^\star = \frac{g_R^\top g}{g^\top H_R\,g}"
        r" \approx \frac{\eta}{2}\cdot\frac{L_- - L_+}{L_+ - 2 L_0 + L_-}"
    )
    idea = (
        "Each step looks at two arrows: the one that improves the text to keep and the one that "
        "improves the text to forget. Both are shortened to length one, then the model walks "
        "along keep minus forget, so neither side can drown the other. How far to walk is found "
        "by looking: a little ahead and a little behind on the text to keep, a parabola through "
        "what is seen there, and a walk to its bottom."
    )
    cost = (
        "2.0: a forget and a retain batch, one gradient kept beside the other. A fit of the rate "
        "adds two retain passes, a third of a step; there are some five before the first step."
    )
    failure = (
        "It never stops by itself, since the forget gradient always counts as one, and whatever "
        "the text to keep does not cover is unprotected."
    )
    needs = frozenset({"retain", "generic"})
    clip = None
    probed = frozenset({"retain", "generic"})
    reports = (
        Reported(
            "gradient_cosine",
            "cosine",
            "Do both gradients agree?",
            "1 the same way, −1 opposed",
            (-1.0, 1.0),
        ),
        Reported("learning_rate", "picked", "Learning rate", "found by looking"),
        Reported("fitted_rate", "bottom of the parabola", "Learning rate"),
        Reported(
            "forget_gradient_norm",
            "text to forget",
            "Length of the gradients",
            "before both become 1",
        ),
        Reported("retain_gradient_norm", "text to keep", "Length of the gradients"),
    )
    defaults = Defaults(steps=40, lora=0.5, full=0.2, lora_large=0.1, full_large=0.05)
    dial = Dial("slack", (0.1, 0.3, 1.0, 3.0, 10.0))

    generic_share: float = hyperparameter(0.25, 0.0, 1.0)
    """Share of general text in the loss to keep; 0 is the paper."""
    rate_rule: Literal["guarded", "plain", "fixed"] = hyperparameter("guarded")
    """The learning rate: guarded and plain fit it, plain as the formula stands, fixed leaves it."""
    slack: float = hyperparameter(0.01, 0.0, 1.0)
    """Nats the loss to keep may lose in one step against the best one; 0 is the paper."""
    refresh: int = hyperparameter(5, 1, 1000)
    """Steps from one fit of the learning rate to the next; the paper has 10."""
    smoothing: float = hyperparameter(0.9, 0.0, 0.99, advanced=True)
    """Share of the old learning rate that a rise leaves; 0 reacts fastest."""
    largest_change: float = hyperparameter(2.0, 1.1, 10.0, advanced=True)
    """Factor by which one fit may raise or lower the learning rate."""
    highest_rate: float = hyperparameter(10.0, 1e-6, 10.0, advanced=True)
    """Learning rate that no fit may exceed."""
    base_optimizer: Literal["sgd", "adamw"] = hyperparameter("sgd", advanced=True)
    """What takes the step: sgd is the formula; adamw needs a small learning rate, never fitted."""

    def optimizer_name(self) -> Literal["adamw", "sgd"]:
        return self.base_optimizer

    def passes(self) -> frozenset[str]:
        return frozenset({"retain", "generic"} if self.generic_share else {"retain"})

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Their gradients are combined, not their values: minus the forget loss, loss to keep."""
        keep = batch.retain.nll
        if self.generic_share:
            keep = (1 - self.generic_share) * keep + self.generic_share * batch.generic.nll
        if batch.forget is None:
            return {"retain": keep}
        return {"forget": -batch.forget.nll, "retain": keep}

    def gradients(self, by_term: dict[str, list[Tensor]], state: MethodState) -> list[Tensor]:
        """g_R / |g_R| - g_F / |g_F|, in the place of g_R; the forget term has its sign already."""
        forget, keep = by_term["forget"], by_term["retain"]
        forget_norm = math.sqrt(global_dot(forget, forget))
        keep_norm = math.sqrt(global_dot(keep, keep))
        product = forget_norm * keep_norm
        state.values |= {
            "forget_gradient_norm": forget_norm,
            "retain_gradient_norm": keep_norm,
            "gradient_cosine": -global_dot(forget, keep) / product if product else 0.0,
        }
        # A gradient of zero points nowhere and takes no part.
        forget_scale = 1 / forget_norm if forget_norm else 0.0
        keep_scale = 1 / keep_norm if keep_norm else 0.0
        for kept, pushed in zip(keep, forget, strict=True):
            kept.mul_(keep_scale).add_(pushed, alpha=forget_scale)
        return keep

    def learning_rate(self, setting: Setting, state: MethodState, probe: Probe) -> float | None:
        fits = self.rate_rule != "fixed" and self.base_optimizer == "sgd"
        opening = setting.step < OPENING and self.rate_rule == "guarded"
        if not fits or (setting.step % self.refresh and not opening):
            return None
        if self.rate_rule == "plain":
            rate = self._plain(setting.rate, probe, state)
        else:
            rate = self._settled(setting.rate, probe, state, first=setting.step == 0)
        return min(rate, self.highest_rate)

    def _plain(self, rate: float, probe: Probe, state: MethodState) -> float:
        """The bottom of the parabola, where it has one ahead."""
        found = fitted_rate(*look(probe, rate), rate)
        if found is None:
            return rate
        state.values["fitted_rate"] = found
        return found

    def _settled(self, rate: float, probe: Probe, state: MethodState, first: bool) -> float:
        """Fits until one changes little; later ones until one falls by less than it may.

        Looking moves no weights, while the damage of a step too large stays. So a rise waits for
        the next fit and is smoothed, a fall does neither.
        """
        for _ in range(ROUNDS):
            before, rate = rate, self._guarded(rate, probe, state)
            if first and abs(rate - before) < SETTLED * before:
                return rate
            if not first and rate > before:
                return self.smoothing * before + (1 - self.smoothing) * rate
            if not first and rate > before / self.largest_change:
                return rate
        return rate

    def _guarded(self, rate: float, probe: Probe, state: MethodState) -> float:
        """One fit with slack, bounded; at once where there is no parabola to see."""
        behind, here, ahead = look(probe, rate)
        lowest, highest = rate / self.largest_change, rate * self.largest_change
        if not ahead <= 1.5 * here + 1e-3 + 2 * self.slack:
            return lowest
        if abs(behind - 2 * here + ahead) <= ROUNDING * abs(here):
            return highest
        found = fitted_rate(behind, here, ahead, rate, self.slack)
        if found is None:
            return rate
        state.values["fitted_rate"] = found
        return min(max(found, lowest), highest)

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Both gradient norms, their cosine, and the last fit, before bound and smoothing."""
        return dict(state.values)
