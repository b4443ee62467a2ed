"""How far each weight of a version is from the original's."""

from __future__ import annotations

from torch import Tensor

from unlearning.metrics.base import Change
from unlearning.models.base import Versions


def weight_changes(versions: Versions, version: str, original: str) -> dict[str, Change]:
    """Weight tensor to its change, tied tensors once; what adapters add is never merged."""
    found = {}
    pairs = zip(versions.weights(version), versions.weights(original), strict=True)
    for (name, weight, added), (_, before, added_before) in pairs:
        same = weight.data_ptr() == before.data_ptr()
        parts = [] if same else [weight.float(), -before.float()]
        parts += [added] if added is not None else []
        parts += [-added_before] if added_before is not None else []
        whole = before if added_before is None else before.float() + added_before
        moved = _norm(sum(parts[1:], parts[0])) if parts else 0.0
        found[name] = Change(moved=moved, size=_norm(whole))
    return found


def _norm(tensor: Tensor) -> float:
    # Squares are summed with more digits than a half-precision weight has.
    return float(tensor.float().norm())
