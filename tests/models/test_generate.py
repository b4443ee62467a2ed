"""Generation: padding, sides, streams and state. The plain loop below has no cache and no batch."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import tiny
from tests.models.batches import batch, disturb, sequences, step
from tests.models.test_versions import state_of
from unlearning.errors import UserError
from unlearning.models.generate import Piece, generate
from unlearning.models.text_stream import TextStream
from unlearning.models.versions import Versions, open_versions

EOS = 1


def opened(family: str = "llama", rank: int | None = 4) -> Versions:
    versions = open_versions(tiny.build_loaded(family), lora_rank=rank, keep_base=True)
    disturb(versions)
    return versions


def plain(versions: Versions, version: str, prompt: Sequence[int], tokens: int) -> list[int]:
    """Greedy, one sequence, everything read again for each token."""
    ids = list(prompt)
    for _ in range(tokens):
        logits = versions.call([version], input_ids=torch.tensor([ids]), use_cache=False).logits
        token = int(logits[0, -1].argmax())
        if token == EOS:
            break
        ids.append(token)
    return ids[len(prompt) :]


def written(streamed: Sequence[Sequence[Piece]], row: int, side: int = 0) -> list[int]:
    return [p.token for pieces in streamed for p in pieces if (p.row, p.side) == (row, side)]


def said(streamed: Sequence[Sequence[Piece]], row: int, side: int = 0) -> str:
    return "".join(p.text for pieces in streamed for p in pieces if (p.row, p.side) == (row, side))


@pytest.mark.parametrize("rank", [4, None])
@pytest.mark.parametrize("family", [*tiny.FAMILIES, "gemma3_text", "gpt_neo"])
def test_batched_cached_generation_equals_the_plain_loop(family: str, rank: int | None) -> None:
    versions = opened(family, rank)
    prompts, sides = sequences((5, 14, 9)), ["base", "student"]
    streamed = list(generate(versions, prompts, sides, max_new_tokens=14))
    for side, version in enumerate(sides):
        for row, prompt in enumerate(prompts):
            assert written(streamed, row, side) == plain(versions, version, prompt, 14)
    assert written(streamed, 0, 0) != written(streamed, 0, 1)


def test_end_of_text_ends_a_row_and_is_no_piece() -> None:
    versions, prompts = opened(), sequences((5, 9))
    free = [plain(versions, "student", prompt, 8) for prompt in prompts]
    # Let the third token of the first answer be end-of-text.
    ending = free[0][2]
    versions.loaded.model.config.eos_token_id = [EOS, ending]
    streamed = list(generate(versions, prompts, ["student"], max_new_tokens=8))
    assert written(streamed, 0) == free[0][: free[0].index(ending)]
    expected = free[1][: free[1].index(ending)] if ending in free[1] else free[1]
    assert written(streamed, 1) == expected


def test_a_single_token_limit_and_no_prompts() -> None:
    versions = opened()
    assert len(list(generate(versions, sequences((5,)), ["base"], max_new_tokens=1))) == 1
    assert list(generate(versions, sequences((5,)), ["base"], max_new_tokens=0)) == []
    assert list(generate(versions, [], ["base"], max_new_tokens=5)) == []


@pytest.mark.parametrize("family", ["llama", "gpt2", "opt"])
def test_answers_end_at_the_models_context(family: str) -> None:
    versions = opened(family)
    versions.tokenizer.eos_token = None
    versions.loaded.model.config.eos_token_id = None
    versions.loaded.model.generation_config.eos_token_id = None
    prompts = [[3] * (tiny.CONTEXT - 2), [3] * 4]
    streamed = list(generate(versions, prompts, ["base"], max_new_tokens=5))
    assert [len(written(streamed, row)) for row in (0, 1)] == [2, 5]
    with pytest.raises(UserError, match="96 tokens"):
        list(generate(versions, [[3] * tiny.CONTEXT], ["base"], max_new_tokens=1))
    with pytest.raises(UserError, match="empty"):
        list(generate(versions, [[]], ["base"], max_new_tokens=1))


def test_stop_is_looked_at_before_every_token() -> None:
    versions, asked = opened(), []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 3

    streamed = list(generate(versions, sequences((5,)), ["base"], max_new_tokens=20, stop=stop))
    assert len(streamed) == 3


@pytest.mark.parametrize("rank", [4, None])
def test_sides_share_their_noise_and_the_seed_decides(rank: int | None) -> None:
    versions = open_versions(tiny.build_loaded(), lora_rank=rank, keep_base=True)
    prompts = sequences((5, 9))

    def sample(seed: int, sides: Sequence[str] = ("base", "student")) -> list[list[int]]:
        streamed = list(
            generate(versions, prompts, sides, max_new_tokens=10, temperature=1.0, seed=seed)
        )
        return [written(streamed, row, side) for side in range(len(sides)) for row in (0, 1)]

    one = sample(5)
    assert one[:2] == one[2:]  # the student is still the base
    assert sample(5) == one and sample(6) != one
    assert one[0] != one[1]
    assert sample(5, ["student"]) == one[2:]
    disturb(versions)
    assert sample(5)[:2] == one[:2] and sample(5)[2:] != one[2:]


def test_sampling_follows_the_probabilities() -> None:
    versions = open_versions(tiny.build_loaded(), lora_rank=2)
    prompt = sequences((9,))[0]
    logits = versions.call(["base"], input_ids=torch.tensor([prompt])).logits[0, -1] / 2.0
    p_V = logits.softmax(-1)
    rows = 3000
    (pieces,) = generate(versions, [prompt] * rows, ["base"], max_new_tokens=1, temperature=2.0)
    counts = torch.bincount(torch.tensor([p.token for p in pieces]), minlength=len(p_V))
    top = p_V.topk(4).indices.tolist()
    for token in top:
        if token != EOS:
            spread = (p_V[token] * (1 - p_V[token]) / rows).sqrt().item()
            assert abs(counts[token].item() / rows - p_V[token].item()) < 5 * spread
    (few,) = generate(
        versions, [prompt] * 500, ["base"], max_new_tokens=1, temperature=2.0, top_p=0.3
    )
    ordered = p_V.sort(descending=True)
    kept = ordered.indices[: int((ordered.values.cumsum(0) < 0.3).sum()) + 1].tolist()
    assert {p.token for p in few} <= set(kept)
    assert len({p.token for p in few}) == min(len(kept), len(set(kept) - {EOS}))


def test_probabilities_are_those_of_the_model() -> None:
    versions, prompt = opened(), sequences((9,))[0]
    streamed = list(generate(versions, [prompt], ["base"], max_new_tokens=4, probabilities=True))
    ids = list(prompt)
    for (piece,) in streamed:
        p_V = versions.call(["base"], input_ids=torch.tensor([ids])).logits[0, -1].softmax(-1)
        assert piece.probability == pytest.approx(p_V[piece.token].item(), rel=1e-4)
        assert [c.token for c in piece.top] == p_V.topk(5).indices.tolist()
        assert piece.top[0].probability == pytest.approx(p_V.max().item(), rel=1e-4)
        ids.append(piece.token)
    (bare,) = generate(versions, [prompt], ["base"], max_new_tokens=1)
    assert bare[0].probability is None and bare[0].top == ()


@pytest.mark.parametrize("rank", [4, None])
def test_training_goes_on_as_if_nobody_had_generated(rank: int | None) -> None:
    losses = []
    for watched in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            # GPT-2 has dropout: in training mode every pass draws from the global generator.
            versions, tokens = open_versions(tiny.build_loaded("gpt2"), lora_rank=rank), batch()
            versions.loaded.model.train()
            seen = []
            for _ in range(4):
                if watched:
                    stream = generate(
                        versions, sequences((5, 9)), ["student"], max_new_tokens=6, temperature=1.0
                    )
                    before = state_of(versions)
                    next(stream)
                    assert state_of(versions) == before  # also while the stream is waiting
                seen.append(step(versions, tokens))
                if watched:
                    list(stream)
            losses.append(seen)
    assert losses[0] == losses[1]
    assert losses[0][0] != losses[0][1]


def test_a_diverged_model_says_nothing() -> None:
    versions = opened()
    broken = {n: torch.full_like(t, float("nan")) for n, t in versions.state("student").items()}
    versions.load_state("student", broken)
    streamed = list(generate(versions, sequences((5,)), ["student", "base"], max_new_tokens=4))
    assert written(streamed, 0, 0) == []
    assert written(streamed, 0, 1) == plain(versions, "base", sequences((5,))[0], 4)


def test_streamed_text_is_the_decoded_answer() -> None:
    versions = opened()
    prompts = sequences((5, 12))
    streamed = list(generate(versions, prompts, ["student"], max_new_tokens=30, temperature=3.0))
    for row in (0, 1):
        ids = written(streamed, row)
        assert said(streamed, row).rstrip("\ufffd") == versions.tokenizer.decode(ids).rstrip(
            "\ufffd"
        )


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=1, max_size=30))
def test_a_stream_never_shows_half_a_character(text: str) -> None:
    tokenizer = tiny.build_tokenizer()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    stream = TextStream(tokenizer, [0, 5, 6])
    parts = [stream.add(token) for token in ids]
    assert "".join(parts) + stream.rest() == tokenizer.decode(ids)
    if "\ufffd" not in text:
        assert not any("\ufffd" in part for part in parts)


def test_bytes_that_are_no_text_are_not_held_for_ever() -> None:
    tokenizer = tiny.build_tokenizer()
    first = tokenizer("é", add_special_tokens=False)["input_ids"][0]
    stream = TextStream(tokenizer, [0])
    parts = [stream.add(first) for _ in range(20)]
    assert len("".join(parts)) >= 15


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_banned_tokens_are_never_chosen_and_the_hook_hears_its_own_row(temperature: float) -> None:
    versions = opened()
    prompts, sides = sequences((5, 9)), ["base", "student"]
    settings = {"max_new_tokens": 6, "temperature": temperature, "probabilities": True}
    free = list(generate(versions, prompts, sides, **settings))
    first = {(p.row, p.side): p.token for p in free[0]}
    heard: list[tuple[int, tuple[int, ...]]] = []

    def banned(row: int, said: Sequence[int]) -> set[int]:
        heard.append((row, tuple(said)))
        return {first[row, 0], EOS} if row == 1 else {EOS}

    barred = list(generate(versions, prompts, sides, banned=banned, **settings))
    assert all(first[1, 0] not in written(barred, 1, side) for side in range(2))
    for row, side in first:
        grown = written(barred, row, side)
        assert len(grown) == 6
        assert {(row, tuple(grown[:n])) for n in range(6)} <= set(heard)
    top = {(p.row, p.side): p.top for p in barred[0]}
    assert top == {(p.row, p.side): p.top for p in free[0]}, "probabilities are the model's own"
