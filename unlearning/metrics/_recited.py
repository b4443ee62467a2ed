"""Which scored tokens the model would have said itself."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unlearning.metrics.base import Positions


def recited(positions: Positions) -> np.ndarray:
    """bool [n]: for each scored token, whether it is the model's most likely one."""
    return (positions.argmax == positions.target)[positions.scored]


def recited_shares(sequences: Iterable[Positions]) -> list[float | None]:
    """Share of scored tokens that are recited, 0 to 1; None where nothing is scored."""
    return [float(hits.mean()) if len(hits) else None for hits in map(recited, sequences)]
