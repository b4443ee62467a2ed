"""Rounding by hand, its bounds, and what is rounded in a model."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.models.tiny import build_model
from unlearning.errors import UserError
from unlearning.runs.stress.rounding import from_codes, round_model, same_share, to_codes, unpacked


def test_two_blocks_by_hand():
    weight = torch.tensor([[7.0, -3.4, 0.6, 0.4, 0.14, -0.088, 0.0, 0.042]])
    codes, scale = to_codes(weight, 7, 4)
    assert codes.tolist() == [[7, -3, 1, 0, 7, -4, 0, 2]]
    assert torch.allclose(scale, torch.tensor([[1.0, 0.02]]))
    back = from_codes(codes, scale, 4)
    assert torch.allclose(back, torch.tensor([[7.0, -3.0, 1.0, 0.0, 0.14, -0.08, 0.0, 0.04]]))


def test_a_half_goes_to_the_even_code():
    codes, _ = to_codes(torch.tensor([[7.0, 0.5, 1.5, 2.5]]), 7, 4)
    assert codes.tolist() == [[7, 0, 2, 2]]


def test_eight_bits_by_hand():
    codes, scale = to_codes(torch.tensor([[-12.7, 0.06, 0.04, 6.35]], dtype=torch.float64), 127, 4)
    assert scale.item() == pytest.approx(0.1)
    assert codes.tolist()[0][:3] == [-127, 1, 0]


def test_the_last_block_may_be_shorter():
    weight = torch.tensor([[7.0, 1.0, 1.0, 1.0, 0.5, 0.26]])
    codes, scale = to_codes(weight, 7, 4)
    assert codes.shape == weight.shape
    assert codes[0, 4:].tolist() == [7, 4]
    assert from_codes(codes, scale, 4)[0, 4].item() == pytest.approx(0.5)


def test_a_block_of_zeros_stays_zero():
    codes, scale = to_codes(torch.zeros(2, 8), 7, 4)
    assert not codes.any() and not scale.any()
    assert from_codes(codes, scale, 4).tolist() == torch.zeros(2, 8).tolist()


weights = st.tuples(
    st.integers(1, 4), st.integers(1, 40), st.integers(0, 10_000), st.sampled_from((1e-6, 1.0, 1e4))
)


@given(weights, st.sampled_from((7, 127)), st.sampled_from((4, 8, 64)))
def test_no_weight_moves_by_more_than_half_a_step(made, levels, block):
    rows, columns, seed, size = made
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator, dtype=torch.float64) * size
    codes, scale = to_codes(weight, levels, block)
    back = from_codes(codes, scale, block)
    step = scale.repeat_interleave(block, dim=1)[:, :columns]
    assert bool(((weight - back).abs() <= step * (0.5 + 1e-9)).all())
    assert int(codes.abs().max()) == levels or not weight.any()
    # What lies on the grid stays there.
    again, scale_again = to_codes(back, levels, block)
    assert torch.equal(again, codes)
    assert torch.allclose(scale_again, scale, rtol=1e-12)


def test_the_share_of_equal_codes():
    one = {"a": torch.tensor([[1, 2], [3, 4]]), "b": torch.tensor([[5, 6]])}
    other = {"a": torch.tensor([[1, 2], [3, 0]]), "b": torch.tensor([[0, 6]])}
    assert same_share(one, one) == 1.0
    assert same_share(one, other) == pytest.approx(4 / 6)
    assert same_share(one, {"a": one["a"]}) is None


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_linear_layers_are_rounded_and_nothing_else(family):
    model = build_model(family)
    before = {name: p.clone() for name, p in model.named_parameters()}
    codes = round_model(model, "int4", 16)
    rounded = {f"{name}.weight" for name in codes}
    assert rounded and not any("emb" in name or "wte" in name or "head" in name for name in rounded)
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) is (name not in rounded), name
    name = sorted(codes)[0]
    old, new = before[f"{name}.weight"], dict(model.named_parameters())[f"{name}.weight"]
    if family == "gpt2":
        old, new = old.T, new.T
    _, scale = to_codes(old, 7, 16)
    assert torch.equal(new, from_codes(codes[name], scale, 16))
    assert codes[name].shape == old.shape


def test_four_bits_without_cuda_says_what_to_do():
    with pytest.raises(UserError, match="CUDA.*int4"):
        round_model(build_model(), "nf4", 64)


def test_two_codes_in_a_byte():
    packed = torch.tensor([[0xAB], [0x0F], [0x70]], dtype=torch.uint8)
    assert unpacked(packed, 6).tolist() == [10, 11, 0, 15, 7, 0]
    assert unpacked(packed, 5).tolist() == [10, 11, 0, 15, 7]


def test_bytes_are_unpacked_as_bitsandbytes_packs_them():
    bnb = pytest.importorskip("bitsandbytes", reason="bitsandbytes is optional").functional
    weight = torch.randn(32, 128, generator=torch.Generator().manual_seed(0))
    packed, state = bnb.quantize_4bit(weight, blocksize=64, quant_type="nf4")
    values = state.code[unpacked(packed, weight.numel()).long()].view(-1, 64)
    again = (values * state.absmax[:, None]).view_as(weight)
    assert torch.allclose(again, bnb.dequantize_4bit(packed, state), atol=1e-6)
