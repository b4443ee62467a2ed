"""What an unlearning method is: formulas plus hooks, run by the one engine.

Order of the hooks in each step:

    select -> passes_now -> loss, curves -> gradients -> (clip) -> before_step -> learning_rate
    -> (optimizer) -> after_step

and around the run: focus_marks, prepare, trainable, watched, finish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from unlearning.declare import Declared
from unlearning.methods._dial import Dial

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

    from unlearning.models.passes import Batch


@dataclass(frozen=True, slots=True)
class Defaults:
    """Settings of a default run, for the embedded model and for a large one.

    Learning rates are per optimizer step; between the two sizes the engine interpolates on a
    logarithmic scale of the parameter count.
    """

    steps: int
    lora: float
    """Learning rate with LoRA at 4 M parameters."""
    full: float
    """Learning rate with all parameters at 4 M parameters."""
    lora_large: float
    """Learning rate with LoRA at 1 B parameters and more."""
    full_large: float
    """Learning rate with all parameters at 1 B parameters and more."""
    batch_size: int = 8
    """Forget sequences a step."""
    retain_batch_size: int = 24
    """Sequences a step of every other role together."""
    stop_when_forgotten: bool = True
    """Whether a default run ends once the text is recited no better than unseen text."""

    def rate(self, parameters: int, full: bool) -> float:
        """Learning rate by model size: geometric between 4 M and 1 B parameters, flat outside."""
        small, large = (self.full, self.full_large) if full else (self.lora, self.lora_large)
        place = (log(max(parameters, 1)) - log(4e6)) / (log(1e9) - log(4e6))
        return float(f"{small * (large / small) ** min(max(place, 0.0), 1.0):.2g}")


@dataclass(frozen=True, slots=True)
class Reported:
    """A curve of the method's own, in words."""

    key: str
    """Key in `report` or `curves`; 'forget_nll' and 'learning_rate' are every run's."""
    words: str
    """What the curve is, short enough for a legend."""
    chart: str
    """Heading; curves of the same heading share a chart."""
    direction: str = ""
    """How to read the chart, in a few words; said by the first curve."""
    y_range: tuple[float, float] | None = None
    """Fixed range of the chart; said by the first curve."""


