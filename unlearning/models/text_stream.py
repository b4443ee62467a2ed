"""Tokens to text, one token at a time, without ever taking a character back."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

LEAD_TOKENS = 4
"""Tokens of the prompt that are decoded along: some tokenizers strip a leading space."""
UNFINISHED = "\ufffd"
HELD = 3
"""A character of up to four bytes may lack this many of its tokens."""


class TextStream:
    """The text of one growing answer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt_ids: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ids = list(prompt_ids[-LEAD_TOKENS:])
        self._said = len(self._decode())

    def add(self, token: int) -> str:
        """Text that this token completes; the bytes of an unfinished character wait."""
        self._ids.append(token)
        text = self._decode()
        finished = text.rstrip(UNFINISHED)
        # A longer tail than one character can leave is no character at all.
        finished += UNFINISHED * max(0, len(text) - len(finished) - HELD)
        return self._take(finished)

    def rest(self) -> str:
        """What still waits, when the answer has ended."""
        return self._take(self._decode())

    def _take(self, text: str) -> str:
        new = text[self._said :]
        self._said = max(self._said, len(text))
        return new

    def _decode(self) -> str:
        return self._tokenizer.decode(
            self._ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
