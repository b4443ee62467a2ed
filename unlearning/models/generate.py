"""Greedy and sampled generation, token by token, several versions side by side.

The models' own generation settings are ignored: what is asked for here is all that counts.
Nothing is drawn from the global random generators, and between two tokens the model is in the
state in which it was found, so that a run can train on while somebody reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import Cache

from unlearning.errors import UserError
from unlearning.models.base import Versions
from unlearning.models.sampling import GumbelNoise, nucleus
from unlearning.models.text_stream import TextStream

TOP = 5

Banned = Callable[[int, Sequence[int]], Collection[int]]
"""Tokens that a row may not take next, from the row's index and what it has written so far."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the most likely tokens at a place."""

    token: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of one answer."""

    row: int
    """Index into the prompts."""
    side: int
    """Index into the sides."""
    token: int
    text: str
    """Text to append; may be empty while a character is unfinished."""
    probability: float | None = None
    """Probability that this version gave to the token, at temperature 1; where asked for."""
    top: tuple[Candidate, ...] = ()
    """The most likely tokens here, most likely first; where asked for."""


def generate(
    versions: Versions,
    prompts_ids: Sequence[Sequence[int]],
    sides: Sequence[str],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
    probabilities: bool = False,
    banned: Banned | None = None,
) -> Iterator[list[Piece]]:
    """Continue every prompt with every side; yields the new pieces after each token.

    `sides` are versions. Temperature 0 is greedy. All sides share their random noise, so that
    equal distributions give equal texts. End-of-text ends a row and is no piece; so does the
    model's context length, and so do logits that are not numbers. Tokens that `banned` names are
    never chosen; probabilities are told as if it were not there.

    Raises:
        UserError: a prompt is empty or longer than the model's context.
    """
    for ids in prompts_ids:
        _check_prompt(ids, versions.context_length)
    groups = [
        _Group(versions, prompts_ids, sides, members, probabilities, banned)
        for members in versions.groups(list(sides))
    ]
    noise = GumbelNoise(seed, len(prompts_ids), versions.vocabulary) if temperature > 0 else None
    for left in reversed(range(max_new_tokens)):
        noise_RV = noise.draw() if noise is not None else None
        pieces: list[Piece] = []
        for group in groups:
            if stop():
                return
            pieces += group.advance(temperature, top_p, noise_RV, last=left == 0)
        if pieces:
            yield pieces
        if all(group.ended for group in groups):
            return


def end_tokens(versions: Versions) -> frozenset[int]:
    """Tokens that end a text: the tokenizer's, and those that the model itself names."""
    model = versions.loaded.model
    found = [versions.tokenizer.eos_token_id, model.config.eos_token_id]
    if model.generation_config is not None:
        found.append(model.generation_config.eos_token_id)
    flat = [i for item in found for i in (item if isinstance(item, list) else [item])]
    return frozenset(i for i in flat if i is not None)


