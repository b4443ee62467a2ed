"""One forward pass of a causal language model: whole logits, or hidden states and the head.

Large vocabularies make whole logits the biggest tensor of a run, so they are only built where
they are small. Shape letters as in `passes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Module
from transformers import Cache, PreTrainedModel

from unlearning.models.passes import Pass, Share
from unlearning.models.rows import CHUNK_TOKENS, Head

LOGITS_BYTES = 64 * 2**20
"""Logits of float32 above this size are never held whole."""
LEAST_CHUNK = 32
PROBE_TOKENS = 4


@dataclass(frozen=True)
class Outputs:
    """What the model gave for a batch: `logits_BTV`, or `hidden_BTD` with the head to apply."""

    logits_BTV: Tensor | None
    hidden_BTD: Tensor | None
    head: Head | None
    hidden_states: Sequence[Tensor] | None
    cache: Cache | None
    chunk: int
    """Rows of logits that may be held at a time."""

    def as_pass(
        self, labels_BT: Tensor, share: Share | None, focus_BT: Tensor | None = None
    ) -> Pass:
        """The same as a `Pass` over labels [B, T]."""
        if self.logits_BTV is not None:
            labels_BT = labels_BT.to(self.logits_BTV.device)
            return Pass(self.logits_BTV, labels_BT, self.hidden_states, share, focus_BT)
        labels_BT = labels_BT.to(self.hidden_BTD.device)
        return Pass.from_hidden(
            self.hidden_BTD, self.head, labels_BT, self.hidden_states, share, self.chunk, focus_BT
        )

    def rows(self, index_N: Tensor) -> Tensor:
        """Float32 logits [N, V] at indices into the flattened [B * T]; at most `chunk` of them."""
        source = self.logits_BTV if self.logits_BTV is not None else self.hidden_BTD
        rows = source.reshape(-1, source.shape[-1])[index_N.to(source.device)]
        logits_NV = rows if self.logits_BTV is not None else self.head(rows)
        return logits_NV if logits_NV.dtype == torch.float64 else logits_NV.float()

    def reduce(self, index_N: Tensor, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """`function(logits_nV, place_n) -> [n, ...]` over chunks of the rows; [N, ...].

        `place_n` are the positions within `index_N`.
        """
        place_N = torch.arange(len(index_N))
        parts = [
            function(self.rows(index_N[place_n]), place_n) for place_n in place_N.split(self.chunk)
        ]
        return torch.cat(parts)


def vocabulary(model: PreTrainedModel) -> int:
    """Rows of the output layer."""
    return model.get_output_embeddings().weight.shape[0]


def separate_head(model: PreTrainedModel) -> Head | None:
    """The function from last hidden states to logits, or None where that is not all there is.

    Some families cap or scale after the output layer. Caps are known; for anything else the
    answer is settled by comparing with the model's own forward on a few tokens.
    """
    head = _head(model)
    device = next(model.parameters()).device
    ids_BT = torch.arange(PROBE_TOKENS, device=device)[None] % vocabulary(model)
    with torch.no_grad():
        whole = model(input_ids=ids_BT, use_cache=False).logits
        split = head(_backbone(model)(input_ids=ids_BT, use_cache=False).last_hidden_state)
    same = whole.shape == split.shape and torch.allclose(whole.float(), split.float(), atol=1e-4)
    return head if same else None


def run_model(
    model: PreTrainedModel,
    inputs: dict[str, Tensor],
    *,
    separable: bool,
    hidden: bool = False,
    use_cache: bool = False,
) -> Outputs:
    """Run `model` on `input_ids` and `attention_mask` [B, T], by whichever way is smaller."""
    size = inputs["input_ids"].numel() * vocabulary(model) * 4
    chunk = min(CHUNK_TOKENS, max(LEAST_CHUNK, LOGITS_BYTES // (4 * vocabulary(model))))
    options = {"use_cache": use_cache, "output_hidden_states": hidden}
    if size <= LOGITS_BYTES or not separable:
        out = model(**inputs, **options)
        return Outputs(out.logits, None, None, out.hidden_states, out.past_key_values, chunk)
    out = _backbone(model)(**inputs, **options)
    return Outputs(
        None, out.last_hidden_state, _head(model), out.hidden_states, out.past_key_values, chunk
    )


def _backbone(model: PreTrainedModel) -> Module:
    return getattr(model, model.base_model_prefix)


def _head(model: PreTrainedModel) -> Head:
    layer = model.get_output_embeddings()
    cap = getattr(model.config.get_text_config(), "final_logit_softcapping", None)
    if cap is None:
        return layer

    def capped(hidden: Tensor) -> Tensor:
        return torch.tanh(layer(hidden) / cap) * cap

    return capped
