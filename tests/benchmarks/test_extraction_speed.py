"""Extraction likelihood: the fast way against generating after every prefix, in CPU time.

Ratios within one run, so that they hold on any machine; the figures are printed (pytest -s).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
import torch

from unlearning.data.encode import Encoded, encode
from unlearning.data.sources import load as load_texts
from unlearning.metrics.extraction_likelihood import ExtractionLikelihood, likelihood
from unlearning.models.base import REFERENCE
from unlearning.models.evidence import gather
from unlearning.models.load import load
from unlearning.models.versions import open_versions

N = 10
TOKENS = 72
"""Tokens of a passage that are read."""


@pytest.fixture(scope="module")
def opened():
    """The embedded model and its versions."""
    loaded = load("demo", device="cpu")
    return loaded, open_versions(loaded, lora_rank=1)


def passages(loaded, split: str, count: int) -> tuple[list, list[Encoded]]:
    """The first passages of a split, cut short: the naive way takes seconds for each."""
    examples = [e for e in load_texts(f"preset:world/{split}") if e.kind == "passage"]
    encoded = encode(examples, loaded.tokenizer, max_length=TOKENS)
    firsts = {item.example: item for item in reversed(encoded)}
    return examples, [firsts[place] for place in range(count)]


def cpu_seconds(act: Callable[[], float]) -> tuple[float, float]:
    """What it gave, and the CPU time it took."""
    begun = time.process_time()
    found = act()
    return found, time.process_time() - begun


def fast(loaded, versions, examples, encoded) -> float:
    """The metric as it is."""
    evidence = gather(versions, REFERENCE, "forget", examples, encoded, loaded.tokenizer)
    return ExtractionLikelihood(n=N).score(evidence).value


def naive(loaded, encoded: Sequence[Encoded], batched: bool, n: int = N) -> float:
    """Generation with a KV cache after every prefix: one at a time, or all of a text at once."""
    values = []
    for item in encoded:
        ids = item.ids[: len(item.ids) - item.ends]
        prefixes = list(range(item.scored_from, len(ids) - n + 1))
        rows = [prefixes] if batched else [[prefix] for prefix in prefixes]
        found: dict[int, list[int]] = {}
        for row in rows:
            found |= zip(row, generated(loaded, [ids[:p] for p in row], len(ids)), strict=True)
        cut = {p: said[: len(ids) - p] for p, said in found.items()}
        values.append(likelihood(ids, cut, n))
    return sum(values) / len(values)


def generated(loaded, prompts: Sequence[Sequence[int]], length: int) -> list[list[int]]:
    """Greedy continuations up to `length` tokens in all, by transformers' own generation."""
    width, end = max(map(len, prompts)), loaded.tokenizer.eos_token_id
    ids_BT = torch.full((len(prompts), width), end)
    attention_BT = torch.zeros_like(ids_BT)
    for row, prompt in enumerate(prompts):
        ids_BT[row, width - len(prompt) :] = torch.tensor(prompt)
        attention_BT[row, width - len(prompt) :] = 1
    out_BT = loaded.model.generate(
        ids_BT,
        attention_mask=attention_BT,
        max_new_tokens=length - min(map(len, prompts)),
        do_sample=False,
        pad_token_id=end,
    )
    said = [row[width:].tolist() for row in out_BT]
    return [one[: one.index(end)] if end in one else one for one in said]


@pytest.mark.parametrize(
    ("split", "texts", "least"),
    [("retain", 2, 100), ("holdout", 2, 10)],
    ids=["known by heart", "half mispredicted"],
)
def test_fast_against_naive(opened, split: str, texts: int, least: float, capsys) -> None:
    loaded, versions = opened
    examples, encoded = passages(loaded, split, texts)
    assert len(encoded) == texts
    fast(loaded, versions, examples, encoded)  # the first call pays for what is loaded late
    value, quick = cpu_seconds(lambda: fast(loaded, versions, examples, encoded))
    one_by_one, slow = cpu_seconds(lambda: naive(loaded, encoded, batched=False))
    at_once, batch = cpu_seconds(lambda: naive(loaded, encoded, batched=True))
    with capsys.disabled():
        print(
            f"\nEL_{N} on {split}: {value:.4f}; CPU time {quick:.3f} s, "
            f"{slow / quick:.0f} times less than one prefix at a time, "
            f"{batch / quick:.1f} times less than all prefixes of a text at once"
        )
    assert value == pytest.approx(one_by_one, abs=1e-9) == at_once
    assert slow >= least * quick
    assert batch >= quick
