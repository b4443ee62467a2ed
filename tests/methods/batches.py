"""Batches without a model: a pass is made of logits, whole or through hidden states."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from unlearning.models.passes import Batch, Pass

VOCABULARY, TOKENS, WIDTH = 11, 7, 5

PASSES = frozenset(Batch.__dataclass_fields__) - {"own"}
"""Fields of a batch that hold a pass."""

LABELS_BT = torch.tensor([[-100, -100, 3, 5, 1, 10, 4], [-100, 2, 9, -100, -100, -100, -100]])
"""Two sequences, with answers of five and two tokens."""

MakePass = Callable[[Tensor, Tensor], Pass]


def random_logits(seed: int) -> Tensor:
    """Logits [2, 7, 11] for `LABELS_BT`, float64."""
    generator = torch.Generator().manual_seed(seed)
    shape = (len(LABELS_BT), TOKENS, VOCABULARY)
    return 2 * torch.randn(shape, generator=generator, dtype=torch.float64)


def whole(logits_BTV: Tensor, labels_BT: Tensor) -> Pass:
    return Pass(logits_BTV, labels_BT)


def chunked(logits_BTV: Tensor, labels_BT: Tensor) -> Pass:
    """Logits as hidden states of an identity head, in chunks that divide nothing evenly."""
    return Pass.from_hidden(logits_BTV, lambda logits: logits, labels_BT, chunk=5)


MAKERS = [whole, chunked]


class Recorded(Batch):
    """A batch that remembers which of its passes were read."""

    def __getattribute__(self, name: str) -> object:
        if name in PASSES:
            vars(self).setdefault("read", set()).add(name)
        return super().__getattribute__(name)


class Leaves:
    """A tensor of hidden states for each role, all passes made from them by one output layer.

    The forget text is memorised; a pass of a frozen model starts equal to the student's pass on
    the same text, as it does at the first step of a run.
    """

    def __init__(self, roles: frozenset[str]) -> None:
        generator = torch.Generator().manual_seed(0)
        self.head_DV = torch.randn(WIDTH, VOCABULARY, generator=generator, dtype=torch.float64)
        texts = {}
        for text in ("forget", "retain", "generic", "analogous", "preferred"):
            noise = torch.randn(*LABELS_BT.shape, WIDTH, generator=generator, dtype=torch.float64)
            towards = self.head_DV.T[LABELS_BT.roll(-1, dims=1).clamp(min=0)]
            texts[text] = 0.5 * noise + (0.8 * towards if text == "forget" else 0)
        self.hidden_BTD = {
            role: texts[_text_of(role)].clone().requires_grad_() for role in roles | {"forget"}
        }

    def one(self, role: str) -> Pass:
        hidden_BTD = self.hidden_BTD[role]
        return Pass(hidden_BTD @ self.head_DV, LABELS_BT, hidden_states=[hidden_BTD] * 4)

    def batch(self) -> Recorded:
        return Recorded(**{role: self.one(role) for role in self.hidden_BTD})


def _text_of(role: str) -> str:
    text = role.removesuffix("_reference").removesuffix("_teacher")
    return "forget" if text in ("reference", "teacher", "reinforced") else text


def is_frozen(role: str) -> bool:
    """Whether the pass of that role is another model's, which must not be trained."""
    return role.endswith(("reference", "teacher", "reinforced"))
