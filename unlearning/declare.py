"""A declaration: a frozen class whose fields carry range, default and one plain sentence.

Form, command line, docs table and messages are all read from it, so nothing is said twice.
Folders of declarations are their own registry: `discover` imports every file of a folder.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unlearning.errors import UserError


def hyperparameter(
    default: Any, low: float | None = None, high: float | None = None, *, advanced: bool = False
) -> Any:
    """Declare a field. The sentence that explains it stands under it as a docstring.

    `low` and `high` are inclusive; `advanced` fields are folded away in the form.
    """
    return Field(default, ge=low, le=high, json_schema_extra={"advanced": advanced})


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """What a form, a command line or a table needs to know of one field."""

    name: str
    kind: Literal["number", "integer", "switch", "choice", "text"]
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    help: str
    advanced: bool
    optional: bool
    """Whether leaving the field empty (None) has a meaning of its own."""

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def span(self) -> str:
        """The range in words, empty where there is none: '0.01 to 5', 'at least 0'."""
        if self.choices:
            return ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.high is not None else ""


class Declared(BaseModel):
    """Base of everything declared: methods, metrics, the configuration of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: ClassVar[str] = ""
    """Set by `discover` to the file's name: the key in command line, URL and saved runs."""
    title: ClassVar[str]

    @classmethod
    def summary(cls) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(cls) or "").split("\n")[0]

    @classmethod
    def declared(cls) -> tuple[Hyperparameter, ...]:
        """Every field, in the order of the file."""
        return tuple(_describe(name, field) for name, field in cls.model_fields.items())

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Build from loose values (form, command line, JSON).

        Raises:
            UserError: names the class, the field, the value and the range.
        """
        try:
            return cls(**dict(values))
        except ValidationError as error:
            raise UserError(*_explain(cls, error)) from None


def _describe(name: str, field: Any) -> Hyperparameter:
    annotation, optional = field.annotation, False
    if get_origin(annotation) in (Union, UnionType):
        inner = [part for part in get_args(annotation) if part is not NoneType]
        annotation, optional = inner[0], len(inner) < len(get_args(annotation))
    choices = (
        tuple(str(c) for c in get_args(annotation)) if get_origin(annotation) is Literal else ()
    )
    kinds = {bool: "switch", int: "integer", float: "number"}
    kind = "choice" if choices else kinds.get(annotation, "text")
    bounds = {type(meta).__name__: meta for meta in field.metadata}
    low = bounds["Ge"].ge if "Ge" in bounds else None
    high = bounds["Le"].le if "Le" in bounds else None
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Hyperparameter(
        name=name,
        kind=kind,
        default=field.get_default(call_default_factory=True),
        low=low,
        high=high,
        choices=choices,
        help=(field.description or "").strip(),
        advanced=bool(extra.get("advanced", False)),
        optional=optional,
    )


def _explain(cls: type[Declared], error: ValidationError) -> tuple[str, str]:
    """First problem of a validation error as (what and why, what to do)."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "value"
    title = getattr(cls, "title", cls.__name__)
    known = {item.name: item for item in cls.declared()}
    if first["type"] == "extra_forbidden":
        names = ", ".join(known) or "none"
        return f"{title} has no setting named {place!r}.", f"It has: {names}."
    if first["type"] == "value_error":
        return f"{title}: {first['ctx']['error']}", ""
    message = f"{title}: {place} = {_short(first['input'])} is not allowed: {first['msg'].lower()}."
    item = known.get(str(first["loc"][0])) if first["loc"] else None
    return message, f"Choose {place} from: {item.span}." if item and item.span else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


T = TypeVar("T", bound=Declared)


def discover(package: str, base: type[T]) -> dict[str, type[T]]:
    """Import every module of a package; return {file name: the class it declares}.

    Raises:
        TypeError: a file declares more than one class, or one without an explanation.
    """
    found: dict[str, type[T]] = {}
    for module in sorted(iter_modules(import_module(package).__path__), key=lambda m: m.name):
        if module.name == "base" or module.name.startswith("_"):
            continue
        contents = import_module(f"{package}.{module.name}")
        declared = [
            value
            for value in vars(contents).values()
            if isinstance(value, type)
            and issubclass(value, base)
            and value.__module__ == contents.__name__
            and not value.__name__.startswith("_")
        ]
        if len(declared) > 1:
            raise TypeError(f"{contents.__name__} declares {len(declared)} classes; one a file")
        for cls in declared:
            if not cls.__doc__:
                raise TypeError(f"{contents.__name__}.{cls.__name__} has no docstring")
            cls.name = module.name
            found[module.name] = cls
    return found
