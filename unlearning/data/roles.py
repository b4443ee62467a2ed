"""Which texts belong together: automatic companions of a forget text, and no overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unlearning.data.base import Example, Role
from unlearning.data.preset import parts
from unlearning.data.sources import PRESETS
from unlearning.data.world import MODELS


def companions(source: str, model: str) -> dict[Role, str]:
    """Sources of the other roles for a forget source; roles without one are absent.

    Splits of a preset bring their own. For other texts there is only the general prose of the
    embedded world, and only for the embedded models, which speak its language.
    """
    if source.startswith("preset:"):
        name, split, group = parts(source)
        if name in PRESETS:
            return PRESETS[name].beside(split, group)
    return {"generic": "preset:world/general"} if model in MODELS else {}


def only_measured(source: str) -> dict[Role, str]:
    """Sources of the texts that a benchmark measures utility with, for its forget source."""
    name, split, _ = parts(source)
    known = source.startswith("preset:") and name in PRESETS
    return PRESETS[name].measured_beside(split) if known else {}


def rephrased(source: str) -> list[Example]:
    """The questions of a source in other words, with the same answers; where it has them.

    Raises:
        UserError: they should be there and cannot be read.
    """
    name, split, _ = parts(source)
    if not source.startswith("preset:") or name not in PRESETS or not PRESETS[name].rephrase:
        return []
    return PRESETS[name].rephrase(split or PRESETS[name].default)


def without(retain: Sequence[Example], forget: Iterable[Example]) -> tuple[list[Example], int]:
    """`retain` less what also stands in `forget` (same words, spacing aside), and how many."""
    forgotten = {_words(example) for example in forget}
    kept = [example for example in retain if _words(example) not in forgotten]
    return kept, len(retain) - len(kept)


def _words(example: Example) -> tuple[str, str]:
    return " ".join(example.prompt.split()), " ".join(example.target.split())
