"""RMU: the point it steers to, the weights that move, and its smoothness."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch.nn import Parameter

from tests.methods.batches import LABELS_BT, WIDTH, random_logits
from tests.models.tiny import FAMILIES, build_loaded
from unlearning.methods.rmu import RMU, random_direction
from unlearning.models.passes import Batch, Pass, Share
from unlearning.models.versions import open_versions

LABELLED_BT = LABELS_BT != -100


def states(seed: int) -> torch.Tensor:
    """Inner states [2, 7, 5] for `LABELS_BT`, float64."""
    return random_logits(seed)[..., :WIDTH].clone()


def a_pass(states_BTD: torch.Tensor, share: Share | None = None) -> Pass:
    """Eight blocks whose states are all the same."""
    labels_BT = LABELS_BT[-len(states_BTD) :]
    logits_BTV = random_logits(0)[: len(states_BTD)]
    return Pass(logits_BTV, labels_BT, hidden_states=[states_BTD] * 9, share=share)


def test_by_hand_over_labelled_tokens_of_uneven_sequences() -> None:
    forget, retain, original = states(1), states(2), states(3)
    direction_D = random_direction(WIDTH, 4).double()
    batch = Batch(
        forget=a_pass(forget),
        retain=a_pass(retain),
        retain_reference=a_pass(original),
        own={"direction": direction_D},
    )
    terms = RMU(coefficient=3.0, adaptive=False, retain_weight=5.0).loss(batch)

    def distance(ours: torch.Tensor, goal_of: Callable[[int, int], torch.Tensor]) -> float:
        total = 0.0
        for b in range(2):
            tokens = LABELLED_BT[b].nonzero().flatten().tolist()
            apart = [((ours[b, t] - goal_of(b, t)) ** 2).sum().item() / WIDTH for t in tokens]
            total += sum(apart) / len(apart) / 2
        return total

    expected = distance(forget, lambda b, t: 3.0 * direction_D)
    assert terms["forget"].item() == pytest.approx(expected, rel=1e-12)
    expected = 5.0 * distance(retain, lambda b, t: original[b, t])
    assert terms["retain"].item() == pytest.approx(expected, rel=1e-12)


def test_adaptive_counts_in_lengths_of_the_original_at_each_token() -> None:
    original, direction_D = states(3), random_direction(WIDTH, 4).double()
    chosen = RMU(coefficient=3.0, retain_weight=0.0)

    def distance(forget: torch.Tensor) -> float:
        batch = Batch(
            forget=a_pass(forget), reference=a_pass(original), own={"direction": direction_D}
        )
        return chosen.loss(batch)["forget"].item()

    goal = 3.0 * original.norm(dim=-1, keepdim=True) * direction_D
    assert distance(goal) == pytest.approx(0, abs=1e-20)
    assert distance(goal + 2.0) == pytest.approx(4.0)


def test_micro_batches_add_up_to_the_whole() -> None:
    forget, share = states(1), Share(tokens=7, sequences=2)
    whole = (
        RMU(adaptive=False, retain_weight=0.0).loss(Batch(forget=a_pass(forget)))["forget"].item()
    )
    labels = [LABELS_BT[:1], LABELS_BT[1:]]
    parts = [
        Pass(random_logits(0)[i : i + 1], labels[i], [forget[i : i + 1]] * 9, share)
        for i in range(2)
    ]
    cut = sum(
        RMU(adaptive=False, retain_weight=0.0).loss(Batch(forget=p))["forget"].item() for p in parts
    )
    assert cut == pytest.approx(whole, rel=1e-12)


def test_the_direction_is_one_positive_unit_vector_for_each_seed() -> None:
    one, again, other = random_direction(64, 1), random_direction(64, 1), random_direction(64, 2)
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert one.norm().item() == pytest.approx(1) and (one >= 0).all()


def test_gradient_descent_ends_at_the_point_and_leaves_unlabelled_states() -> None:
    forget = states(1).requires_grad_()
    before = forget.detach().clone()
    method, direction_D = (
        RMU(coefficient=4.0, adaptive=False, retain_weight=0.0),
        random_direction(WIDTH, 9),
    )
    for _ in range(400):
        batch = Batch(forget=a_pass(forget), own={"direction": direction_D})
        (gradient,) = torch.autograd.grad(method.loss(batch)["forget"], forget)
        forget = (forget - 2 * gradient).detach().requires_grad_()
    goal = (4.0 * direction_D.double()).expand_as(forget)
    torch.testing.assert_close(forget[LABELLED_BT], goal[LABELLED_BT], atol=1e-5, rtol=0)
    assert torch.equal(forget[~LABELLED_BT], before[~LABELLED_BT])


def test_gradients_are_exact() -> None:
    original = a_pass(states(5))

    def loss(hidden: torch.Tensor) -> torch.Tensor:
        one = a_pass(hidden)
        batch = Batch(forget=one, reference=original, retain=one, retain_reference=original)
        return sum(RMU(retain_weight=2.0).loss(batch).values())

    assert torch.autograd.gradcheck(loss, states(6).requires_grad_())


@pytest.mark.parametrize(
    ("depth", "blocks", "layer"), [(0.25, 32, 8), (0.25, 2, 2), (0.01, 4, 2), (1.0, 6, 6)]
)
def test_the_paper_steers_the_eighth_of_32_blocks(depth: float, blocks: int, layer: int) -> None:
    assert RMU(depth=depth).layer(blocks) == layer


def test_it_trains_three_matrices_up_to_the_steered_block() -> None:
    parts = ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj")
    names = [f"model.layers.{i}.{part}.weight" for i in range(32) for part in parts]
    names += ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]
    for trained, expected in (("down", parts[2:]), ("all", parts)):
        method = RMU(trained=trained)
        weights = [(name, Parameter(torch.zeros(1))) for name in names if method.trainable(name)]
        setting = SimpleNamespace(trainable=lambda w=weights: w, width=WIDTH, seed=3)
        state = method.prepare(setting)
        moving = [name for name, weight in weights if weight.requires_grad]
        assert moving == [f"model.layers.{i}.{p}.weight" for i in (5, 6, 7) for p in expected]
        assert torch.equal(state.tensors["direction"], random_direction(WIDTH, 3))


@pytest.mark.parametrize("rank", [4, None], ids=["lora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_the_matrix(family: str, rank: int | None) -> None:
    names = [
        name
        for name, _ in open_versions(
            build_loaded(family), lora_rank=rank, trainable=RMU().trainable
        ).trainable()
    ]
    assert names