@dataclass
class MethodState:
    """What a method keeps between steps; saved with every snapshot, restored in place."""

    values: dict[str, Any] = field(default_factory=dict)
    """Numbers, lists, strings: whatever JSON holds."""
    tensors: dict[str, Tensor] = field(default_factory=dict)
    """Tensors by name; loading copies into the live ones."""

    def state_dict(self) -> dict[str, Any]:
        """Values and tensors, detached."""
        return {
            "values": dict(self.values),
            "tensors": {name: tensor.detach().clone() for name, tensor in self.tensors.items()},
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what `state_dict` gave; live tensors keep their identity."""
        self.values = dict(saved["values"])
        for name, tensor in saved["tensors"].items():
            if name in self.tensors:
                self.tensors[name].detach().copy_(tensor)
            else:
                self.tensors[name] = tensor


class Setting(Protocol):
    """What the engine lets a method touch."""

    step: int
    forget_size: int
    """Forget sequences in the whole set."""
    batch_size: int
    """Forget sequences a step."""
    levels: Mapping[str, float]
    """Metric name to the forget score of a model that never saw the text; empty if not known."""
    seed: int
    """The run's seed, for what a method draws."""
    terms: Mapping[str, float]
    """What `loss` gave in this step, term by term; empty before the first."""

    @property
    def width(self) -> int:
        """Width of the model's inner state, D of `Pass.hidden`."""

    @property
    def rate(self) -> float:
        """The learning rate in force; saved with every snapshot."""

    def forget_moments(self) -> None:
        """Empty the optimizer's moments, as before the first step."""

    def copy(self, version: str) -> None:
        """Add a frozen copy of the student's trainable weights under a name such as 'teacher'."""

    def trainable(self, version: str = "student") -> list[tuple[str, Parameter]]:
        """Trainable tensors of the student, or their counterparts in a copy, in one order."""

    def set_learning_rate(self, value: float) -> None:
        """Change the optimizer's learning rate from this step on."""

    def recited(self, indices: Sequence[int]) -> list[float | None]:
        """Memorization accuracy of the student on each of these forget sequences, 0 to 1: one
        teacher-forced pass over the scored tokens. None where nothing is scored."""

    def continued(self, indices: Sequence[int], tokens: int) -> list[tuple[str, str]]:
        """What the student writes greedily after each prompt, and what truly follows there."""


class Method(Declared):
    """Base of all methods. Subclasses declare their hyperparameters as fields."""

    paper: ClassVar[str] = ""
    """Link to the paper."""
    citation: ClassVar[str] = ""
    """Authors, title, venue, year."""
    formula: ClassVar[str] = ""
    """The loss in LaTeX."""
    idea: ClassVar[str] = ""
    """The idea in one paragraph of plain words."""
    cost: ClassVar[str] = ""
    """Passes a step, in multiples of a fine-tuning step."""
    failure: ClassVar[str] = ""
    """How it is known to fail, in one sentence."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """Roles and passes beyond 'forget' that `loss` may read: fields of `Batch`, or 'hidden'."""
    optimizer: ClassVar[Literal["adamw", "sgd"]] = "adamw"
    clip: ClassVar[float | None] = 1.0
    """Global gradient norm after which gradients are scaled down; None leaves them alone."""
    sampling: ClassVar[Literal["without_replacement", "with_replacement", "whole_set"]] = (
        "without_replacement"
    )
    artifact: ClassVar[Literal["weights", "decoder"]] = "weights"
    preferred: ClassVar[Literal["", "refusal", "given", "generated"]] = ""
    """Where the other answers to the forget prompts come from, for methods that read a pass on
    'preferred': refusal, sentences that decline; given, the wrong answers that the examples
    bring along, and generated ones where they bring none; generated, by the original model."""
    copies: ClassVar[int] = 0
    """Copies of the trained weights that the method keeps, a teacher not counted."""
    reports: ClassVar[tuple[Reported, ...]] = ()
    """Words for the curves of `report` and `curves`; charts are drawn in this order."""
    defaults: ClassVar[Defaults]
    dial: ClassVar[Dial] = Dial()
    """What is turned from gentle to strong."""

    def passes(self) -> frozenset[str]:
        """The needs of this very setting: a weight of zero saves its pass."""
        return type(self).needs

    def passes_now(self, state: MethodState) -> frozenset[str]:
        """The needs of the coming step, where a run has phases; never more than `passes`."""
        return self.passes()

    def optimizer_name(self) -> Literal["adamw", "sgd"]:
        """The optimizer of this very setting."""
        return type(self).optimizer

    def momentum_of_sgd(self) -> float:
        """Momentum, for methods whose optimizer is SGD."""
        return 0.0

    def preferred_answers(self) -> int:
        """Other answers to each forget prompt; the steps take them in turn."""
        return 5

    def notices(self) -> list[str]:
        """What the user of this very setting should know before the run, one sentence each."""
        return []

    def focus_marks(self, texts: Sequence[str]) -> list[list[tuple[int, int]]] | None:
        """Stretches (start, end) in characters of each forget text that `Pass.focus_BS` marks.

        None (the default) marks nothing and asks nothing of the tokenizer.

        Raises:
            UserError: nothing to mark, or what finds it is not installed.
        """
        return None

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Already weighted scalar terms whose sum is minimised; keys are the chart's legend."""
        raise TypeError(f"{type(self).__name__} declares no loss")

    def curves(self, batch: Batch) -> dict[str, Tensor]:
        """Curves of its own from the passes of `loss`, without gradient; scalars that, like the
        terms, add up over the micro-batches of a step."""
        return {}

    def prepare(self, setting: Setting) -> MethodState:
        """Once, before the first step: copies, caches, sets."""
        return MethodState()

    def trainable(self, name: str) -> bool:
        """Whether the parameter of that name may move."""
        return True

    def select(self, setting: Setting, state: MethodState) -> Iterable[int] | None:
        """Indices of the forget sequences still in play; None means all, none ends the run.

        Asked more than once a step, so it only reads.
        """
        return None

    gradients: ClassVar[Callable[..., list[Tensor]] | None] = None
    """Combine gradients: `gradients(self, by_term, state)` gets each term's unclipped gradients
    (accumulated over the step, in the order of `Setting.trainable`) and returns the ones to use.
    None (the default) means their sum, with a single backward pass."""

    probed: ClassVar[frozenset[str] | None] = None
    """Roles of text that the probe of `learning_rate` reads; `loss` finds the others to be None.
    None (the default) means all."""

    def before_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """After clipping: gradients may be changed in place."""

    def learning_rate(
        self, setting: Setting, state: MethodState, probe: Callable[[float], dict[str, float]]
    ) -> float | None:
        """This step's learning rate; None keeps the current one.

        `probe(eta)` gives each term's value at weights - eta * gradient and restores the weights;
        `probe(0)` is what the step has found already and costs nothing.
        """
        return None

    def after_step(self, setting: Setting, state: MethodState, clip_coefficient: float) -> None:
        """After the optimizer has moved the student."""

    def stop(self, state: MethodState, scores: Mapping[str, Mapping[str, float]]) -> str | None:
        """The paper's own stopping rule: a sentence to stop with, or None to go on.

        `scores` are the probe's values: metric name to role to value.
        """
        return None

    def watched(self, state: MethodState) -> str:
        """The version that the run looks at between steps and that a snapshot stands for."""
        return "student"

    def report(self, setting: Setting, state: MethodState) -> dict[str, float]:
        """Curves of its own for the live page, after each step."""
        return {}

    def finish(self, setting: Setting, state: MethodState) -> str:
        """Once, after the last step; returns the version that is handed over."""
        return "student"
