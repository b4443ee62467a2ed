"""What holds for every method, whatever its formula; the folder decides which are tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.methods.batches import PASSES, Leaves, is_frozen
from unlearning.declare import Hyperparameter
from unlearning.errors import UserError
from unlearning.methods import METHODS, method
from unlearning.methods.base import Defaults, Method


def settings(cls: type[Method]) -> Iterator[dict[str, Any]]:
    """The defaults, each choice by itself, and each weight at zero with each choice."""
    yield {}
    fields = cls.declared()
    choices = [{f.name: choice} for f in fields for choice in f.choices]
    yield from choices
    for weight in (f.name for f in fields if may_vanish(f)):
        yield from ({weight: 0.0, **choice} for choice in [{}, *choices])
        yield from ({weight: 0.7, **choice} for choice in [{}, *choices])


def may_vanish(field: Hyperparameter) -> bool:
    """A weight, by the way its sentence begins, whose zero leaves a term out."""
    return field.low == 0 and field.help.startswith("Weight of")


WATCHED = {"idk"}
"""Methods that only look at the forget text: their loss is on other text alone."""

CASES = [
    pytest.param(cls, chosen, id=f"{name}-{'-'.join(f'{k}={v}' for k, v in chosen.items())}")
    for name, cls in METHODS.items()
    for chosen in settings(cls)
]
every_method = pytest.mark.parametrize("cls", METHODS.values(), ids=METHODS)
every_setting = pytest.mark.parametrize(("cls", "chosen"), CASES)


@every_method
def test_is_explained(cls: type[Method]) -> None:
    assert cls.title and cls.paper.startswith("https://") and "." in cls.citation
    assert cls.formula.count("{") == cls.formula.count("}") > 0
    for words, least in [(cls.idea, 40), (cls.failure, 8), (cls.cost, 4), (cls.__doc__, 15)]:
        assert len(words.split()) >= least, words
        assert words.strip().endswith("."), words
    assert cls.summary().endswith(".") and len(cls.summary()) <= 100


@every_method
def test_every_field_has_a_sentence_and_a_range(cls: type[Method]) -> None:
    for field in cls.declared():
        assert field.help.endswith(".") and len(field.help.split()) >= 4, field.name
        assert field.help[0].isupper() or field.help.split()[0] in field.choices, field.name
        if field.kind in ("number", "integer"):
            assert field.low is not None and field.high is not None, field.name
            assert field.optional or field.low <= field.default <= field.high, field.name
        if field.choices:
            assert field.default in field.choices


@every_method
def test_defaults_are_a_run(cls: type[Method]) -> None:
    assert isinstance(cls.defaults, Defaults)
    assert cls.defaults.steps >= 1 and cls.defaults.batch_size >= 1
    assert 0 < cls.defaults.lora_large <= cls.defaults.lora
    assert 0 < cls.defaults.full_large <= cls.defaults.full
    assert cls.parse({}) == cls()
    assert cls.parse(cls().model_dump(mode="json")) == cls()


@every_setting
def test_loss_and_curves_read_exactly_the_passes_it_asked_for(
    cls: type[Method], chosen: dict[str, Any]
) -> None:
    chosen_method = cls.parse(chosen)
    asked = chosen_method.passes()
    assert asked <= cls.needs <= PASSES | {"hidden"}
    batch = Leaves(asked & PASSES).batch()
    vars(batch)["read"] = set()
    chosen_method.loss(batch)
    curves = chosen_method.curves(batch)
    assert all(curve.shape == () and torch.isfinite(curve) for curve in curves.values())
    watched = {"forget"} if cls.name in WATCHED else set()
    assert batch.read | watched == (asked & PASSES) | {"forget"}


@every_setting
def test_terms_are_finite_and_depend_on_the_student(
    cls: type[Method], chosen: dict[str, Any]
) -> None:
    chosen_method = cls.parse(chosen)
    terms = chosen_method.loss(Leaves(chosen_method.passes() & PASSES).batch())
    assert terms
    for name, term in terms.items():
        assert term.shape == () and torch.isfinite(term) and term.requires_grad, name


INDIRECT = {
    "idk": "teaches an answer beside the true one, which is never pushed down",
    "pdu": "flattens whatever leads, which is the target only where the text is known by heart",
    "rmu": "moves the inner state to a random point",
    "task_vector": "learns the text, and is then negated",
    "whp": "takes away what a reinforced model likes better, which is nothing where it is the same",
}
"""Methods whose loss does not speak of the text's probability; each has a test of its own."""


@every_setting
def test_one_step_makes_the_forget_text_less_likely(
    cls: type[Method], chosen: dict[str, Any]
) -> None:
    if cls.name in INDIRECT:
        pytest.skip(INDIRECT[cls.name])
    chosen_method = cls.parse(chosen)
    leaves = Leaves(chosen_method.passes() & PASSES)
    before = leaves.one("forget").logp_B.sum().item()
    sum(chosen_method.loss(leaves.batch()).values()).backward()
    hidden_BTD = leaves.hidden_BTD["forget"]
    assert torch.isfinite(hidden_BTD.grad).all()
    with torch.no_grad():
        hidden_BTD -= 1e-3 * hidden_BTD.grad / hidden_BTD.grad.norm()
    assert leaves.one("forget").logp_B.sum().item() < before - 1e-6


@every_setting
def test_no_gradient_reaches_another_model(cls: type[Method], chosen: dict[str, Any]) -> None:
    chosen_method = cls.parse(chosen)
    leaves = Leaves(chosen_method.passes() & PASSES)
    sum(chosen_method.loss(leaves.batch()).values()).backward()
    reached = {role for role, hidden in leaves.hidden_BTD.items() if hidden.grad is not None}
    assert {role for role in reached if is_frozen(role)} == set()
    assert "forget" in reached or cls.name in WATCHED


@every_method
def test_a_weight_of_zero_drops_its_term_and_its_passes(cls: type[Method]) -> None:
    for field in filter(may_vanish, cls.declared()):
        on, off = cls.parse({field.name: 1.0}), cls.parse({field.name: 0.0})
        assert off.passes() <= on.passes(), field.name
        with_term = on.loss(Leaves(on.passes() & PASSES).batch())
        without = off.loss(Leaves(off.passes() & PASSES).batch())
        assert without.keys() < with_term.keys(), field.name
        double = cls.parse({field.name: 2.0})
        doubled = double.loss(Leaves(double.passes() & PASSES).batch())
        (term,) = with_term.keys() - without.keys()
        assert doubled[term].item() == pytest.approx(2 * with_term[term].item())


@every_method
def test_settings_out_of_range_are_refused_by_name(cls: type[Method]) -> None:
    for field in cls.declared():
        if field.kind in ("number", "integer"):
            for wrong in (field.high * 2 + 1, field.low - 1, "many", float("nan")):
                with pytest.raises(UserError) as refused:
                    cls.parse({field.name: wrong})
                assert field.name in refused.value.message
                assert field.span in refused.value.hint


def test_methods_are_found_by_file_name() -> None:
    assert {"gradient_ascent", "grad_diff", "npo", "undial", "mean_teacher"} <= METHODS.keys()
    assert all(cls.name == name for name, cls in METHODS.items())
    assert method("npo").title == "NPO"
    with pytest.raises(UserError, match="no method named 'nope'"):
        method("nope")
