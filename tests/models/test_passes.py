"""Pass: shift, mask, chunks, shares. Expected values are written out per token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from unlearning.models.passes import IGNORED, Pass, Share

B, T, D, V = 3, 7, 5, 11
LENGTHS = (7, 3, 5)

QUANTITIES: dict[str, Callable[[Pass, Pass], Tensor]] = {
    "nll": lambda one, other: one.nll,
    "logp_B": lambda one, other: one.logp_B.square().sum(),
    "log_unlikelihood": lambda one, other: one.mean(one.log_unlikelihood_BS),
    "p": lambda one, other: one.mean(one.p_BS),
    "kl": lambda one, other: one.kl(other),
    "quadratic_kl": lambda one, other: one.quadratic_kl(other),
    "soft_cross_entropy": lambda one, other: one.soft_cross_entropy(other),
    "lowered": lambda one, other: one.cross_entropy_to_lowered(other, 2.0),
    "generic": lambda one, other: one.cross_entropy_to_generic(other, other, 2.0, hard=False),
    "over_sequences": lambda one, other: one.mean_over_sequences(one.logp_B),
    "lead": lambda one, other: one.mean(one.lead_BS.square()),
    "without_first": lambda one, other: one.without_first().nll,
}
CONSTANT_TARGET = {"to_rest": lambda one, other: one.cross_entropy_to_rest}
"""What finite differences do not apply to."""


def made(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states, head weights and labels with gaps, float64."""
    generator = torch.Generator().manual_seed(seed)
    hidden_BTD = torch.randn(B, T, D, dtype=torch.float64, generator=generator)
    weight_VD = torch.randn(V, D, dtype=torch.float64, generator=generator)
    labels_BT = torch.randint(0, V, (B, T), generator=generator)
    for b, length in enumerate(LENGTHS):
        labels_BT[b, length:] = IGNORED
    labels_BT[0, :3] = IGNORED
    return hidden_BTD, weight_VD, labels_BT


def test_nll_is_the_mean_over_shifted_labelled_tokens() -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    logits_BTV = hidden_BTD @ weight_VD.T
    expected = [
        -logits_BTV[b, t].log_softmax(-1)[labels_BT[b, t + 1]]
        for b in range(B)
        for t in range(T - 1)
        if labels_BT[b, t + 1] != IGNORED
    ]
    found = Pass(logits_BTV, labels_BT)
    assert len(expected) == 4 + 2 + 4
    torch.testing.assert_close(found.nll, torch.stack(expected).mean())
    assert found.length_B.tolist() == [4, 2, 4]


@pytest.mark.parametrize("chunk", [1, 3, 5, 10, 1000])
@pytest.mark.parametrize("quantity", [*QUANTITIES, *CONSTANT_TARGET])
def test_chunks_give_the_same_values_and_gradients(quantity: str, chunk: int) -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    other_BTD, _, _ = made(seed=1)
    measured = {**QUANTITIES, **CONSTANT_TARGET}[quantity]

    def value_and_gradients(chunked: bool) -> tuple[Tensor, ...]:
        hidden, weight = hidden_BTD.clone().requires_grad_(), weight_VD.clone().requires_grad_()

        def head(rows: Tensor) -> Tensor:
            return rows @ weight.T

        if chunked:
            one = Pass.from_hidden(hidden, head, labels_BT, chunk=chunk)
            other = Pass.from_hidden(other_BTD, head, labels_BT, chunk=chunk)
        else:
            one, other = Pass(head(hidden), labels_BT), Pass(head(other_BTD), labels_BT)
        value = measured(one, other)
        value.backward()
        return value.detach(), hidden.grad, weight.grad

    for whole, chunked in zip(value_and_gradients(False), value_and_gradients(True), strict=True):
        torch.testing.assert_close(whole, chunked)


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_gradients_are_those_of_finite_differences(quantity: str) -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    other_BTD, _, _ = made(seed=1)
    other = Pass(other_BTD @ weight_VD.T, labels_BT)

    def measured(hidden: Tensor) -> Tensor:
        one = Pass.from_hidden(hidden, lambda rows: rows @ weight_VD.T, labels_BT, chunk=4)
        return QUANTITIES[quantity](one, other)

    assert torch.autograd.gradcheck(measured, (hidden_BTD.requires_grad_(),))