class _Group:
    """Rows of one batch: every prompt for each of its sides, left-padded, with one cache."""

    def __init__(
        self,
        versions: Versions,
        prompts_ids: Sequence[Sequence[int]],
        sides: Sequence[str],
        members: Sequence[int],
        probabilities: bool,
        banned: Banned | None,
    ) -> None:
        self._versions, self._tokenizer = versions, versions.tokenizer
        self._probabilities, self._banned = probabilities, banned
        self._ends = end_tokens(versions)
        self._places = [(row, side) for side in members for row in range(len(prompts_ids))]
        self._names = [sides[side] for _, side in self._places]
        rows = [prompts_ids[row] for row, _ in self._places]
        self._room = [versions.context_length - len(ids) for ids in rows]
        self._texts = [TextStream(self._tokenizer, ids) for ids in rows]
        self._live = [room > 0 for room in self._room]
        self._written: list[list[int]] = [[] for _ in rows]
        self._cache: Cache | None = None
        self._ids_BT, self._attention_BT = _left_padded(rows, versions.device)
        self._accepted = accepted_inputs(versions)

    @property
    def ended(self) -> bool:
        """Whether no row goes on."""
        return not any(self._live)

    def advance(
        self, temperature: float, top_p: float, noise_RV: Tensor | None, *, last: bool
    ) -> list[Piece]:
        """One token for every row that goes on."""
        if self.ended:
            return []
        logits_BV = self._forward()
        chosen_B = self._choose(self._allowed(logits_BV), temperature, top_p, noise_RV)
        logp_BV = logits_BV.log_softmax(-1) if self._probabilities else None
        pieces = [
            piece
            for b, token in enumerate(chosen_B.tolist())
            if (piece := self._take(b, token, logp_BV, last)) is not None
        ]
        self._ids_BT = chosen_B[:, None]
        self._attention_BT = torch.cat(
            [self._attention_BT, torch.ones_like(self._attention_BT[:, :1])], dim=1
        )
        return pieces

    def _forward(self) -> Tensor:
        """Logits [B, V] of the next token, float32 or better."""
        # Rows that have ended are fed on beside the others: never beyond the last position.
        most = self._versions.context_length - 1
        position_BT = (self._attention_BT.cumsum(1) - 1).clamp(0, most)
        helpful = {
            "position_ids": position_BT[:, -self._ids_BT.shape[1] :],
            "logits_to_keep": 1,
        }
        out = self._versions.call(
            self._names,
            input_ids=self._ids_BT,
            attention_mask=self._attention_BT,
            past_key_values=self._cache,
            use_cache=True,
            **{name: value for name, value in helpful.items() if name in self._accepted},
        )
        self._cache = out.past_key_values
        logits_BV = out.logits[:, -1].to(self._versions.device)
        return logits_BV if logits_BV.dtype == torch.float64 else logits_BV.float()

    def _allowed(self, logits_BV: Tensor) -> Tensor:
        """Logits with the banned tokens of every row at -infinity."""
        if self._banned is None:
            return logits_BV
        allowed_BV = logits_BV.clone()
        for b, (row, _) in enumerate(self._places):
            if self._live[b]:
                allowed_BV[b, list(self._banned(row, self._written[b]))] = float("-inf")
        return allowed_BV

    def _choose(
        self, logits_BV: Tensor, temperature: float, top_p: float, noise_RV: Tensor | None
    ) -> Tensor:
        broken_B = logits_BV.isnan().any(-1)
        for b in broken_B.nonzero().flatten().tolist():
            self._live[b] = False
        if noise_RV is None:
            return logits_BV.argmax(-1)
        scaled_BV = nucleus(logits_BV / temperature, top_p)
        rows_B = torch.tensor([row for row, _ in self._places])
        return (scaled_BV + noise_RV[rows_B].to(scaled_BV)).argmax(-1)

    def _take(self, b: int, token: int, logp_BV: Tensor | None, last: bool) -> Piece | None:
        if self._live[b] and token in self._ends:
            self._live[b] = False
        if not self._live[b]:
            return None
        row, side = self._places[b]
        self._written[b].append(token)
        text = self._texts[b].add(token)
        self._room[b] -= 1
        self._live[b] = self._room[b] > 0
        if last or not self._live[b]:
            text += self._texts[b].rest()
        if logp_BV is None:
            return Piece(row, side, token, text)
        return Piece(
            row, side, token, text, logp_BV[b, token].exp().item(), self._candidates(logp_BV[b])
        )

    def _candidates(self, logp_V: Tensor) -> tuple[Candidate, ...]:
        values, tokens = logp_V.topk(min(TOP, len(logp_V)))
        return tuple(
            Candidate(token, self._tokenizer.decode([token]), value)
            for token, value in zip(tokens.tolist(), values.exp().tolist(), strict=True)
        )


def accepted_inputs(versions: Versions) -> frozenset[str]:
    """Names that the model's forward knows; some place tokens by the mask alone, for instance."""
    return frozenset(inspect.signature(versions.loaded.model.forward).parameters)


def _left_padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and attention [B, T]; all answers start in the same column."""
    width = max((len(ids) for ids in rows), default=0)
    ids_BT = torch.zeros(len(rows), width, dtype=torch.int64)
    attention_BT = torch.zeros_like(ids_BT)
    for b, ids in enumerate(rows):
        ids_BT[b, width - len(ids) :] = torch.tensor(list(ids))
        attention_BT[b, width - len(ids) :] = 1
    return ids_BT.to(device), attention_BT.to(device)


def _check_prompt(ids: Sequence[int], limit: int) -> None:
    if not ids:
        raise UserError("The prompt is empty.", "Write the beginning of a text.")
    if len(ids) >= limit:
        raise UserError(
            f"The prompt has {len(ids)} tokens, but the model reads at most {limit}.",
            "Shorten the prompt.",
        )
