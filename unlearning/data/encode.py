"""From examples to tokens: answer masks, the token boundary, windows, padding."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from unlearning.data.base import Example
from unlearning.data.marks import Mark, touching
from unlearning.data.templates import Written, write, write_question
from unlearning.errors import UserError
from unlearning.metrics.base import PREFIX_TOKENS

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Encoded:
    """One token sequence. Position 0 is the beginning-of-text token where there is one."""

    ids: tuple[int, ...]
    labels_from: int
    """Index of the first token that is trained on (never 0)."""
    scored_from: int
    """Index of the first token that is scored: the answer's first; passages: after the prefix."""
    ends: bool
    """Whether the last token is an end-of-text token that was appended (trained, not scored)."""
    example: int
    """Index of the example it came from."""
    focused: tuple[int, ...] = ()
    """Indices of the tokens that touch a marked stretch of the text, ascending."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A padded batch. Right-padded; labels are -100 where ignored."""

    ids_BT: Tensor
    attention_BT: Tensor
    labels_BT: Tensor
    focus_BT: Tensor | None = None
    """True at focused tokens."""


def encode(
    examples: Sequence[Example],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int,
    notices: list[str] | None = None,
    marks: Sequence[Sequence[Mark]] | None = None,
) -> list[Encoded]:
    """Token sequences of at most `max_length` tokens, in the order of the examples.

    Passages that are longer are cut into windows of even length; a line about it is added to
    `notices`. Answers are never cut. `marks` are stretches (start, end), in characters, of each
    example's target; tokens that touch one become `Encoded.focused`.

    Raises:
        UserError: a question with its answer is too long, an example has nothing to train on, or
            marks are given and the tokenizer does not tell where its tokens stand.
    """
    written = [write(example, tokenizer) for example in examples]
    ids = _tokenise([w.prompt for w in written] + [w.whole for w in written], tokenizer)
    frame = _Frame(_begin(tokenizer), _end(tokenizer), max_length)
    encoded: list[Encoded] = []
    cut: list[int] = []
    for index, (example, text) in enumerate(zip(examples, written, strict=True)):
        prompt, whole = ids[index], ids[len(written) + index]
        if not example.target.strip():
            raise _nothing_to_train(example)
        touched: Collection[int] = ()
        if marks is not None:
            touched = touching(
                text.whole, example.target, len(text.prompt), marks[index], tokenizer
            )
        if example.kind == "passage":
            windows = list(frame.windows(whole, index, touched))
            cut += [len(windows)] if len(windows) > 1 else []
        else:
            windows = [frame.answer(example, index, text, prompt, whole, touched)]
        if windows[0].labels_from >= len(windows[0].ids) - windows[0].ends:
            raise _nothing_to_train(example)
        encoded += windows
    if cut and notices is not None:
        notices.append(
            f"{len(cut)} passage(s) longer than {max_length} tokens were cut into {sum(cut)} "
            "windows."
        )
    return encoded


def collate(
    batch: Sequence[Encoded],
    pad_id: int,
    *,
    multiple_of: int = 16,
    device: torch.device | str | None = None,
) -> Tokens:
    """Right-pad sequences to int64 tensors [B, T]; T is rounded up to a multiple."""
    import torch  # noqa: PLC0415 (sources and parsers must work where torch is absent)

    longest = max(len(item.ids) for item in batch)
    width = -(-longest // multiple_of) * multiple_of
    ids_BT = torch.full((len(batch), width), pad_id, dtype=torch.int64)
    attention_BT = torch.zeros_like(ids_BT)
    labels_BT = torch.full_like(ids_BT, -100)
    focus_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    for row, item in enumerate(batch):
        length = len(item.ids)
        ids_BT[row, :length] = torch.tensor(item.ids)
        attention_BT[row, :length] = 1
        labels_BT[row, item.labels_from : length] = ids_BT[row, item.labels_from : length]
        focus_BT[row, list(item.focused)] = True
    made = (ids_BT, attention_BT, labels_BT, focus_BT)
    return Tokens(*(tensor.to(device) for tensor in made))


def prompt_ids(
    prompt: str, tokenizer: PreTrainedTokenizerBase, *, kind: Literal["text", "question"]
) -> list[int]:
    """A prompt as the model is to continue it: bare text, or a question in the model's form.

    Spaces at the end of a text are left out: most tokenizers put them into the next word, and
    a model that is given a lone space continues badly.

    Raises:
        UserError: the prompt is empty.
    """
    if not prompt.strip():
        raise UserError("The prompt is empty.", "Write the beginning of a text, or a question.")
    if kind == "question":
        text, begins = write_question(prompt.strip(), tokenizer)
    else:
        text, begins = prompt.rstrip(" "), True
    return [*(_begin(tokenizer) if begins else []), *_tokenise([text], tokenizer)[0]]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What goes around a text's own tokens, and how much fits."""

    begin: list[int]
    end: list[int]
    max_length: int

    def windows(
        self, whole: list[int], index: int, touched: Collection[int] = ()
    ) -> Iterator[Encoded]:
        """A passage in windows whose lengths differ by at most one token."""
        count = 1
        if len(self.begin) + len(whole) + len(self.end) > self.max_length:
            # A window has one token before its own: BOS, or the last of the window before.
            count = -(-len(whole) // (self.max_length - 1 - len(self.end)))
        edges = [len(whole) * i // count for i in range(count + 1)]
        for start, stop in pairwise(edges):
            lead = self.begin or whole[max(start - 1, 0) : start]
            last = stop == len(whole)
            length = stop - start
            prefix = PREFIX_TOKENS if length >= 2 * PREFIX_TOKENS else max(1, length // 2)
            yield Encoded(
                ids=(*lead, *whole[start:stop], *(self.end if last else ())),
                labels_from=1,
                scored_from=len(lead) + prefix,
                ends=last and bool(self.end),
                example=index,
                focused=tuple(len(lead) + i - start for i in range(start, stop) if i in touched),
            )

    def answer(
        self,
        example: Example,
        index: int,
        text: Written,
        prompt: list[int],
        whole: list[int],
        touched: Collection[int] = (),
    ) -> Encoded:
        """A question or chat with its answer, never cut."""
        begin = self.begin if text.begins else []
        end = [] if text.closed else self.end
        ids = (*begin, *whole, *end)
        if len(ids) > self.max_length:
            raise UserError(
                f"Example {example.id!r} has {len(ids)} tokens, but the limit is "
                f"{self.max_length}, and an answer is never cut.",
                f"Raise max_length to {len(ids)} or more if the model allows it, or shorten or "
                "leave out this example.",
            )
        # A merge across the boundary makes prompt and whole differ before the prompt's end; from
        # there on everything counts as answer, so that no character of it goes unlabelled.
        first = max(1, len(begin) + _shared(prompt, whole))
        return Encoded(
            ids=ids,
            labels_from=first,
            scored_from=first,
            ends=text.closed or bool(end),
            example=index,
            focused=tuple(len(begin) + i for i in sorted(touched)),
        )


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _tokenise(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    if not texts:
        return []
    # verbose=False: texts longer than the model's context are cut here, not there.
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]


def _begin(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]


def _end(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]


def _nothing_to_train(example: Example) -> UserError:
    return UserError(
        f"Example {example.id!r} leaves no token to train on.",
        "Give it more text, or leave it out.",
    )