@pytest.mark.parametrize(
    "quantity",
    [
        *("nll", "kl", "over_sequences", "log_unlikelihood", "lowered", "generic", "lead"),
        "without_first",
    ],
)
@pytest.mark.parametrize("cut", [(1, 2), (2, 1), (1, 1, 1)])
def test_micro_batches_add_up_to_the_whole(quantity: str, cut: tuple[int, ...]) -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    other_BTD, _, _ = made(seed=1)
    share = Share(tokens=int(labels_BT[:, 1:].ne(IGNORED).sum()), sequences=B)
    measured = QUANTITIES[quantity]
    whole = hidden_BTD.clone().requires_grad_()
    expected = measured(
        Pass(whole @ weight_VD.T, labels_BT), Pass(other_BTD @ weight_VD.T, labels_BT)
    )
    expected.backward()
    parts = hidden_BTD.clone().requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    pieces = zip(parts.split(cut), other_BTD.split(cut), labels_BT.split(cut), strict=True)
    for part_BTD, other_part_BTD, labels in pieces:
        loss = measured(
            Pass(part_BTD @ weight_VD.T, labels, share=share),
            Pass(other_part_BTD @ weight_VD.T, labels, share=share),
        )
        loss.backward(retain_graph=True)
        total = total + loss.detach()
    torch.testing.assert_close(total, expected.detach())
    torch.testing.assert_close(parts.grad, whole.grad)


def test_ignored_tokens_have_no_influence() -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    logits_BTV = hidden_BTD @ weight_VD.T
    spoilt_BTV = logits_BTV.clone()
    unread_BT = torch.ones(B, T, dtype=torch.bool)
    unread_BT[:, :-1] = labels_BT[:, 1:].eq(IGNORED)
    spoilt_BTV[unread_BT] = float("nan")
    torch.testing.assert_close(Pass(spoilt_BTV, labels_BT).nll, Pass(logits_BTV, labels_BT).nll)


def test_a_batch_without_labels_has_no_loss() -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    nothing_BT = torch.full_like(labels_BT, IGNORED)
    for one in (
        Pass(hidden_BTD @ weight_VD.T, nothing_BT),
        Pass.from_hidden(hidden_BTD, lambda rows: rows @ weight_VD.T, nothing_BT),
    ):
        assert one.nll.item() == 0.0


def test_without_first_drops_one_token_of_each_sequence() -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    one = Pass(hidden_BTD @ weight_VD.T, labels_BT)
    assert one.nll.item() > 0  # what was computed before must not be taken over
    rest = one.without_first()
    dropped_BT = labels_BT.ne(rest.labels_BT)
    # The token at position 0 is predicted by nothing, so it is not the first that counts.
    assert dropped_BT.nonzero().tolist() == [[0, 3], [1, 1], [2, 1]]
    assert rest.length_B.tolist() == [3, 1, 3]
    torch.testing.assert_close(rest.logp_BS, one.logp_BS * rest.counted_BS)


def test_distance_of_hidden_states_is_not_shifted() -> None:
    hidden_BTD, weight_VD, labels_BT = made()
    target_BTD, _, _ = made(seed=1)
    one = Pass(hidden_BTD @ weight_VD.T, labels_BT, [hidden_BTD, 2 * hidden_BTD])
    assert one.blocks == 1
    expected = []
    for b in range(B):
        tokens = [t for t in range(T) if labels_BT[b, t] != IGNORED]
        apart = [(2 * hidden_BTD[b, t] - target_BTD[b, t]).square().mean() for t in tokens]
        expected.append(sum(apart) / len(apart))
    torch.testing.assert_close(one.hidden_distance(1, target_BTD), sum(expected) / B)
    with pytest.raises(ValueError, match="declare 'hidden'"):
        Pass(hidden_BTD @ weight_VD.T, labels_BT).hidden_distance(1, target_BTD)
