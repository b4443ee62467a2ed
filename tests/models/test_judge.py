"""A given answer under a model: the figures of generating it, token by token."""

from __future__ import annotations

import math

import pytest
import torch

from tests.models.tiny import build_loaded
from unlearning.models.base import BASE, STUDENT
from unlearning.models.generate import generate
from unlearning.models.judge import judge
from unlearning.models.versions import open_versions

PROMPTS = ("The keeper of the", "Née in a café, the")


@pytest.fixture(scope="module", params=["llama", "gpt2", "gemma2"])
def versions(request):
    made = open_versions(build_loaded(request.param), lora_rank=2)
    with torch.no_grad():
        for i, (name, tensor) in enumerate(made.trainable()):
            if "lora_B" in name:
                tensor.copy_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(i)))
    return made


def rows(versions, texts=PROMPTS):
    return [versions.tokenizer(text)["input_ids"] for text in texts]


def test_judging_an_own_answer_gives_the_figures_of_writing_it(versions):
    prompts = rows(versions)
    pieces = {0: [], 1: []}
    for step in generate(
        versions, prompts, [STUDENT], max_new_tokens=12, temperature=1.0, probabilities=True
    ):
        for piece in step:
            pieces[piece.row].append(piece)
    answers = [[piece.token for piece in pieces[row]] for row in range(2)]
    judged = judge(versions, STUDENT, prompts, answers)
    for row in range(2):
        assert "".join(p.text for p in judged[row]) == "".join(p.text for p in pieces[row])
        for place, piece in zip(judged[row], pieces[row], strict=True):
            assert math.exp(place.logp) == pytest.approx(piece.probability, rel=1e-3, abs=1e-6)
            assert [c.probability for c in place.top] == pytest.approx(
                [c.probability for c in piece.top], rel=1e-3, abs=1e-6
            )


def test_another_version_judges_the_same_text_otherwise(versions):
    prompts, answers = rows(versions), rows(versions, (" river at dawn", " cost 12 €"))
    one, other = (judge(versions, name, prompts, answers) for name in (BASE, STUDENT))
    assert [[p.text for p in row] for row in one] == [[p.text for p in row] for row in other]
    assert [p.logp for p in one[0]] != [p.logp for p in other[0]]
    assert "".join(p.text for p in one[1]) == " cost 12 €"


def test_a_row_is_judged_alike_alone_and_beside_a_longer_one(versions):
    prompts, answers = rows(versions), rows(versions, (" river", " of letters that nobody ever"))
    together = judge(versions, STUDENT, prompts, answers)
    alone = judge(versions, STUDENT, prompts[:1], answers[:1])
    assert [p.logp for p in together[0]] == pytest.approx([p.logp for p in alone[0]], abs=1e-4)
