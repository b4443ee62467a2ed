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


def without(retain: Sequence[Example], forget: Iterable[Example]) -> tuple[list[Example], int]:
    """`retain` less what also stands in `forget` (same words, spacing aside), and how many."""
    forgotten = {_words(example) for example in forget}
    kept = [example for example in retain if _words(example) not in forgotten]
    return kept, len(retain) - len(kept)


def _words(example: Example) -> tuple[str, str]:
    return " ".join(example.prompt.split()), " ".join(example.target.split())
