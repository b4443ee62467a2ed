"""What metrics ask of the model itself, beyond what its passes leave."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from unlearning.metrics.base import Evidence
from unlearning.models.base import Versions
from unlearning.models.changes import weight_changes
from unlearning.models.classifier import clean_probabilities
from unlearning.models.gradients import gradient_norms, gradient_products


def with_model(
    versions: Versions,
    version: str,
    original: str | None,
    needs: Collection[str],
    stop: Callable[[], bool],
) -> Callable[[Evidence], Evidence]:
    """Adds to evidence what `needs` names, as far as it is to be had; nothing is computed yet.

    Raises:
        UserError: the classifier is needed and cannot be fetched.
    """
    there: dict[str, Any] = {}
    if "gradients" in needs:
        there["gradient_norms"] = gradient_norms(versions, version, stop)
        there["gradient_products"] = gradient_products(versions, version, stop)
    if "weights" in needs and original is not None:
        there["weight_changes"] = lambda: weight_changes(versions, version, original)
    if "classifier" in needs:
        there["clean_probabilities"] = clean_probabilities(versions.device)
    return lambda evidence: replace(evidence, **there)
