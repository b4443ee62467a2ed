"""Iterative contrastive unlearning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.methods._retention import retain_passes
from unlearning.methods._similarity import bert_is_here, bertscore_f1, bleu
from unlearning.methods.base import Defaults, Method, MethodState, Reported, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

PUBLISHED = {"memorization_accuracy": 0.5994, "extraction_likelihood": 0.0499}
"""Thresholds of the authors' scripts, measured on unseen text with their own models."""
NEW_TOKENS = 50
"""Tokens that the model writes for the published test."""


class ICU(Method):
    """Unlearn each text beside a look-alike that stays, and leave off once it is forgotten.

    Three parts, in the paper's names. Knowledge unlearning induction: gradient ascent on the
    forget text. Contrastive learning enhancement: ordinary loss and KL(original || student) on
    the nearest neighbour of every forget text in the batch, which the engine picks from the text
    to keep by the original model's own states. Iterative unlearning refinement: after every
    epoch each forget text is tested, and only those still recited stay on the list; a text that
    comes back is taken up again. The run ends when the list is empty, or when memorization
    accuracy and extraction likelihood are both at the level of unseen text.

    The authors test by writing on from each text (BERTScore below a or BLEU below b, two beams;
    here greedily), and stop at an accuracy of 0.5994 and an extraction of 0.0499, measured with
    their models; both are here as settings. By default a text leaves when its accuracy is at the
    level of unseen text, as measured in this very run. They test once an epoch of many small
    steps; in a run of some eighty larger ones an epoch carries texts far beyond the level, so the
    default is every fifth step, and text to keep and general text are held along.

    Means are over counted tokens; the authors' divergence is a cross-entropy over padding too,
    with 1e-12 inside the logarithm, which ends its gradient there. Their batches shrink with the
    list; here they are filled up from it, and an epoch gets shorter.
    """

    title = "ICU"
    paper = "https://arxiv.org/abs/2407.20271"
    citation = (
        "Tang, Liu, Zhao, Liu, Zhang, Zhang, Zhou, Chen: Learn while Unlearn: An Iterative "
        "Unlearning Framework for Generative Language Models. 2024."
    )
    formula = (
        r"\mathcal{L} = -w_F\,\mathrm{NLL}_\theta(x^f) + \alpha\,\mathrm{NLL}_\theta(x^a) + "
        r"\beta\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{x^a} + w_R\,\mathrm{NLL}_\theta"
        r"(\text{retain}) + w_G\,\mathrm{KL}(p_{\theta_0}\,\|\,p_\theta)_{\text{generic}},\quad "
        r"x^f \in \{x : \mathrm{MA}_\theta(x) > \mathrm{MA}_{\text{unseen}}\}"
    )
    idea = (
        "For each text to forget, the most similar text that may stay is found. The model "
        "unlearns the one while it goes on learning the other and must speak of it exactly as "
        "before, so what the two share survives. After each round every text is tested, and one "
        "that no longer comes out is taken off the list, so that nothing is forgotten harder "
        "than needed; should it come back, so does the pressure."
    )
    cost = (
        "2.33 alone, 4.67 with both further terms: forget batch, look-alikes, the original model "
        "on them; and a pass over the forget set an epoch."
    )
    failure = (
        "Gradient ascent on what is left has no bound but the list, and text unlike any forget "
        "text is protected only by the further terms."
    )
    needs = frozenset(
        {"analogous", "analogous_reference", "retain", "generic", "generic_reference"}
    )
    reports = (
        Reported("samples_remaining", "texts left", "Texts still to forget", "↓ to none"),
        Reported("samples_returned", "came back so far", "Texts still to forget"),
    )
    defaults = Defaults(steps=80, lora=1.5e-3, full=3e-4, lora_large=1e-4, full_large=1e-5)

    forget_weight: float = hyperparameter(1.0, 0.001, 100.0)
    """Weight of the push away from the forget text."""
    alpha: float = hyperparameter(0.5, 0.0, 100.0)
    """Weight of the ordinary loss on the look-alikes."""
    beta: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of staying with the original model on the look-alikes."""
    retain_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of the ordinary loss on further text to keep; 0 is the paper."""
    generic_weight: float = hyperparameter(1.0, 0.0, 100.0)
    """Weight of staying with the original model on general text; 0 is the paper."""
    refine_every: int = hyperparameter(5, 0, 10_000)
    """Steps between two tests of every text; 0 is the paper, an epoch of the texts still listed."""
    test: Literal["recited", "written"] = hyperparameter("recited")
    """What is tested: recited tokens against unseen text, or written text as in the paper."""
    accuracy_level: float | None = hyperparameter(None, 0.0, 1.0, advanced=True)
    """Memorization accuracy of a forgotten text; empty measures it on unseen text."""
    extraction_level: float | None = hyperparameter(None, 0.0, 1.0, advanced=True)
    """Extraction likelihood at which the run may end; empty measures it on unseen text."""
    a: float = hyperparameter(0.3, -1.0, 1.0, advanced=True)
    """BERTScore under which a written text is forgotten; read by the written test only."""
    b: float = hyperparameter(0.01, 0.0, 1.0, advanced=True)
    """BLEU under which a written text is forgotten; read by the written test only."""

    def passes(self) -> frozenset[str]:
        analogous = {"analogous"} if self.alpha or self.beta else set()
        reference = {"analogous_reference"} if self.beta else set()
        generic = {"generic", "generic_reference"} if self.generic_weight else set()
        return frozenset(analogous | reference | generic) | retain_passes(self.retain_weight, "nll")

    def notices(self) -> list[str]:
        if self.test == "written" and not bert_is_here():
            return [
                "BERTScore's model (bert-base-uncased) is not on this machine, so written texts "
                "are judged by BLEU alone."
            ]
        return []

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        terms = {"forget": -self.forget_weight * batch.forget.nll}
        if self.alpha:
            terms["look-alike"] = self.alpha * batch.analogous.nll
        if self.beta:
            terms["divergence"] = self.beta * batch.analogous.kl(batch.analogous_reference)
        if self.retain_weight:
            terms["retain"] = self.retain_weight * batch.retain.nll
        if self.generic_weight:
            terms["generic"] = self.generic_weight * batch.generic.kl(batch.generic_reference)
        return terms

    def prepare(self, setting: Setting) -> MethodState:
        """All texts are listed; the levels are kept for `stop`."""
        everything = list(range(setting.forget_size))
        return MethodState(
            {
                "listed": everything,
                "next_test": self._interval(setting, everything),
                "levels": self._levels(setting.levels),
                "changes": [],
            }
        )

    def select(self, setting: Setting, state: MethodState) -> Iterable[int]:
        return state.values["listed"]

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """Refinement: every forget text is tested, those off the list too."""
        now, values = setting.step + 1, state.values
        if now < values["next_test"]:
            return
        before = set(values["listed"])
        listed = self._still_known(setting, values["levels"]["memorization_accuracy"])
        left, back = sorted(before.difference(listed)), sorted(set(listed) - before)
        if left or back:
            change = {"step": now, "left": left, "back": back}
            values["changes"] = [*values["changes"], change]
        values["listed"] = listed
        values["next_test"] = now + self._interval(setting, listed)

    def stop(self, state: MethodState, scores: Mapping[str, Mapping[str, float]]) -> str | None:
        if not state.values["listed"]:
            return "No text is left on the list: each is recited no better than unseen text."
        # A score that was not measured does not end the run.
        found = {name: scores.get(name, {}).get("forget") for name in PUBLISHED}
        levels = state.values["levels"]
        if all(value is not None and value <= levels[name] for name, value in found.items()):
            return "Memorization accuracy and extraction are at the level of unseen text."
        return None

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Texts still on the list, and how often one came back so far."""
        returned = sum(len(change["back"]) for change in state.values["changes"])
        return {"samples_remaining": len(state.values["listed"]), "samples_returned": returned}

    def _interval(self, setting: Setting, listed: list[int]) -> int:
        """Steps until the next test; an epoch is as many as show every listed text once."""
        return self.refine_every or max(1, -(-len(listed) // setting.batch_size))

    def _levels(self, measured: Mapping[str, float]) -> dict[str, float]:
        """Where forgetting ends: as chosen, else as measured, else as published."""
        chosen = {
            "memorization_accuracy": self.accuracy_level,
            "extraction_likelihood": self.extraction_level,
        }
        known = {name: value for name, value in chosen.items() if value is not None}
        return {**PUBLISHED, **{n: measured[n] for n in PUBLISHED if n in measured}, **known}

    def _still_known(self, setting: Setting, level: float) -> list[int]:
        """Indices of the forget texts that are not forgotten yet."""
        everything = range(setting.forget_size)
        if self.test == "recited":
            shares = zip(everything, setting.recited(everything), strict=True)
            return [i for i, share in shares if share is not None and share > level]
        written = zip(everything, setting.continued(everything, NEW_TOKENS), strict=True)
        score_too = bert_is_here()
        return [i for i, texts in written if not self._forgotten(*texts, score_too)]

    def _forgotten(self, written: str, reference: str, score_too: bool) -> bool:
        """The published rule: BERTScore F1 < a or BLEU < b."""
        if bleu(written, reference) < self.b:
            return True
        return score_too and bertscore_f1(written, reference) < self.a
