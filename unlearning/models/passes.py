"""One forward pass with every quantity the losses need, computed once and only if asked.

The mask (label -100 is ignored) exists here and nowhere else; the shift (position t predicts
token t + 1) and the cast to float32 stand here and in `rows`.

Shape letters: B sequences, T tokens, S = T - 1 predicted tokens, V vocabulary, D hidden width,
N tokens of one chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from unlearning.models import per_token
from unlearning.models.rows import CHUNK_TOKENS, Chunked, Head, Whole, exact

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Share:
    """Size of the whole step that a micro-batch belongs to.

    Means divide by these, so that the losses of the micro-batches of a step simply add up to
    the loss of the step as one batch, whatever the lengths.
    """

    tokens: int
    """Counted tokens of this role in the whole step."""
    sequences: int


class Pass:
    """Logits and labels of one batch; properties are lazy and keep the autograd graph.

    Build with logits of shape [B, T, V], or with `from_hidden` from the last hidden states
    [B, T, D] and the output layer: then logits exist one chunk at a time, forward and backward
    (recomputed), and the same reductions hold. Labels are [B, T] with -100 where ignored.
    """

    def __init__(
        self,
        logits_BTV: Tensor,
        labels_BT: Tensor,
        hidden_states: Sequence[Tensor] | None = None,
        share: Share | None = None,
        focus_BT: Tensor | None = None,
    ) -> None:
        self.labels_BT = labels_BT
        self._rows = Whole(logits_BTV)
        self._hidden_states = hidden_states
        self._share = share
        self._focus_BT = focus_BT

    @classmethod
    def from_hidden(
        cls,
        hidden_BTD: Tensor,
        head: Head,
        labels_BT: Tensor,
        hidden_states: Sequence[Tensor] | None = None,
        share: Share | None = None,
        chunk: int = CHUNK_TOKENS,
        focus_BT: Tensor | None = None,
    ) -> Pass:
        """A pass that never holds more than `chunk` rows of logits."""
        made = cls.__new__(cls)
        made.labels_BT = labels_BT
        made._rows = Chunked(hidden_BTD, head, chunk)
        made._hidden_states = hidden_states
        made._share = share
        made._focus_BT = focus_BT
        return made

    @cached_property
    def counted_BS(self) -> Tensor:
        """1.0 where the predicted token has a label, else 0.0."""
        return self.labels_BT[:, 1:].ne(IGNORED).to(self._rows.dtype)

    @cached_property
    def target_BS(self) -> Tensor:
        """Predicted token ids; 0 where ignored, so that they never index from the end."""
        return self.labels_BT[:, 1:].clamp(min=0)

    @cached_property
    def focus_BS(self) -> Tensor:
        """1.0 where the predicted token is one that the method focuses on, else 0.0."""
        if self._focus_BT is None:
            return torch.zeros_like(self.counted_BS)
        return self._focus_BT[:, 1:].to(self.counted_BS)

    @cached_property
    def logp_BS(self) -> Tensor:
        """Log-probability of each target token, natural log; 0 where ignored."""
        return self._per_token(per_token.target_logp)

    @property
    def logp_B(self) -> Tensor:
        """Log-probability of each sequence: the sum over its counted tokens."""
        return self.logp_BS.sum(dim=1)

    @property
    def length_B(self) -> Tensor:
        """Counted tokens of each sequence."""
        return self.counted_BS.sum(dim=1)

    @property
    def nll(self) -> Tensor:
        """Negative log-likelihood in nats, mean over the counted tokens of the batch."""
        return -self.mean(self.logp_BS)

    @property
    def p_BS(self) -> Tensor:
        """Probability of each target token; 1 where ignored."""
        return self.logp_BS.exp()

    @cached_property
    def log_unlikelihood_BS(self) -> Tensor:
        """log(1 - p) of each target token, exact also where p rounds to 1; 0 where ignored."""
        return self._per_token(per_token.target_log_unlikelihood)

    def mean(self, values_BS: Tensor) -> Tensor:
        """Mean of per-token values over the counted tokens of the step; 0 if there are none."""
        total = (values_BS * self.counted_BS).sum()
        if self._share is not None:
            return total / max(self._share.tokens, 1)
        return total / self.counted_BS.sum().clamp(min=1)

    def mean_over_sequences(self, values_B: Tensor) -> Tensor:
        """Mean of per-sequence values over the sequences of the step."""
        return values_B.sum() / (self._share.sequences if self._share else len(values_B))

    def kl(self, reference: Pass) -> Tensor:
        """KL(reference || this) over the whole vocabulary, nats, mean over counted tokens."""
        return self.mean(self._per_token(per_token.kl, reference))

    def quadratic_kl(self, reference: Pass) -> Tensor:
        """Half the variance of the logit difference under the reference: KL to second order."""
        return self.mean(self._per_token(per_token.quadratic_kl, reference))

    def cross_entropy_to_lowered(
        self, reference: Pass, strength: float, weight_BS: Tensor | None = None
    ) -> Tensor:
        """Soft cross-entropy to the reference with the target's logit lowered by `strength`.

        Nats, mean over counted tokens; `weight_BS` multiplies each token's, not the divisor.
        """

        def each(logits_NV: Tensor, target_N: Tensor, reference_NV: Tensor) -> Tensor:
            lowered_NV = reference_NV.scatter_add(
                -1,
                target_N[:, None],
                torch.full_like(reference_NV[:, :1], -strength),
            )
            return per_token.soft_cross_entropy(logits_NV, lowered_NV)

        values_BS = self._per_token(each, reference)
        return self.mean(values_BS if weight_BS is None else weight_BS * values_BS)

    def cross_entropy_to_generic(
        self, reference: Pass, reinforced: Pass, strength: float, hard: bool
    ) -> Tensor:
        """Cross-entropy to generic predictions v = z - strength * ReLU(z_reinforced - z).

        z are the reference's logits; tokens that a model trained further on the text likes
        better lose by that. Labels are argmax v (`hard`) or softmax(v); nats, mean over counted
        tokens (Eldan & Russinovich, arXiv:2310.02238, equation 1).
        """

        def each(logits_NV: Tensor, _: Tensor, base_NV: Tensor, more_NV: Tensor) -> Tensor:
            generic_NV = base_NV - strength * (more_NV - base_NV).relu()
            if hard:
                return F.cross_entropy(logits_NV, generic_NV.argmax(-1), reduction="none")
            return per_token.soft_cross_entropy(logits_NV, generic_NV)

        return self.mean(self._per_token(each, reference, reinforced))

    @property
    def cross_entropy_to_rest(self) -> Tensor:
        """Cross-entropy to the pass's own distribution without the target, which is held constant;
        nats, mean over counted tokens."""
        return self.mean(self._per_token(per_token.cross_entropy_to_rest))

    @cached_property
    def lead_BS(self) -> Tensor:
        """Highest logit minus the mean logit, at least 0; 0 where ignored."""
        return self._per_token(per_token.lead)

    def without_first(self) -> Pass:
        """The same pass without the first counted token of each sequence."""
        counted_BS = self.labels_BT[:, 1:].ne(IGNORED)
        first_BS = counted_BS & counted_BS.cumsum(dim=1).eq(1)
        labels_BT = self.labels_BT.clone()
        labels_BT[:, 1:].masked_fill_(first_BS, IGNORED)
        made = type(self).__new__(type(self))
        made.labels_BT = labels_BT
        made._rows, made._hidden_states = self._rows, self._hidden_states
        share = self._share
        made._share = share and Share(share.tokens - share.sequences, share.sequences)
        made._focus_BT = self._focus_BT
        return made

    def soft_cross_entropy(self, reference: Pass) -> Tensor:
        """Cross-entropy to the reference's distribution, nats, mean over counted tokens."""

        def each(logits_NV: Tensor, _: Tensor, reference_NV: Tensor) -> Tensor:
            return per_token.soft_cross_entropy(logits_NV, reference_NV)

        return self.mean(self._per_token(each, reference))

    def hidden(self, layer: int) -> Tensor:
        """Hidden states [B, T, D] after `layer` (0 = embeddings); needs 'hidden' in `needs`."""
        if self._hidden_states is None:
            raise ValueError("this pass kept no hidden states; declare 'hidden' in needs")
        return self._hidden_states[layer]

    @property
    def blocks(self) -> int:
        """Transformer blocks of the model; `hidden(blocks)` is the last state, which most families
        normalise. Needs 'hidden' in `needs`."""
        self.hidden(0)
        return len(self._hidden_states) - 1

    def hidden_distance(self, layer: int, target: Tensor) -> Tensor:
        """Squared distance of the hidden states from `target` ([B, T, D] or [D]), a constant.

        Mean over the width, over the labelled tokens of a sequence (their own states: nothing is
        shifted), then over the sequences of the step.
        """
        hidden_BTD = exact(self.hidden(layer))
        apart_BT = (hidden_BTD - target.detach().to(hidden_BTD)).square().mean(dim=-1)
        labelled_BT = self.labels_BT.ne(IGNORED)
        total_B = torch.where(labelled_BT, apart_BT, 0).sum(dim=1)
        return self.mean_over_sequences(total_B / labelled_BT.sum(dim=1).clamp(min=1))

    def _per_token(self, function: Callable[..., Tensor], *others: Pass) -> Tensor:
        """Apply `function(logits_NV, target_N, *other_logits_NV) -> N` to counted tokens only."""
        counted = self.counted_BS.bool()
        index_N = counted.flatten().nonzero().squeeze(-1)
        target_N = self.target_BS.flatten()[index_N]
        values_N = self._rows.apply(function, index_N, target_N, [o._rows for o in others])
        flat = torch.zeros(counted.numel(), dtype=values_N.dtype, device=values_N.device)
        return flat.index_put((index_N,), values_N).view(counted.shape)


@dataclass(frozen=True)
class Batch:
    """The passes of one step by role; a method reads the ones it declared in `needs`."""

    forget: Pass | None = None
    retain: Pass | None = None
    generic: Pass | None = None
    analogous: Pass | None = None
    reference: Pass | None = None
    """The reference model on the forget text."""
    retain_reference: Pass | None = None
    generic_reference: Pass | None = None
    analogous_reference: Pass | None = None
    preferred: Pass | None = None
    preferred_reference: Pass | None = None
    teacher: Pass | None = None
    """The moving teacher on the forget text."""
    generic_teacher: Pass | None = None
    retain_teacher: Pass | None = None
    reinforced: Pass | None = None
    """A model trained further on the forget text, on that text; None until there is one."""
    own: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors of the method's own state by name, such as a direction drawn once."""
