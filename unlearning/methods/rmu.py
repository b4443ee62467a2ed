"""RMU: representation misdirection for unlearning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from unlearning.declare import hyperparameter
from unlearning.lazy import torch
from unlearning.methods._dial import Dial
from unlearning.methods.base import Defaults, Method, MethodState, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.models.passes import Batch

BLOCK = re.compile(r"\.(\d+)\.")
"""The number of the transformer block in a parameter's name."""
DOWN = re.compile(r"\.(down_proj|dense_4h_to_h|fc2|w2|mlp\.c_proj)(\.|$)")
"""The second matrix of a block's feed-forward part, as the model families name it."""


def random_direction(width: int, seed: int) -> Tensor:
    """The control vector's direction [width]: uniform in [0, 1), so all positive, normalised."""
    direction_D = torch.rand(width, generator=torch.Generator().manual_seed(seed))
    return direction_D / direction_D.norm()


class RMU(Method):
    """Steer the inner state on the forget text to a fixed random vector; hold it on other text.

    Squared distances of the output of one block, mean over the width, then over the labelled
    tokens of a sequence, then over sequences. The direction u is drawn once per run. The paper,
    for Zephyr-7B: output of block 7 of 32, coefficient 6.5, retain weight 1200, and only the
    `mlp.down_proj` of blocks 5, 6, 7 trained. That coefficient fits that model: how long inner
    states are differs tenfold between models, and the vector has to be longer. So by default the
    coefficient multiplies the length of the original's state at each token, as in adaptive RMU
    (Dang et al., arXiv:2408.06223); with `adaptive` off it is the paper's number. A retain weight
    of 1200 holds a small model so firmly that it does not move at all.
    """

    title = "RMU"
    paper = "https://arxiv.org/abs/2403.03218"
    citation = (
        "Li, Pan, Gopal et al.: The WMDP Benchmark: Measuring and Reducing Malicious Use With "
        "Unlearning. ICML 2024."
    )
    formula = (
        r"\mathcal{L} = \frac{1}{D}\bigl\|h_\ell(x_F) - c\,\|h^{\theta_0}_\ell(x_F)\|\,u\bigr\|^2"
        r" + \alpha\,\frac{1}{D}\bigl\|h_\ell(x_R) - h^{\theta_0}_\ell(x_R)\bigr\|^2"
    )
    idea = (
        "Not the words are changed but what the model thinks on the way to them. Somewhere below "
        "the middle, its inner state on the forget text is driven to one random point, the same "
        "for all such texts, so the layers above find nothing to read. On text to keep the state "
        "is tied to that of the original model. Only three matrices move."
    )
    cost = (
        "2.67 (2.33 with the paper's fixed coefficient): forget and retain batch, and the original "
        "model on both."
    )
    failure = (
        "The disturbance is shallow and clumsy: forget text ends in gibberish, related text "
        "suffers, and a few steps of training on anything bring the knowledge back."
    )
    needs = frozenset({"reference", "retain", "retain_reference", "hidden"})
    defaults = Defaults(steps=100, lora=5e-3, full=1e-3, lora_large=5e-4, full_large=5e-5)
    dial = Dial("coefficient", (0.4, 0.7, 1.0, 1.5, 2.5))

    coefficient: float = hyperparameter(3.0, 0.0, 10000.0)
    """Length of the random vector that the inner state is driven to."""
    adaptive: bool = hyperparameter(True)
    """Whether that length counts in lengths of the original's own state; off is the paper."""
    retain_weight: float = hyperparameter(5.0, 0.0, 100000.0)
    """Weight of keeping the inner state on the text to keep."""
    depth: float = hyperparameter(0.25, 0.01, 1.0)
    """Which block is steered, as a share of the way from the first to the last."""
    blocks: int = hyperparameter(3, 1, 1000)
    """How many blocks are trained: the steered one and those below it."""
    trained: Literal["down", "all"] = hyperparameter("down", advanced=True)
    """Weights of these blocks that move: down is the paper's one matrix a block, all is each."""

    def passes(self) -> frozenset[str]:
        retain = {"retain", "retain_reference"} if self.retain_weight else set()
        return frozenset({"hidden"} | ({"reference"} if self.adaptive else set()) | retain)

    def trainable(self, name: str) -> bool:
        """By kind only: how many blocks there are is not known before `prepare`."""
        inside = BLOCK.search(name) is not None
        return inside and (self.trained == "all" or DOWN.search(name) is not None)

    def prepare(self, setting: Setting) -> MethodState:
        """Draw the direction; freeze the blocks that stay as they are."""
        numbered = [(int(BLOCK.search(name)[1]), weight) for name, weight in setting.trainable()]
        steered = self.layer(1 + max(number for number, _ in numbered))
        for number, weight in numbered:
            weight.requires_grad_(steered - self.blocks <= number < steered)
        direction_D = random_direction(setting.width, setting.seed)
        return MethodState(tensors={"direction": direction_D})

    def layer(self, blocks: int) -> int:
        """How many of a model's blocks have run when its state is steered: at least two, as after
        one a state knows little of its context."""
        return min(blocks, max(2, round(self.depth * blocks)))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        forget, layer = batch.forget, self.layer(batch.forget.blocks)
        direction_D = batch.own.get("direction")
        if direction_D is None:
            direction_D = random_direction(forget.hidden(layer).shape[-1], seed=0)
        goal = self.coefficient * direction_D
        if self.adaptive:
            original_BTD = batch.reference.hidden(layer)
            goal = goal.to(original_BTD) * original_BTD.norm(dim=-1, keepdim=True)
        terms = {"forget": forget.hidden_distance(layer, goal)}
        if self.retain_weight:
            kept = batch.retain.hidden_distance(layer, batch.retain_reference.hidden(layer))
            terms["retain"] = self.retain_weight * kept
        return terms
