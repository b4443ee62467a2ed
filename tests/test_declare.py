"""Declarations: what a field tells, what a wrong value is answered with, what a folder holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from unlearning.declare import Declared, Hyperparameter, discover, hyperparameter
from unlearning.errors import UserError


class Oven(Declared):
    """Bakes one loaf.

    More than one line, of which the first is the summary.
    """

    title: ClassVar[str] = "Oven"

    heat: float = hyperparameter(1.5, 0.5, 9.0)
    """How hot it gets."""
    loaves_at_once: int = hyperparameter(2, 1)
    """How many loaves
    go in."""
    most: int = hyperparameter(2, None, 8, advanced=True)
    """How many it may be."""
    fan: bool = hyperparameter(True)
    """Whether air is moved."""
    crust: Literal["soft", "hard"] = hyperparameter("soft")
    """How the crust turns out."""
    minutes: int | None = hyperparameter(None, 1, 90)
    """How long; empty means until done."""
    label: str = "none"
    """A name for it."""


def field(name: str) -> Hyperparameter:
    (found,) = [item for item in Oven.declared() if item.name == name]
    return found


def refusal(values: dict[str, Any]) -> UserError:
    with pytest.raises(UserError) as refused:
        Oven.parse(values)
    return refused.value


def test_fields_come_in_the_order_of_the_file() -> None:
    names = [item.name for item in Oven.declared()]
    assert names == ["heat", "loaves_at_once", "most", "fan", "crust", "minutes", "label"]


def test_kinds_defaults_and_ranges() -> None:
    heat = field("heat")
    assert (heat.kind, heat.default, heat.low, heat.high) == ("number", 1.5, 0.5, 9.0)
    assert (heat.help, heat.span, heat.choices) == ("How hot it gets.", "0.5 to 9", ())
    assert not heat.advanced and not heat.optional
    assert field("loaves_at_once").kind == "integer"
    assert field("loaves_at_once").label == "Loaves at once"
    assert field("loaves_at_once").span == "at least 1"
    assert field("most").span == "at most 8" and field("most").advanced
    assert (field("fan").kind, field("fan").default, field("fan").span) == ("switch", True, "")
    assert (field("label").kind, field("label").default) == ("text", "none")


def test_choices_and_optional_fields() -> None:
    crust, minutes = field("crust"), field("minutes")
    assert (crust.kind, crust.choices, crust.span) == ("choice", ("soft", "hard"), "soft, hard")
    assert minutes.optional and minutes.kind == "integer" and minutes.default is None
    assert (minutes.low, minutes.high) == (1, 90)


def test_summary_is_the_first_line() -> None:
    assert Oven.summary() == "Bakes one loaf."


def test_parse_takes_what_forms_and_command_lines_give() -> None:
    oven = Oven.parse({"heat": "2", "fan": "false", "loaves_at_once": "3", "minutes": None})
    assert (oven.heat, oven.fan, oven.loaves_at_once, oven.minutes) == (2.0, False, 3, None)
    assert oven.crust == "soft"
    assert Oven.parse(oven.model_dump(mode="json")) == oven


def test_a_declaration_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Oven().heat = 3.0


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    error = refusal({"steam": 1})
    assert error.message == "Oven has no setting named 'steam'."
    assert error.hint == "It has: heat, loaves_at_once, most, fan, crust, minutes, label."


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("heat", 99, "Choose heat from: 0.5 to 9."),
        ("heat", 0.1, "Choose heat from: 0.5 to 9."),
        ("heat", "warm", "Choose heat from: 0.5 to 9."),
        ("heat", float("nan"), "Choose heat from: 0.5 to 9."),
        ("heat", float("inf"), "Choose heat from: 0.5 to 9."),
        ("heat", None, "Choose heat from: 0.5 to 9."),
        ("loaves_at_once", 0, "Choose loaves_at_once from: at least 1."),
        ("loaves_at_once", 1.5, "Choose loaves_at_once from: at least 1."),
        ("most", 9, "Choose most from: at most 8."),
        ("crust", "burnt", "Choose crust from: soft, hard."),
        ("minutes", 91, "Choose minutes from: 1 to 90."),
        ("fan", "perhaps", ""),
    ],
)
def test_wrong_values_are_answered_with_field_value_and_range(
    name: str, value: Any, hint: str
) -> None:
    error = refusal({name: value})
    assert error.message.startswith(f"Oven: {name} = {value!r} is not allowed: ")
    assert error.message.endswith(".") and not error.message.endswith("..")
    assert error.hint == hint


def test_long_values_are_shortened_in_the_message() -> None:
    assert len(refusal({"crust": "x" * 5000}).message) < 200


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package to be filled by the test."""
    package = tmp_path / "declared_here"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[name]


def declare(folder: Path, file: str, *classes: str, docstring: str = '"""One of them."""') -> None:
    lines = ["from unlearning.declare import Declared"]
    lines += [f"class {name}(Declared):\n    {docstring}\n    title = '{name}'" for name in classes]
    (folder / f"{file}.py").write_text("\n".join(lines) + "\n")


def test_the_folder_is_the_registry(folder: Path) -> None:
    declare(folder, "second", "Second")
    declare(folder, "first", "First")
    declare(folder, "base", "Base")
    declare(folder, "_shared", "Shared")
    (folder / "words.py").write_text("from declared_here.first import First\n")
    found = discover("declared_here", Declared)
    assert list(found) == ["first", "second"]
    assert {name: cls.name for name, cls in found.items()} == {"first": "first", "second": "second"}


def test_two_classes_in_one_file_are_refused(folder: Path) -> None:
    declare(folder, "crowded", "One", "Other")
    with pytest.raises(TypeError, match="crowded declares 2 classes"):
        discover("declared_here", Declared)


def test_a_class_without_explanation_is_refused(folder: Path) -> None:
    declare(folder, "silent", "Silent", docstring="pass")
    with pytest.raises(TypeError, match="Silent has no docstring"):
        discover("declared_here", Declared)
