"""Blends: the weights in between and beyond, and nothing else touched."""

from __future__ import annotations

import pytest
import torch

from tests.models import tiny
from tests.models.batches import batch, disturb, step
from unlearning.errors import UserError
from unlearning.models.versions import Versions, open_versions

STRENGTHS = (0.0, 0.25, 1.0, 1.5)


def opened(family: str = "llama", rank: int | None = 4) -> Versions:
    return open_versions(tiny.build_loaded(family), lora_rank=rank, seed=3)


def logits(versions: Versions, *names: str) -> torch.Tensor:
    tokens = batch()
    many = [names[i % len(names)] for i in range(len(tokens.ids_BT))]
    inputs = {"input_ids": tokens.ids_BT, "attention_mask": tokens.attention_BT}
    return versions.call(many, **inputs).logits


def weights(versions: Versions, version: str) -> dict[str, torch.Tensor]:
    return {
        name: weight.double() + (0 if added is None else added.double())
        for name, weight, added in versions.weights(version)
    }


@pytest.fixture(params=["base", "adapter"])
def moved(request: pytest.FixtureRequest) -> Versions:
    """A student away from its reference, which is the base or an adapter with another A."""
    versions = opened()
    if request.param == "adapter":
        disturb(versions, seed=7)
        versions.copy("student", "reference")
    disturb(versions)
    return versions


@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_blend_has_the_weights_in_between_and_beyond(moved: Versions, strength: float) -> None:
    original, trained = weights(moved, "reference"), weights(moved, "student")
    moved.blend("student", strength, "blend")
    found = weights(moved, "blend")
    assert found.keys() == trained.keys()
    apart = 0
    for name, weight in found.items():
        expected = original[name] + strength * (trained[name] - original[name])
        torch.testing.assert_close(weight, expected, atol=1e-5, rtol=1e-5)
        apart += not torch.equal(original[name], trained[name])
    assert apart


def test_at_the_ends_it_says_what_original_and_version_say(moved: Versions) -> None:
    moved.blend("student", 0.0, "none")
    moved.blend("student", 1.0, "all")
    assert torch.equal(logits(moved, "none"), logits(moved, "reference"))
    torch.testing.assert_close(logits(moved, "all"), logits(moved, "student"))
    assert not torch.allclose(logits(moved, "none"), logits(moved, "all"))


def test_rows_of_one_batch_may_differ_in_strength(moved: Versions) -> None:
    names = ("less", "student", "beyond")
    moved.blend("student", 0.5, "less")
    moved.blend("student", 1.5, "beyond")
    together = logits(moved, *names)
    for row, name in enumerate(names):
        torch.testing.assert_close(together[row], logits(moved, name)[row])


@pytest.mark.parametrize("family", ["gpt2", "opt"])
def test_other_families_too(family: str) -> None:
    versions = opened(family)
    disturb(versions)
    versions.blend("student", 1.5, "beyond")
    original, found = weights(versions, "base"), weights(versions, "beyond")
    for name, trained in weights(versions, "student").items():
        expected = original[name] + 1.5 * (trained - original[name])
        torch.testing.assert_close(found[name], expected, atol=1e-5, rtol=1e-5)


def test_nothing_of_a_training_model_is_touched(moved: Versions) -> None:
    def state() -> list[object]:
        return [
            (name, p.requires_grad, None if p.grad is None else p.grad.clone(), p.detach().clone())
            for name, p in moved.loaded.model.named_parameters()
        ]

    moved.run("student", batch(), grad=True).nll.backward()
    random, before = torch.get_rng_state(), state()
    active = [layer.active_adapters for layer in moved._layers.values()]
    moved.blend("student", 1.5, "beyond")
    logits(moved, "beyond", "student")
    moved.drop("beyond")
    assert torch.equal(torch.get_rng_state(), random)
    assert [layer.active_adapters for layer in moved._layers.values()] == active
    for then, now in zip(before, state(), strict=True):
        assert then[:2] == now[:2]
        assert (then[2] is None) == (now[2] is None)
        assert then[2] is None or torch.equal(then[2], now[2])
        assert torch.equal(then[3], now[3])
    assert "beyond" not in moved.versions()
    assert step(moved, batch()) > 0


def test_an_adapter_that_is_no_number_is_the_original_at_strength_0(moved: Versions) -> None:
    broken = {name: tensor * float("nan") for name, tensor in moved.state("student").items()}
    moved.load_state("student", broken)
    moved.blend("student", 0.0, "none")
    assert torch.equal(logits(moved, "none"), logits(moved, "reference"))


def test_without_an_adapter_it_is_said_why_not() -> None:
    with pytest.raises(UserError, match="trained all weights"):
        opened(rank=None).blend("student", 0.5, "less")
    with pytest.raises(UserError, match="trained all weights"):
        opened().blend("base", 0.5, "less")
