"""NGDiff: the direction, what it promises to first order, and the learning rate."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.methods.batches import LABELS_BT, random_logits
from unlearning.methods.base import MethodState
from unlearning.methods.ngdiff import NGDiff, fitted_rate
from unlearning.models.passes import Batch, Pass

KEEP_SLOPE, FORGET_SLOPE = torch.tensor([3.0, 0.0, 4.0]), torch.tensor([5.0, -12.0, 0.0])


def combined(keep: Tensor, forget: Tensor, state: MethodState | None = None) -> Tensor:
    """The step for a gradient to keep and a gradient to forget, split over two tensors."""
    by_term = {
        "forget": [-forget[:1].clone(), -forget[1:].clone()],
        "retain": [keep[:1].clone(), keep[1:].clone()],
    }
    return torch.cat(NGDiff().gradients(by_term, state or MethodState()))


def test_direction_is_the_difference_of_unit_gradients() -> None:
    state = MethodState()
    step = combined(KEEP_SLOPE, FORGET_SLOPE, state)
    torch.testing.assert_close(step, KEEP_SLOPE / 5 - FORGET_SLOPE / 13, rtol=1e-6, atol=1e-6)
    assert state.values == {
        "forget_gradient_norm": pytest.approx(13.0),
        "retain_gradient_norm": pytest.approx(5.0),
        "gradient_cosine": pytest.approx(15 / 65),
    }
    assert step.norm().item() == pytest.approx(math.sqrt(2 - 2 * 15 / 65), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_both_sides_count_the_same_whatever_their_size(scale: float) -> None:
    step = combined(scale * KEEP_SLOPE, FORGET_SLOPE)
    torch.testing.assert_close(step, combined(KEEP_SLOPE, FORGET_SLOPE))


def test_opposed_gradients_give_two_and_equal_ones_nothing() -> None:
    assert combined(KEEP_SLOPE, -KEEP_SLOPE).norm().item() == pytest.approx(2.0)
    assert combined(KEEP_SLOPE, 7 * KEEP_SLOPE).norm().item() == pytest.approx(0.0, abs=1e-6)


def test_a_gradient_of_zero_takes_no_part() -> None:
    state = MethodState()
    step = combined(torch.zeros(3), FORGET_SLOPE, state)
    torch.testing.assert_close(step, -FORGET_SLOPE / 13)
    assert state.values["gradient_cosine"] == 0.0


def test_no_gradient_is_copied() -> None:
    by_term = {"forget": [-FORGET_SLOPE.clone()], "retain": [KEEP_SLOPE.clone()]}
    place = by_term["retain"][0].data_ptr()
    assert NGDiff().gradients(by_term, MethodState())[0].data_ptr() == place


class Shared:
    """Two batches of logits from one weight matrix, so that keeping and forgetting interfere."""

    def __init__(self, seed: int) -> None:
        self.start = 0.3 * random_logits(seed)[0]
        self.hidden = {name: random_logits(seed + i) for i, name in enumerate(("f", "r", "g"), 1)}
        generator = torch.Generator().manual_seed(seed)
        self.weights = torch.randn(11, 11, generator=generator, dtype=torch.float64)

    def batch(self, weights: Tensor) -> Batch:
        made = {name: Pass(hidden @ weights, LABELS_BT) for name, hidden in self.hidden.items()}
        return Batch(forget=made["f"], retain=made["r"], generic=made["g"])

    def terms(self, method: NGDiff, weights: Tensor) -> dict[str, Tensor]:
        return method.loss(self.batch(weights))

    def step(self, method: NGDiff, weights: Tensor) -> Tensor:
        leaf = weights.clone().requires_grad_()
        by_term = {
            name: list(torch.autograd.grad(term, [leaf], retain_graph=True))
            for name, term in self.terms(method, leaf).items()
        }
        return method.gradients(by_term, MethodState())[0]


@pytest.mark.parametrize("seed", range(5))
def test_keeping_never_rises_and_forgetting_never_falls_to_first_order(seed: int) -> None:
    method, model = NGDiff(), Shared(10 * seed)
    weights, before = model.weights, None
    for _ in range(100):
        terms = {name: term.item() for name, term in model.terms(method, weights).items()}
        if before is not None:
            # The forget term is minus its loss, so neither term may rise.
            assert terms["retain"] <= before["retain"]
            assert terms["forget"] <= before["forget"]
        before, weights = terms, weights - 1e-3 * model.step(method, weights)


def test_inner_products_with_the_step_are_those_of_the_formula() -> None:
    method, model, state = NGDiff(), Shared(3), MethodState()
    leaf = model.weights.clone().requires_grad_()
    terms = model.terms(method, leaf)
    (forget,) = torch.autograd.grad(-terms["forget"], [leaf], retain_graph=True)
    (keep,) = torch.autograd.grad(terms["retain"], [leaf])
    step = method.gradients({"forget": [-forget], "retain": [keep.clone()]}, state)[0]
    apart = 1 - state.values["gradient_cosine"]
    assert (keep * step).sum().item() == pytest.approx(keep.norm().item() * apart, rel=1e-9)
    assert (forget * step).sum().item() == pytest.approx(-forget.norm().item() * apart, rel=1e-9)


def test_terms_are_the_forget_loss_reversed_and_the_mixed_loss_to_keep() -> None:
    batch = Shared(1).batch(Shared(1).weights)
    terms = NGDiff(generic_share=0.3).loss(batch)
    assert terms["forget"].item() == pytest.approx(-batch.forget.nll.item())
    mixed = 0.7 * batch.retain.nll.item() + 0.3 * batch.generic.nll.item()
    assert terms["retain"].item() == pytest.approx(mixed)
    paper = NGDiff(generic_share=0.0)
    assert paper.loss(batch)["retain"].item() == pytest.approx(batch.retain.nll.item())
    assert paper.passes() == {"retain"}


def test_a_probe_without_forget_text_has_the_term_to_keep_alone() -> None:
    batch = Shared(1).batch(Shared(1).weights)
    alone = NGDiff().loss(Batch(retain=batch.retain, generic=batch.generic))
    assert alone.keys() == {"retain"}
    assert alone["retain"].item() == NGDiff().loss(batch)["retain"].item()


# The learning rate.


@pytest.mark.parametrize("rate", [1e-3, 0.1, 2.0])
def test_the_bottom_of_the_published_example(rate: float) -> None:
    def loss(eta: float) -> float:
        return 5 - 3 * eta + 3.5 * eta**2

    found = fitted_rate(loss(-rate), loss(0.0), loss(rate), rate)
    assert found == pytest.approx(3 / 7, rel=1e-6)


def test_slack_is_what_the_step_loses_against_the_bottom() -> None:
    def loss(eta: float) -> float:
        return 5 - 3 * eta + 3.5 * eta**2

    found = fitted_rate(loss(-0.1), loss(0.0), loss(0.1), 0.1, slack=0.2)
    assert found > 3 / 7
    assert loss(found) - loss(3 / 7) == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize(
    ("behind", "here", "ahead"),
    [(1.0, 1.1, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.2), (1.0, 1.0, math.inf), (1.0, 1.0, math.nan)],
    ids=["a hill", "flat", "uphill", "infinite", "not a number"],
)
def test_no_rate_where_the_parabola_has_no_bottom_ahead(
    behind: float, here: float, ahead: float
) -> None:
    assert fitted_rate(behind, here, ahead, 0.1) is None


class Bowl:
    """A quadratic loss to keep around weights, and what the engine lets a method touch."""

    def __init__(self, rate: float, step: int = 0, share: float = 1.0) -> None:
        generator = torch.Generator().manual_seed(0)
        mixed = torch.randn(4, 4, generator=generator, dtype=torch.float64)
        self.hessian = share * (mixed @ mixed.T + torch.eye(4, dtype=torch.float64))
        self.weights = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
        self.forget = torch.tensor([0.2, 1.0, -0.4, 0.1], dtype=torch.float64)
        keep = self.hessian @ self.weights
        self.direction = keep / keep.norm() - self.forget / self.forget.norm()
        self.rate, self.step, self.forget_size = rate, step, 1
        self.probes = 0
        curvature = self.direction @ self.hessian @ self.direction
        self.best = ((keep @ self.direction) / curvature).item()

    def loss(self, eta: float) -> float:
        moved = self.weights - eta * self.direction
        return (0.5 * moved @ self.hessian @ moved).item()

    def probe(self, eta: float) -> dict[str, float]:
        self.probes += eta != 0
        return {"retain": self.loss(eta)}

    def pick(self, method: NGDiff, state: MethodState | None = None) -> float | None:
        return method.learning_rate(self, state or MethodState(), self.probe)


@pytest.mark.parametrize("rate", [1e-3, 0.1, 1.0])
def test_the_plain_rule_finds_the_optimum_of_a_quadratic_at_once(rate: float) -> None:
    bowl, state = Bowl(rate), MethodState()
    assert bowl.pick(NGDiff(rate_rule="plain"), state) == pytest.approx(bowl.best, rel=1e-6)
    assert state.values["fitted_rate"] == pytest.approx(bowl.best, rel=1e-6)
    assert bowl.probes == 2


@pytest.mark.parametrize("rate", [1e-4, 1e-2, 1.0])
def test_before_the_first_step_all_starts_meet_at_the_optimum(rate: float) -> None:
    bowl = Bowl(rate)
    found = bowl.pick(NGDiff(slack=0.0))
    assert found == pytest.approx(bowl.best, rel=0.06)
    assert bowl.loss(found) < bowl.loss(0.0)


def test_a_later_rise_is_bounded_and_smoothed() -> None:
    far = Bowl(1e-2, step=10)
    assert far.best > 4e-2
    assert far.pick(NGDiff(slack=0.0, smoothing=0.9)) == pytest.approx(0.9e-2 + 0.1 * 2e-2)
    assert far.probes == 2
    assert far.pick(NGDiff(slack=0.0, smoothing=0.0, largest_change=3.0)) == pytest.approx(3e-2)


def test_a_later_fall_is_followed_to_its_end() -> None:
    bowl = Bowl(1.0, step=10)
    bowl.rate = 7 * bowl.best
    assert bowl.pick(NGDiff(slack=0.0, smoothing=0.9)) == pytest.approx(bowl.best, rel=0.06)
    assert bowl.probes >= 6


def test_an_overshoot_falls_by_the_largest_change_until_there_is_something_to_fit() -> None:
    bowl = Bowl(0.8, step=10)
    looked = []

    def probe(eta: float) -> dict[str, float]:
        looked.append(eta)
        return {"retain": math.nan if abs(eta) > 0.15 else 1.0 - eta + 5 * eta**2}

    bowl.probe = probe
    assert bowl.pick(NGDiff(slack=0.0)) == pytest.approx(0.1)
    assert [eta for eta in looked if eta > 0] == pytest.approx([0.8, 0.4, 0.2, 0.1])


def test_steps_too_small_to_be_seen_grow() -> None:
    bowl = Bowl(1e-9, step=10)
    assert bowl.pick(NGDiff(smoothing=0.0)) == pytest.approx(2e-9)


def test_a_hill_leaves_the_rate() -> None:
    bowl = Bowl(0.1, step=10)
    bowl.probe = lambda eta: {"retain": 1.0 - eta**2}
    assert bowl.pick(NGDiff()) == pytest.approx(0.1)
    assert bowl.pick(NGDiff(rate_rule="plain")) == pytest.approx(0.1)


def test_at_the_bottom_slack_goes_on_where_the_formula_stops() -> None:
    """A memorised text: no slope, only curvature."""

    def probe(eta: float) -> dict[str, float]:
        return {"retain": 0.03 + 50 * eta**2}

    bowl = Bowl(1e-3)
    bowl.probe = probe
    assert bowl.pick(NGDiff(slack=0.01)) == pytest.approx(math.sqrt(0.01 / 50), rel=0.06)
    assert fitted_rate(probe(-1e-3)["retain"], 0.03, probe(1e-3)["retain"], 1e-3) is None


def test_with_slack_the_loss_to_keep_settles_at_twice_the_bottom() -> None:
    """Slope and slack balance where the step no longer changes the loss."""
    value, curvature, slack = 0.0, 100.0, 0.01
    for _ in range(50):
        slope = math.sqrt(2 * curvature * value)

        def loss(eta: float, value: float = value, slope: float = slope) -> float:
            return value - slope * eta + curvature / 2 * eta**2

        eta = fitted_rate(loss(-1e-2), loss(0.0), loss(1e-2), 1e-2, slack)
        value = loss(eta)
    assert value == pytest.approx(slack, rel=1e-3)


def test_refresh_says_when_and_fixed_says_never() -> None:
    assert Bowl(0.1, step=7).pick(NGDiff()) is None
    assert Bowl(0.1, step=20).pick(NGDiff()) is not None
    for chosen in (NGDiff(rate_rule="fixed"), NGDiff(base_optimizer="adamw")):
        bowl = Bowl(0.1)
        assert bowl.pick(chosen) is None
        assert bowl.probes == 0
    assert NGDiff(base_optimizer="adamw").optimizer_name() == "adamw"
    assert NGDiff().optimizer_name() == "sgd"


def test_no_fit_exceeds_the_highest_rate() -> None:
    for rule in ("guarded", "plain"):
        assert Bowl(1e-3).pick(NGDiff(rate_rule=rule, highest_rate=2e-3)) == 2e-3


def test_state_comes_back() -> None:
    state, bowl = MethodState(), Bowl(0.1)
    combined(KEEP_SLOPE, FORGET_SLOPE, state)
    bowl.pick(NGDiff(), state)
    again = MethodState()
    again.load_state_dict(state.state_dict())
    curves = NGDiff().report(bowl, again)
    assert curves == NGDiff().report(bowl, state)
    assert curves.keys() == {
        *("forget_gradient_norm", "retain_gradient_norm", "gradient_cosine", "fitted_rate")
    }
